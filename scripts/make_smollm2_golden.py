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
of 64 bits over the bytes of all texts, each with a zero byte behind it. For the
model, the logits behind a few tokens, computed here in fp64 from the file's own
order of rows.
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
PROMPT = ["The", "Ġcapital", "Ġof", "ĠFrance", "Ġis"]
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


def rms_norm(x, weight):
    return x / numpy.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def rotate(x, theta):
    """Turns pairs of neighbours of x [tokens, heads, size]."""
    tokens, _, size = x.shape
    angles = (numpy.arange(tokens)[:, None] *
              theta ** (-numpy.arange(0, size, 2) / size))[:, None, :]
    even, odd = x[..., 0::2], x[..., 1::2]
    result = numpy.empty_like(x)
    result[..., 0::2] = even * numpy.cos(angles) - odd * numpy.sin(angles)
    result[..., 1::2] = even * numpy.sin(angles) + odd * numpy.cos(angles)
    return result


def logits_behind(reader, ids):
    """Logits behind each of ids [ids, vocabulary], in fp64."""
    stored = {t.name: t for t in reader.tensors}

    def weight(name):
        tensor = stored[name + ".weight"]
        return gguf.dequantize(tensor.data, tensor.tensor_type).astype(
            numpy.float64)

    def value(key):
        return reader.fields["llama." + key].contents()

    heads = value("attention.head_count")
    shared = heads // value("attention.head_count_kv")
    tokens = len(ids)
    embedding = weight("token_embd")
    x = embedding[ids]
    later = numpy.triu(numpy.full((tokens, tokens), -numpy.inf), 1)
    for layer in range(value("block_count")):
        block = f"blk.{layer}."
        y = rms_norm(x, weight(block + "attn_norm"))
        q, k, v = ((y @ weight(block + name).T).reshape(tokens, -1, 64)
                   for name in ["attn_q", "attn_k", "attn_v"])
        q, k = (rotate(part, value("rope.freq_base")) for part in (q, k))
        k, v = (numpy.repeat(part, shared, axis=1) for part in (k, v))
        scores = numpy.einsum("qhd,khd->hqk", q, k) / 8 + later
        scores = numpy.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        y = numpy.einsum("hqk,khd->qhd", scores, v).reshape(tokens, -1)
        x = x + y @ weight(block + "attn_output").T
        y = rms_norm(x, weight(block + "ffn_norm"))
        gate = y @ weight(block + "ffn_gate").T
        gate /= 1 + numpy.exp(-gate)
        x = x + (gate * (y @ weight(block + "ffn_up").T)) @ weight(
            block + "ffn_down").T
    return rms_norm(x, weight("output_norm")) @ embedding.T


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
    texts = reader.fields["tokenizer.ggml.tokens"].contents()
    ids = [texts.index(piece) for piece in PROMPT]
    logits = logits_behind(reader, ids)[-1]
    best = int(logits.argmax())
    print(f"{PROMPT} -> {texts[best]}")
    model = {"ids": ids, "best": best, "text": texts[best],
             "logits": [float(f"{v:.6f}") for v in logits[:1000:100]],
             "best_logit": float(f"{logits[best]:.6f}"),
             "absolute_mean": float(f"{numpy.abs(logits).mean():.6f}")}
    result = {"package": f"gguf {VERSION}", "file": FILE, "lists": lists,
              "scalars": {k: reader.fields[k].contents() for k in SCALARS},
              "model": model, "tensors": tensors}
    path = ROOT / "tests/golden/gguf/smollm2.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    # One tensor a line.
    for name, entry in tensors.items():
        text = text.replace(json.dumps(entry, indent=1).replace("\n", "\n  "),
                            json.dumps(entry))
    path.write_text(text + "\n")
    print(f"{path}: {path.stat().st_size} bytes, {len(tensors)} tensors")


if __name__ == "__main__":
    main()
