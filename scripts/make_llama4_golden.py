#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logits of the llama4 golden model, in numpy and fp64, from the formulas.

    python3 scripts/make_llama4_golden.py tests/golden/llama4_logits.json

An implementation of its own: it shares no code with models/, holds the whole
sequence at once, masks with a matrix and runs every expert on every token. The
weights follow from the tensors' names (models/MadeUpWeights.h states the rule);
the architecture is that of Llama 4 in the public transformers repository
(src/transformers/models/llama4/modeling_llama4.py). Needs numpy.
"""
import json
import sys

import numpy as np

V, H, HEADS, KV_HEADS, D, LAYERS = 64, 64, 4, 2, 16, 4
EXPERTS, WIDTH, DENSE_WIDTH = 4, 32, 192
MOE_LAYERS, NOPE_LAYERS = (1, 3), (3,)
CHUNK, FLOOR_SCALE, ATTN_SCALE = 8, 4, 0.1
THETA, EPS = 5e5, 1e-5
FACTOR, LOW, HIGH, ORIGINAL = 16.0, 1.0, 1.0, 8192.0
PREFIX = "language_model."
IDS = [(7 * t + 3) % V for t in range(20)]


def tensor(name, *shape):
    """The made-up tensor of that name, in fp64."""
    name = PREFIX + name
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    u = np.uint64(seed) ^ (i * np.uint64(0x9E3779B1) & mask)
    u ^= u >> np.uint64(16)
    u = u * np.uint64(0x85EBCA6B) & mask
    u ^= u >> np.uint64(13)
    u = u * np.uint64(0xC2B2AE35) & mask
    u ^= u >> np.uint64(16)
    if "norm" in name and name.endswith("weight"):
        value = 1 + ((u & np.uint64(63)).astype(float) - 32) / 64
    else:
        value = ((u & np.uint64(255)).astype(float) - 128) / 256
        value *= 2 if "embed_tokens" in name else 0.5
    return value.reshape(shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rms(x):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS)


def angles(positions):
    """[tokens, D/2]: fp32 frequencies times fp32 positions, in fp32."""
    frequency = THETA ** (-np.arange(0, D, 2) / D)
    wave = 2 * np.pi / frequency
    # LOW == HIGH: nothing to blend.
    frequency = np.where(wave > ORIGINAL / LOW, frequency / FACTOR, frequency)
    return np.outer(positions.astype(np.float32), frequency.astype(np.float32))


def rotate(x, angle):
    """Rotates neighbouring pairs as complex numbers; x [tokens, heads, D]."""
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(
        1j * angle.astype(np.float64))[:, None, :]
    out = np.empty_like(x)
    out[..., 0::2], out[..., 1::2] = turned.real, turned.imag
    return out


def mlp(name, x, width):
    gate = x @ tensor(name + ".gate_proj.weight", width, H).T
    up = x @ tensor(name + ".up_proj.weight", width, H).T
    return (gate * sigmoid(gate) * up) @ tensor(name + ".down_proj.weight", H,
                                                width).T


def routed(name, x):
    logits = x @ tensor(name + ".router.weight", EXPERTS, H).T
    best = np.argmax(logits, axis=1)
    score = np.zeros_like(logits)
    rows = np.arange(len(x))
    score[rows, best] = sigmoid(logits[rows, best])
    gate_up = tensor(name + ".experts.gate_up_proj", EXPERTS, H, 2 * WIDTH)
    down = tensor(name + ".experts.down_proj", EXPERTS, WIDTH, H)
    out = np.zeros_like(x)
    for e in range(EXPERTS):
        ab = (x * score[:, e:e + 1]) @ gate_up[e]
        a, b = ab[:, :WIDTH], ab[:, WIDTH:]
        out += (b * a * sigmoid(a)) @ down[e]
    return mlp(name + ".shared_expert", x, WIDTH) + out


def forward(chunks=True, temperature=True):
    """Logits [tokens, V]."""
    x = tensor("model.embed_tokens.weight", V, H)[IDS]
    n = len(IDS)
    p = np.arange(n)
    causal = p[:, None] >= p[None, :]
    same_chunk = p[:, None] // CHUNK == p[None, :] // CHUNK
    t = np.log(1 + np.floor((p + 1) / FLOOR_SCALE)) * ATTN_SCALE + 1
    angle = angles(p)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}"
        nope = layer in NOPE_LAYERS
        h = rms(x) * tensor(name + ".input_layernorm.weight", H)
        q, k, v = (
            (h @ tensor(f"{name}.self_attn.{w}_proj.weight", heads * D,
                        H).T).reshape(n, heads, D)
            for w, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)))
        if not nope:
            q, k = rms(rotate(q, angle)), rms(rotate(k, angle))
        elif temperature:
            q = q * t[:, None, None]
        seen = causal & same_chunk if chunks and not nope else causal
        k = np.repeat(k, HEADS // KV_HEADS, axis=1)
        v = np.repeat(v, HEADS // KV_HEADS, axis=1)
        s = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(D)
        s = np.where(seen, s, -np.inf)
        s = np.exp(s - s.max(axis=-1, keepdims=True))
        s /= s.sum(axis=-1, keepdims=True)
        h = np.einsum("hqk,khd->qhd", s, v).reshape(n, HEADS * D)
        x = x + h @ tensor(name + ".self_attn.o_proj.weight", H, HEADS * D).T
        h = rms(x) * tensor(name + ".post_attention_layernorm.weight", H)
        name += ".feed_forward"
        moe = layer in MOE_LAYERS
        x = x + (routed(name, h) if moe else mlp(name, h, DENSE_WIDTH))
    x = rms(x) * tensor("model.norm.weight", H)
    return x @ tensor("lm_head.weight", V, H).T


def main():
    logits = forward()
    print("last token, ids 0..5:", np.round(logits[-1, :6], 5))
    print("argmax:", int(np.argmax(logits[-1])))
    print("sum of abs:", round(float(np.abs(logits).sum()), 3))
    for what, other in (("chunks", forward(chunks=False)),
                        ("temperature", forward(temperature=False))):
        change = np.abs(other[-1] - logits[-1]).max()
        print(f"largest change of the last token without {what}: {change:.4f}")
    with open(sys.argv[1], "w") as file:
        rows = ",\n".join(
            "  [" + ", ".join(f"{x:.10g}" for x in row) + "]"
            for row in logits)
        ids = json.dumps(IDS)
        file.write(f'{{"ids": {ids},\n "logits": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
