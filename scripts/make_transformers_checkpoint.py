#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small random Llama 4 checkpoints and their logits, by transformers.

    python3 -m venv build/venv
    build/venv/bin/pip install torch==2.8.0 transformers==4.57.1 \\
        safetensors==0.8.0 numpy==2.4.6
    build/venv/bin/python scripts/make_transformers_checkpoint.py tests/golden

Writes DIR/transformers-*/ with config.json and model.safetensors as
save_pretrained() makes them, and logits.json: fp32 logits of every token, and
per layer with experts each token's choice, and 8 greedily decoded ids. Weights are rounded to bf16 before
the fp32 pass, so that the stored weights are exactly those that were used. The
fixtures are committed; this script is run by hand, never by the tests.
(Versions 4.55.0 to 4.56.0 of transformers are reported to compute Llama 4
wrongly; the script refuses others than the one above.)
"""
import json
import pathlib
import sys

import torch
import transformers
from transformers import Llama4ForCausalLM, Llama4TextConfig

TRANSFORMERS, TORCH = "4.57.1", "2.8.0"

COMMON = dict(
    vocab_size=144, hidden_size=64, intermediate_size=32,
    intermediate_size_mlp=96, num_attention_heads=6, num_key_value_heads=2,
    head_dim=16, rms_norm_eps=1e-5, max_position_embeddings=512,
    attn_scale=0.1, floor_scale=8, pad_token_id=0, bos_token_id=1,
    eos_token_id=2, initializer_range=0.15, attention_dropout=0.0,
    tie_word_embeddings=False)

# Mixed dense and MoE layers, scaled rope, chunks shorter than the sequence.
MODELS = {
    "transformers-llama4": dict(
        COMMON, num_hidden_layers=5, num_local_experts=6,
        interleave_moe_layer_step=2, attention_chunk_size=12,
        use_qk_norm=True, attn_temperature_tuning=True,
        rope_theta=500000.0,
        rope_scaling=dict(rope_type="llama3", factor=16.0, low_freq_factor=1.0,
                          high_freq_factor=1.0,
                          original_max_position_embeddings=64)),
    # As Maverick: no norm of q and k, no rope scaling; two experts a token.
    "transformers-llama4-noqknorm": dict(
        COMMON, num_hidden_layers=4, num_local_experts=4,
        num_experts_per_tok=2, moe_layers=[0, 3], attention_chunk_size=7,
        use_qk_norm=False, attn_temperature_tuning=4, rope_theta=10000.0,
        no_rope_layers=[1, 0, 1, 0]),
}


def make(directory, settings, seed):
    torch.manual_seed(seed)
    config = Llama4TextConfig(**settings)
    config._attn_implementation = "eager"
    model = Llama4ForCausalLM(config)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name:
                value.copy_(1 + 0.3 * torch.randn_like(value))
            elif "embed_tokens" in name:
                value.normal_(std=1.0)
            elif "experts." in name and "shared" not in name:
                value.normal_(std=value.shape[1] ** -0.5)
            else:
                value.normal_(std=value.shape[-1] ** -0.5)
            value.copy_(value.to(torch.bfloat16).to(torch.float32))
    model.eval()
    ids = torch.randint(0, config.vocab_size, (1, 37))
    choices = {}
    for i, layer in enumerate(model.model.layers):
        if layer.is_moe_layer:
            layer.feed_forward.router.register_forward_hook(
                lambda _, __, out, i=i: choices.__setitem__(i, out[0]))
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits[0]
        taken_scores = dict(choices)
        # Greedy decoding, the whole sequence again for every token: decoding
        # by the cache of this version gives other tokens than its own full
        # pass when a sequence is longer than a chunk (printed below).
        generated = ids[:, :20]
        for _ in range(8):
            best = model(generated, use_cache=False).logits[:, -1].argmax(-1)
            generated = torch.cat([generated, best[:, None]], dim=1)
        cached = model.generate(ids[:, :20], max_new_tokens=8,
                                do_sample=False, eos_token_id=None)
        print("cached decoding equals the full pass:",
              bool((cached == generated).all()))
    directory.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    (directory / "model.safetensors").chmod(0o644)
    rows = [[float(f"{x:.7g}") for x in row] for row in logits.tolist()]
    # Scores [tokens, experts]: 0 for experts that are not taken.
    chosen = {}
    for i, scores in taken_scores.items():
        scores = scores.reshape(-1, config.num_local_experts)
        taken = scores > 0
        assert int(taken.sum(1).min()) == config.num_experts_per_tok
        chosen[f"layers.{i}.feed_forward.router"] = [
            row.nonzero().flatten().tolist() for row in taken]
    (directory / "logits.json").write_text(
        "{" + f'"ids": {json.dumps(ids[0].tolist())},\n'
        f'"generated": {json.dumps(generated[0].tolist())},\n'
        f'"choices": {json.dumps(chosen)},\n'
        f'"logits": {json.dumps(rows)}' + "}\n")
    size = sum(f.stat().st_size for f in directory.iterdir())
    print(directory, size, "bytes, largest logit", float(logits.abs().max()))


def main():
    found = transformers.__version__, torch.__version__.split("+")[0]
    if found != (TRANSFORMERS, TORCH):
        sys.exit(f"expected transformers {TRANSFORMERS} and torch {TORCH}, "
                 f"found {found[0]} and {found[1]}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for seed, (name, settings) in enumerate(MODELS.items(), 2):
        make(pathlib.Path(sys.argv[1]) / name, settings, seed)


if __name__ == "__main__":
    main()
