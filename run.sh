#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Chipwright and shows what it does: a small Llama 4 model with made-up
# weights, compiled for the simulated MTIA 2i, executed, checked and timed; then
# a trained model that answers a question on that chip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./scripts/install-packages.sh
echo "Building (preset release; the first time takes some minutes) ..."
./scripts/build.sh release chipwright
chipwright=build/release/bin/chipwright
mkdir -p build/run
rm -rf build/run/demo

cat <<'TEXT'

== 1. A model ==============================================================
A small one with made-up weights is written in Hugging Face form: attention in
chunks and over everything, a dense layer and layers with routed experts.
TEXT
"$chipwright" checkpoint --preset llama4-demo -o build/run/demo

cat <<'TEXT'

== 2. Machine code =========================================================
The model's graph becomes tile programs, these become commands of the two
RISC-V harts of each processing element, and these become ELF files. One
package serves steps of every size.
TEXT
"$chipwright" compile --model build/run/demo --chip mtia-2i --dtype bf16 \
  --max-tokens 64 --max-batch 2 --max-context 256 -o build/run/demo.cwx

cat <<'TEXT'

== 3. Is it right, and how fast? ===========================================
Prefill of a prompt and a few decode steps, in functional mode: every PE
executes that machine code, data really moves, and all logits are compared with
the model computed in fp32 on this computer. The time is the chip's.
TEXT
"$chipwright" run --model build/run/demo --package build/run/demo.cwx \
  --prompt-ids 3,10,17,24,31,38,45,52,59,66,73,80 --max-new-tokens 6 \
  --check cpu --json build/run/demo.json --trace build/run/demo-trace.json.gz \
  --trace-pe 0,0

cat <<'TEXT'

How to read it: each phase gives the time on the chip, bytes of each memory,
energy, and the ops that take longest with what binds them. `error` is the
relative difference of all logits to the host's, `routing` counts tokens whose
experts differ.

== 4. A trained model ======================================================
TEXT
status=0
smollm2=$(./scripts/fetch_smollm2.sh) || status=$?
if [ "$status" = 0 ]; then
  cat <<'TEXT'
SmolLM2-135M-Instruct (Apache-2.0) answers. Every number behind a word comes
out of the simulated chip's own instructions:

TEXT
  "$chipwright" run --model "$smollm2" --chip mtia-2i --chat \
    --prompt "What is the capital of France?" --max-new-tokens 12 \
    --json build/run/smollm2.json
elif [ "$status" = 6 ]; then
  echo "No package registry can be reached, so there is no trained model here;" \
    "the model with made-up weights above has to do."
else
  exit "$status"
fi

cat <<'TEXT'

All numbers as JSON:        build/run/demo.json
A timeline of PE 0,0:       build/run/demo-trace.json.gz (ui.perfetto.dev)
One product, fully busy:    build/release/bin/chipwright kernel gemm
What else there is:         build/release/bin/chipwright --help
TEXT
