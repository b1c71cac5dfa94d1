#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/lint.sh format        all sources are as clang-format leaves them
# scripts/lint.sh tidy [FILE..] clang-tidy (of .clang-tidy) on the files given,
#                               or on all, with build/release's commands
# scripts/lint.sh licence       every source names its licence
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
sources() { git ls-files '*.cpp' '*.h' '*.c' | grep -v '^tests/.*/programs/'; }
case "${1:-}" in
  format)
    sources | xargs -P 2 -n 40 clang-format-22 --dry-run -Werror
    ;;
  tidy)
    shift
    if [ $# -eq 0 ]; then
      mapfile -t files < <(git ls-files '*.cpp' | grep -v '^tests/')
    else
      files=("$@")
    fi
    printf '%s\n' "${files[@]}" |
      xargs -P 2 -n 4 clang-tidy-22 -p build/release --quiet
    ;;
  licence)
    missing=$(git ls-files '*.cpp' '*.h' '*.c' '*.S' '*.ld' '*.td' '*.py' \
      '*.sh' '*.yaml' '*.cmake' '*CMakeLists.txt' '*.md' |
      xargs grep -L 'SPDX-License-Identifier: Apache-2.0' || true)
    if [ -n "$missing" ]; then
      echo "no SPDX line: $missing" >&2
      exit 1
    fi
    ;;
  *)
    echo "usage: scripts/lint.sh format|tidy [FILE...]|licence" >&2
    exit 2
    ;;
esac
