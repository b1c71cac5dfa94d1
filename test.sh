#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Chipwright and runs its tests. Closes with
#   N passed, N failed, N skipped
# ./test.sh --long   also runs what does not fit in a normal run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

case "${1:-}" in
  "") ;;
  --long) export CHIPWRIGHT_LONG=1 ;;
  *) echo "usage: ./test.sh [--long]" >&2; exit 2 ;;
esac

./scripts/install-packages.sh || exit 1
# First, because the tests of preset release run what it builds.
echo "Building (preset asan, the tool only) ..."
./scripts/build.sh asan chipwright ||
  { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
echo "Building (preset fuzz, the fuzz targets only) ..."
./scripts/build.sh fuzz fuzzers ||
  { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
echo "Building (preset release) ..."
./scripts/build.sh release all || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
exec python3 scripts/run_tests.py --build build/release
