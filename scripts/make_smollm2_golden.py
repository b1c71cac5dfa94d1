#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/gguf/smollm2.json: what the public `gguf` package reads
of the file that scripts/fetch_smollm2.sh fetches.

    python3 -m venv build/cache/gguf
    build/cache/gguf/bin/pip install gguf==0.19.0 numpy==2.4.6
    scripts/fetch_smollm2.sh
    build/cache/gguf/bin/python scripts/make_smollm2_golden.py

For each tensor: type, shape (last size contiguous) and a sum over its elements
in order, modulo 2^64: the fp32 bits of element i times (i * 0x9E3779B97F4A7C15
| 1). For the metadata, the keys of the model and sums of the vocabulary: FNV-1a
of 64 bits over the bytes of all texts, each with a zero byte behind it.
"""

import importlib.metadata
import json
import pathlib

import gguf
import numpy

VERSION = "0.19.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = "build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
PHI = numpy.uint64(0x9E3779B97F4A7C15)
TEXT_LISTS = ["tokenizer.ggml.tokens", "tokenizer.ggml.merges"]
SCALARS = ["tokenizer.ggml.model", "tokenizer.ggml.pre",
           "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
           "tokenizer.ggml.add_bos_token", "tokenizer.chat_template"]


def element_sum(values):
    bits = numpy.ascontiguousarray(values, dtype=numpy.float32).reshape(-1)
    bits = bits.view(numpy.uint32).astype(numpy.uint64)
    factors = numpy.arange(bits.size, dtype=numpy.uint64) * PHI
    return int(numpy.sum(bits * (factors | numpy.uint64(1)),
                         dtype=numpy.uint64))


def text_sum(texts):
    value = 0xCBF29CE484222325
    for text in texts:
        for byte in text + b"\0":
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def main():
    found = importlib.metadata.version("gguf")
    if found != VERSION:
        raise SystemExit(f"error: expected gguf {VERSION}, found {found}")
    reader = gguf.GGUFReader(ROOT / FILE)
    tensors = {}
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        tensors[tensor.name] = [tensor.tensor_type.name,
                                [int(n) for n in reversed(tensor.shape)],
                                f"{element_sum(values):016x}"]
    lists = {}
    for key in TEXT_LISTS:
        field = reader.fields[key]
        texts = [bytes(field.parts[i]) for i in field.data]
        lists[key] = [len(texts), f"{text_sum(texts):016x}"]
    result = {"package": f"gguf {VERSION}", "file": FILE, "lists": lists,
              "scalars": {k: reader.fields[k].contents() for k in SCALARS},
              "tensors": tensors}
    path = ROOT / "tests/golden/gguf/smollm2.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1)
    # One tensor a line.
    for name, entry in tensors.items():
        text = text.replace(json.dumps(entry, indent=1).replace("\n", "\n  "),
                            json.dumps(entry))
    path.write_text(text + "\n")
    print(f"{path}: {path.stat().st_size} bytes, {len(tensors)} tensors")


if __name__ == "__main__":
    main()
