#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The memory of `chipwright run` stays below 1.3 times the model's files and,
with a chip, what its memories hold: files are mapped and converted piece by
piece, and no weight is in memory twice.

A Llama of about 140 million parameters is written in the form that is asked
for, with numbers that are as good as any: `bf16` in two shards, `fp8` with a
scale for each block of 128 x 128, `gguf` in Q4_1. `smollm2` is the published
file, if scripts/fetch_smollm2.sh fetched it (exit status 77 if not).

The peak is VmHWM of the process, with libraries and mapped pages, as the run
itself reports it. The host alone (`--device cpu`) has no chip: the bound is
1.3 times the files. It is checked where that is more than a process takes
that does nothing.
"""

import argparse
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SMOLLM2 = ROOT / "build/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FACTOR = 1.3
# Bytes of libraries that a process has mapped once it has started.
STARTED = 90 << 20
HIDDEN, LAYERS, HEADS, KEY_HEADS, SIZE = 1024, 7, 16, 4, 64
INNER, VOCABULARY = 4096, 32000
CONFIG = {
    "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS,
    "head_dim": SIZE, "intermediate_size": INNER, "vocab_size": VOCABULARY,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "max_position_embeddings": 1024, "tie_word_embeddings": True}
# Name in Hugging Face form, in GGUF, shape; norms are vectors.
LAYER = [
    ("input_layernorm", "attn_norm", [HIDDEN]),
    ("self_attn.q_proj", "attn_q", [HEADS * SIZE, HIDDEN]),
    ("self_attn.k_proj", "attn_k", [KEY_HEADS * SIZE, HIDDEN]),
    ("self_attn.v_proj", "attn_v", [KEY_HEADS * SIZE, HIDDEN]),
    ("self_attn.o_proj", "attn_output", [HIDDEN, HEADS * SIZE]),
    ("post_attention_layernorm", "ffn_norm", [HIDDEN]),
    ("mlp.gate_proj", "ffn_gate", [INNER, HIDDEN]),
    ("mlp.up_proj", "ffn_up", [INNER, HIDDEN]),
    ("mlp.down_proj", "ffn_down", [HIDDEN, INNER])]


def tensors():
    """(Hugging Face name, GGUF name, shape) of all tensors."""
    yield "model.embed_tokens.weight", "token_embd.weight", [VOCABULARY, HIDDEN]
    for layer in range(LAYERS):
        for name, short, shape in LAYER:
            yield (f"model.layers.{layer}.{name}.weight",
                   f"blk.{layer}.{short}.weight", shape)
    yield "model.norm.weight", "output_norm.weight", [HIDDEN]


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def numbers(kind, elements):
    """Bytes of small numbers of either sign; a pattern, again and again."""
    draw = random.Random(1)
    if kind == "BF16":
        unit = b"".join(bytes([draw.randrange(256), draw.choice([0x3C, 0xBC])])
                        for _ in range(4096))
        size = 2
    elif kind == "F8_E4M3":
        unit = bytes(draw.choice([0, 128]) + draw.randrange(24, 48)
                     for _ in range(4096))
        size = 1
    elif kind == "F32":
        unit, size = struct.pack("<f", 0.5) * 1024, 4
    else:  # Q4_1: scale, least value, 32 numbers of 4 bits
        unit = b"".join(struct.pack("<ee", 2.0 ** -8, -2.0 ** -5) +
                        draw.randbytes(16) for _ in range(512))
        size = 20 / 32
    needed = int(elements * size)
    return (unit * (needed // len(unit) + 1))[:needed]


def write_safetensors(path, described):
    """described: (name, type, shape)."""
    header, place = {}, 0
    for name, kind, shape in described:
        size = count(shape) * {"BF16": 2, "F8_E4M3": 1, "F32": 4}[kind]
        header[name] = {"dtype": kind, "shape": shape,
                        "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, kind, shape in described:
            file.write(numbers(kind, count(shape)))


def make_bf16(folder):
    (folder / "config.json").write_text(json.dumps(CONFIG))
    described = [(name, "BF16", shape) for name, _, shape in tensors()]
    half = len(described) // 2
    shards = {"model-00001-of-00002.safetensors": described[:half],
              "model-00002-of-00002.safetensors": described[half:]}
    for shard, part in shards.items():
        write_safetensors(folder / shard, part)
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {}, "weight_map": {name: shard
                                        for shard, part in shards.items()
                                        for name, _, _ in part}}))
    return folder


def make_fp8(folder):
    (folder / "config.json").write_text(json.dumps({
        **CONFIG, "quantization_config": {
            "quant_method": "fp8", "fmt": "e4m3",
            "weight_block_size": [128, 128]}}))
    described = []
    for name, _, shape in tensors():
        if "_proj" in name:
            described += [(name, "F8_E4M3", shape),
                          (name + "_scale_inv", "F32",
                           [-(-size // 128) for size in shape])]
        else:
            described.append((name, "BF16", shape))
    write_safetensors(folder / "model.safetensors", described)
    return folder


def make_gguf(folder):
    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    def pair(key, kind, value):
        return text(key) + struct.pack("<I" + kind, {"I": 4, "f": 6}[kind],
                                       value)
    pairs = [text("general.architecture") + struct.pack("<I", 8) +
             text("llama"),
             text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8,
                                                         VOCABULARY) +
             b"".join(text(f"t{i}") for i in range(VOCABULARY))]
    for key, kind, value in [
            ("embedding_length", "I", HIDDEN), ("block_count", "I", LAYERS),
            ("feed_forward_length", "I", INNER),
            ("attention.head_count", "I", HEADS),
            ("attention.head_count_kv", "I", KEY_HEADS),
            ("attention.key_length", "I", SIZE),
            ("rope.dimension_count", "I", SIZE),
            ("rope.freq_base", "f", 10000.0), ("context_length", "I", 1024),
            ("attention.layer_norm_rms_epsilon", "f", 1e-5)]:
        pairs.append(pair("llama." + key, kind, value))
    described, place, total = b"", 0, 0
    plain = [(name, shape, "F32" if len(shape) == 1 else "Q4_1")
             for _, name, shape in tensors()]
    for name, shape, kind in plain:
        place += -place % 32
        described += (text(name) + struct.pack("<I", len(shape)) +
                      b"".join(struct.pack("<Q", n) for n in reversed(shape)) +
                      struct.pack("<IQ", 0 if kind == "F32" else 3, place))
        place += len(numbers(kind, count(shape)))
        total += 1
    path = folder / "model.gguf"
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, total, len(pairs)) +
                   b"".join(pairs) + described)
        for name, shape, kind in plain:
            file.write(bytes(-file.tell() % 32))
            file.write(numbers(kind, count(shape)))
    return path


def bytes_of(model):
    if model.is_file():
        return model.stat().st_size
    return sum(path.stat().st_size for path in model.glob("*.safetensors"))


def check(tool, model, device, folder):
    report = folder / "run.json"
    command = [tool, "run", "--model", str(model), "--device", device,
               "--prompt-ids", "3,1,4", "--max-new-tokens", "1",
               "--json", str(report)]
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n"
                 f"{done.stdout}")
    result = json.loads(report.read_text())
    image = result.get("memory_image_bytes", 0)
    assert (image > 0) == (device == "sim")
    peak = result["simulator"]["peak_memory_bytes"]
    bound = FACTOR * bytes_of(model) + image
    print(f"{device}: peak {peak / 1e6:.1f} MB; files "
          f"{bytes_of(model) / 1e6:.1f} MB, image {image / 1e6:.1f} MB, bound "
          f"{bound / 1e6:.1f} MB")
    assert peak > 0
    return peak <= bound


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("kind", choices=["bf16", "fp8", "gguf", "smollm2"])
    arguments = parser.parse_args()
    if arguments.kind == "smollm2" and not SMOLLM2.exists():
        print(f"{SMOLLM2} is not there: scripts/fetch_smollm2.sh")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        makers = {"bf16": make_bf16, "fp8": make_fp8, "gguf": make_gguf}
        model = (SMOLLM2 if arguments.kind == "smollm2"
                 else makers[arguments.kind](folder))
        good = check(arguments.tool, model, "sim", folder)
        if FACTOR * bytes_of(model) > 1.2 * STARTED:
            good = check(arguments.tool, model, "cpu", folder) and good
    if not good:
        print("more memory than the bound")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
