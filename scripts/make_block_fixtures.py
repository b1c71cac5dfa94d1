#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/quantised/blocks.json: what the public `gguf` package
makes of random blocks of every tensor type that models/ reads.

    python3 -m venv build/cache/gguf
    build/cache/gguf/bin/pip install gguf==0.19.0 numpy==2.4.6
    build/cache/gguf/bin/python scripts/make_block_fixtures.py

The bytes of block b of type t follow from an integer hash, so that the file
holds results only: for each type a hash of every block's values (FNV-1a-32 of
the fp32 bits, little-endian, every NaN as 0x7fc00000), and the values of the
first blocks as bits.
"""

import json
import pathlib
import warnings

import gguf
import numpy

VERSION = "0.19.0"
BLOCKS = 1000
SAMPLES = 2  # blocks whose values are written out
TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K",
         "Q5_K", "Q6_K", "MXFP4"]
# Elements of a "block" of a type that has none.
PLAIN_ELEMENTS = 32
MASK = (1 << 64) - 1


def random_word(index):
    """splitmix64 of an index."""
    z = (index * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def block_bytes(number, block, size):
    """Bytes of a block: words of the hash of (type, block, word)."""
    words = (size + 7) // 8
    text = b"".join(
        random_word(number << 48 | block << 16 | w).to_bytes(8, "little")
        for w in range(words))
    return text[:size]


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def main():
    found = __import__("importlib.metadata").metadata.version("gguf")
    if found != VERSION:
        raise SystemExit(f"error: expected gguf {VERSION}, found {found}")
    warnings.simplefilter("ignore")  # overflow and NaN are wanted
    result = {"package": f"gguf {VERSION}", "blocks": BLOCKS, "types": {}}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        if elements == 1:
            elements, size = PLAIN_ELEMENTS, PLAIN_ELEMENTS * size
        data = b"".join(block_bytes(int(kind), b, size) for b in range(BLOCKS))
        rows = numpy.frombuffer(data, dtype=numpy.uint8).reshape(BLOCKS, size)
        values = gguf.dequantize(rows, kind).reshape(BLOCKS, elements)
        bits = numpy.where(numpy.isnan(values), numpy.uint32(0x7FC00000),
                           numpy.ascontiguousarray(values).view(numpy.uint32))
        result["types"][name] = {
            "number": int(kind),
            "elements": elements,
            "bytes": size,
            "hashes": "".join(f"{fnv1a(row.astype('<u4').tobytes()):08x}"
                              for row in bits),
            "samples": ["".join(f"{v:08x}" for v in row)
                        for row in bits[:SAMPLES].tolist()],
        }
    path = (pathlib.Path(__file__).resolve().parent.parent /
            "tests/golden/quantised/blocks.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
