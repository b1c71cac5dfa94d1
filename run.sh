#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Chipwright and shows what it does: a 2048 x 2048 x 2048 fp16 matrix
# product on the simulated MTIA 2i, first with numbers checked, then timed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./scripts/install-packages.sh
echo "Building (preset release; the first time takes a few minutes) ..."
./scripts/build.sh release chipwright
chipwright=build/release/bin/chipwright

cat <<'TEXT'

== 1. Is it right? =========================================================
A small product in functional mode: every PE executes RISC-V machine code
with the extension's commands, data really moves, and the result is compared
with a product in double precision on this computer.
TEXT
"$chipwright" kernel gemm --chip mtia-2i --m 300 --n 200 --k 500 \
  --dtype fp16 --memory sram --mode functional

cat <<'TEXT'

== 2. How fast is it? ======================================================
The 2048^3 product in timing mode: the same machine code and control flow,
bulk data left out. Time comes out of executed instructions, commands, packets
and memory accesses; nothing is multiplied by an efficiency.
TEXT
mkdir -p build/run
"$chipwright" kernel gemm --chip mtia-2i --m 2048 --n 2048 --k 2048 \
  --dtype fp16 --memory sram --json build/run/gemm.json

cat <<'TEXT'

How to read it: `peak` is floating-point operations over time and the chip's
16-bit peak. The table of each engine splits all its cycles into busy and lost
ones, by cause; the last line says what binds and what would bind next.
The same numbers as JSON: build/run/gemm.json.
Try: build/release/bin/chipwright --help
TEXT
