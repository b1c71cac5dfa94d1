#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small random checkpoints of every family and their logits, by transformers.

    python3 -m venv build/venv
    build/venv/bin/pip install torch==2.8.0 transformers==4.57.1 \\
        safetensors==0.8.0 numpy==2.4.6
    build/venv/bin/python scripts/make_family_fixtures.py tests/golden [NAME...]

Writes DIR/transformers-NAME/ with config.json and model.safetensors as
save_pretrained() makes them, and logits.json: the ids, fp32 logits of every
token by full attention over the whole sequence, and 8 greedily decoded ids.
Weights are rounded to bf16 before the fp32 pass, so that the stored weights
are exactly those that were used. The fixtures are committed; this script is run
by hand, never by the tests. Without names it writes the models whose version
of transformers is installed: Muse Glimmer came with version 5 and is made with
transformers==5.23.0 in another environment.
"""
import json
import pathlib
import sys

import torch
import transformers

TRANSFORMERS, TORCH = "4.57.1", "2.8.0"
LATER = {"muse-glimmer": "5.23.0"}  # by model, in place of the first
TOKENS, PROMPT, DECODED = 37, 20, 8

COMMON = dict(
    vocab_size=120, hidden_size=48, num_attention_heads=6,
    max_position_embeddings=512, pad_token_id=0, bos_token_id=1,
    eos_token_id=2, attention_dropout=0.0)

# NAME: (configuration class, model class, settings). Shapes differ from those
# of the golden models: odd head counts, heads that are not hidden / heads,
# windows shorter than the sequence, every flag that a family has once.
MODELS = {
    "llama": ("LlamaConfig", "LlamaForCausalLM", dict(
        num_hidden_layers=3, intermediate_size=80, num_key_value_heads=2,
        head_dim=12, rope_theta=10000.0, rms_norm_eps=1e-5,
        attention_bias=True, mlp_bias=True, tie_word_embeddings=True)),
    "llama31": ("LlamaConfig", "LlamaForCausalLM", dict(
        num_hidden_layers=2, intermediate_size=72, num_key_value_heads=3,
        rope_theta=500000.0, tie_word_embeddings=False,
        rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0,
                          high_freq_factor=4.0,
                          original_max_position_embeddings=32))),
    "mixtral": ("MixtralConfig", "MixtralForCausalLM", dict(
        num_hidden_layers=2, intermediate_size=40, num_key_value_heads=3,
        num_local_experts=5, num_experts_per_tok=2, sliding_window=9)),
    "qwen3-moe": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM", dict(
        num_hidden_layers=4, intermediate_size=56, moe_intermediate_size=24,
        num_key_value_heads=2, head_dim=20, num_experts=6,
        num_experts_per_tok=3, norm_topk_prob=False, decoder_sparse_step=2,
        mlp_only_layers=[3], rope_theta=1000000.0)),
    "qwen3-moe-normed": ("Qwen3MoeConfig", "Qwen3MoeForCausalLM", dict(
        num_hidden_layers=2, intermediate_size=56, moe_intermediate_size=24,
        num_key_value_heads=1, head_dim=16, num_experts=7,
        num_experts_per_tok=2, norm_topk_prob=True, attention_bias=True)),
    "gpt-oss": ("GptOssConfig", "GptOssForCausalLM", dict(
        num_hidden_layers=3, intermediate_size=40, num_key_value_heads=2,
        head_dim=16, num_local_experts=5, num_experts_per_tok=3,
        sliding_window=6, rope_scaling=dict(
            rope_type="yarn", factor=8.0, beta_fast=32.0, beta_slow=1.0,
            truncate=False, original_max_position_embeddings=64))),
    "deepseek-v3": ("DeepseekV3Config", "DeepseekV3ForCausalLM", dict(
        num_hidden_layers=3, intermediate_size=56, moe_intermediate_size=24,
        num_key_value_heads=6, n_routed_experts=12, num_experts_per_tok=3,
        n_shared_experts=2, n_group=4, topk_group=2, first_k_dense_replace=1,
        q_lora_rank=20, kv_lora_rank=24, qk_nope_head_dim=12,
        qk_rope_head_dim=8, v_head_dim=10, routed_scaling_factor=1.5,
        rope_scaling=dict(rope_type="yarn", factor=8.0, beta_fast=32,
                          beta_slow=1, mscale=0.7, mscale_all_dim=1.0,
                          original_max_position_embeddings=64))),
    # Queries as one product, no rescaling of scores.
    "deepseek-v3-direct": ("DeepseekV3Config", "DeepseekV3ForCausalLM", dict(
        num_hidden_layers=2, intermediate_size=56, moe_intermediate_size=24,
        num_key_value_heads=6, n_routed_experts=6, num_experts_per_tok=2,
        n_shared_experts=1, n_group=1, topk_group=1, first_k_dense_replace=0,
        q_lora_rank=None, kv_lora_rank=16, qk_nope_head_dim=8,
        qk_rope_head_dim=4, v_head_dim=8, norm_topk_prob=False,
        rope_interleave=False)),
    # Text under text_config, with a vision tower beside it that is not read.
    # Five layers, counted from the last: full, sliding x 3, full; the window is
    # shorter than the sequence and the cap is near the logits.
    "muse-glimmer": (
        "MuseGlimmerConfig", "MuseGlimmerForConditionalGeneration", dict(
            image_token_id=118, video_token_id=119, out_hidden_size=32,
            projector_hidden_size=16, tie_word_embeddings=False,
            text_config=dict(
                COMMON, num_hidden_layers=5, intermediate_size=56,
                num_key_value_heads=2, head_dim=12, sliding_window=7,
                qk_scale_factor=2.5, output_multiplier=0.7,
                final_logit_softcapping=4.0, rms_norm_eps=1e-4,
                post_norm_eps=1e-6, tie_word_embeddings=False,
                rope_parameters=dict(rope_type="default",
                                     rope_theta=20000.0)),
            vision_config=dict(
                patch_size=2, pos_emb_height=2, pos_emb_width=2,
                num_attention_heads=2, num_hidden_layers=1, hidden_size=8,
                intermediate_size=8, max_position_embeddings=4))),
}


def spread(name, value):
    """Standard deviation of a parameter's values: products keep the size of
    what they work on."""
    if "embed_tokens" in name or "sinks" in name:
        return 1.0
    if "bias" in name:
        return 0.1
    stacked = "experts.gate_up_proj" in name or "experts.down_proj" in name
    return value.shape[1 if stacked else -1] ** -0.5


def make(directory, kind, settings, seed):
    torch.manual_seed(seed)
    config_class, model_class = (getattr(transformers, name) for name in kind)
    nested = "text_config" in settings
    config = config_class(**(settings if nested else {**COMMON, **settings}))
    config._attn_implementation = "eager"
    model = model_class(config)
    sizes = config.text_config if nested else config
    with torch.no_grad():
        tensors = list(model.named_parameters())
        tensors += [(name, value) for name, value in model.named_buffers()
                    if "e_score_correction_bias" in name]
        for name, value in tensors:
            if "norm" in name and name.endswith("weight"):
                # Norms that are stored less 1 were made with zeros.
                value.copy_(value.mean().round() +
                            0.3 * torch.randn_like(value))
            elif "vision" in name:
                value.normal_(std=0.1)
            else:
                value.normal_(std=spread(name, value))
            value.copy_(value.to(torch.bfloat16).to(torch.float32))
    model.eval()
    ids = torch.randint(0, sizes.vocab_size - 2 * nested, (1, TOKENS))
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits[0]
        generated = ids[:, :PROMPT]
        for _ in range(DECODED):
            best = model(generated, use_cache=False).logits[:, -1].argmax(-1)
            generated = torch.cat([generated, best[:, None]], dim=1)
    directory.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    (directory / "model.safetensors").chmod(0o644)
    rows = [[float(f"{x:.7g}") for x in row] for row in logits.tolist()]
    (directory / "logits.json").write_text(
        "{" + f'"ids": {json.dumps(ids[0].tolist())},\n'
        f'"generated": {json.dumps(generated[0].tolist())},\n'
        f'"logits": {json.dumps(rows)}' + "}\n")
    size = sum(f.stat().st_size for f in directory.iterdir())
    print(directory, size, "bytes, largest logit", float(logits.abs().max()))


def main():
    found = transformers.__version__, torch.__version__.split("+")[0]
    fitting = [name for name in MODELS
               if found == (LATER.get(name, TRANSFORMERS), TORCH)]
    wanted = sys.argv[2:] or fitting
    if not wanted or not set(wanted) <= set(fitting):
        sys.exit(f"expected transformers {TRANSFORMERS}, or for "
                 f"{', '.join(LATER)} {', '.join(LATER.values())}, and torch "
                 f"{TORCH}, found {found[0]} and {found[1]}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for seed, (name, (*kind, settings)) in enumerate(MODELS.items(), 2):
        if name in wanted:
            make(pathlib.Path(sys.argv[1]) / f"transformers-{name}", kind,
                 settings, seed)


if __name__ == "__main__":
    main()
