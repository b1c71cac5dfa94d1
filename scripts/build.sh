#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures and builds a preset: scripts/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift
export CCACHE_DIR=${CCACHE_DIR:-$PWD/.cache/ccache}
log=build/$preset/build.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  echo "error: configuring preset $preset failed" >&2
  exit 1
fi
targets=()
[ $# -gt 0 ] && targets=(--target "$@")
if ! cmake --build --preset "$preset" "${targets[@]}" >>"$log" 2>&1; then
  tail -n 60 "$log" >&2
  echo "error: building preset $preset failed; the whole log is $log" >&2
  exit 1
fi
