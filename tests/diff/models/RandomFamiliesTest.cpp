//===- RandomFamiliesTest.cpp - Models of every family, of any size -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Draws configurations of the families in turn, never rejects one, and runs a
// ragged batch of prompts and two decode steps. CHIPWRIGHT_SEED repeats a run;
// CHIPWRIGHT_LONG=1 draws more.
//
//===----------------------------------------------------------------------===//

#include "tests/diff/models/ChipModel.h"
#include "tests/diff/models/RandomModel.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace chipwright;
using namespace chipwright::test;

namespace {

using nlohmann::json;

/// Sizes that all families have.
json common(Draw &draw, const char *type) {
  const int64_t kvHeads = draw.between(1, 3), groups = draw.between(1, 4);
  return {{"model_type", type},
          {"vocab_size", draw.around(20, 300)},
          {"hidden_size", 4 * draw.around(8, 80)},
          {"intermediate_size", draw.around(16, 200)},
          {"num_hidden_layers", draw.between(1, 3)},
          {"num_attention_heads", kvHeads * groups},
          {"num_key_value_heads", kvHeads},
          {"head_dim", 2 * draw.between(4, 40)},
          {"tie_word_embeddings", draw.chance(0.3)},
          {"rms_norm_eps", 1e-5}};
}

json rope(Draw &draw) {
  switch (draw.between(0, 2)) {
  case 0:
    return nullptr;
  case 1:
    return {{"rope_type", "llama3"},
            {"factor", 8.0},
            {"low_freq_factor", 1.0},
            {"high_freq_factor", 4.0},
            {"original_max_position_embeddings", 32}};
  default:
    return {{"rope_type", "yarn"},
            {"factor", 4.0},
            {"truncate", draw.chance(0.5)},
            {"original_max_position_embeddings", 32}};
  }
}

void drawExperts(Draw &draw, const char *key, json &config) {
  const int64_t experts = draw.around(2, 20);
  config[key] = experts;
  config["num_experts_per_tok"] =
      draw.between(1, std::min<int64_t>(experts, 4));
}

json drawLlama(Draw &draw) {
  json config = common(draw, "llama");
  config["attention_bias"] = draw.chance(0.5);
  config["mlp_bias"] = draw.chance(0.5);
  config["rope_scaling"] = rope(draw);
  return config;
}

json drawMixtral(Draw &draw) {
  json config = common(draw, "mixtral");
  drawExperts(draw, "num_local_experts", config);
  if (draw.chance(0.5)) {
    config["sliding_window"] = draw.between(1, 12);
  }
  return config;
}

json drawQwen3Moe(Draw &draw) {
  json config = common(draw, "qwen3_moe");
  drawExperts(draw, "num_experts", config);
  config["moe_intermediate_size"] = draw.around(8, 120);
  config["norm_topk_prob"] = draw.chance(0.5);
  config["decoder_sparse_step"] = draw.between(1, 2);
  config["attention_bias"] = draw.chance(0.3);
  return config;
}

json drawQwen3(Draw &draw) { return common(draw, "qwen3"); }

json drawGptOss(Draw &draw) {
  json config = common(draw, "gpt_oss");
  drawExperts(draw, "num_local_experts", config);
  config["sliding_window"] = draw.between(1, 12);
  config["rope_scaling"] = rope(draw);
  config["swiglu_limit"] = draw.chance(0.5) ? 7.0 : 0.5;
  return config;
}

json drawMuse(Draw &draw) {
  json text = common(draw, "muse_glimmer");
  text.erase("model_type");
  text["sliding_window"] = draw.between(1, 12);
  text["output_multiplier"] = 1.5;
  return {{"model_type", "muse_glimmer"}, {"text_config", text}};
}

json drawDeepSeek(Draw &draw) {
  json config = common(draw, "deepseek_v3");
  config.erase("head_dim");
  const int64_t groups = draw.between(1, 4), kept = draw.between(1, groups),
                size = draw.between(2, 6);
  config["n_group"] = groups;
  config["topk_group"] = kept;
  config["n_routed_experts"] = groups * size;
  config["num_experts_per_tok"] =
      draw.between(1, std::min<int64_t>(kept * size, 4));
  config["moe_intermediate_size"] = draw.around(8, 80);
  config["n_shared_experts"] = draw.between(0, 2);
  config["norm_topk_prob"] = draw.chance(0.7);
  config["first_k_dense_replace"] = draw.between(0, 1);
  config["q_lora_rank"] = draw.chance(0.7) ? json(draw.around(8, 60)) : json();
  config["kv_lora_rank"] = 8 * draw.around(1, 40); // beyond 128: in parts
  config["qk_nope_head_dim"] = draw.around(4, 50);
  config["qk_rope_head_dim"] = 2 * draw.between(2, 20);
  config["v_head_dim"] = draw.around(4, 50);
  config["rope_scaling"] = rope(draw);
  config["rope_interleave"] = draw.chance(0.5);
  return config;
}

constexpr json (*families[])(Draw &) = {drawLlama,   drawMixtral, drawQwen3Moe,
                                        drawQwen3,   drawGptOss,  drawMuse,
                                        drawDeepSeek};

TEST(RandomFamilies, AgreeWithTheReference) {
  const uint64_t seed = seedOfRun();
  const int count = std::getenv("CHIPWRIGHT_LONG") ? 140 : 14;
  printf("CHIPWRIGHT_SEED=%lu, %d models\n", (unsigned long)seed, count);
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    Draw draw(own);
    const json config = families[static_cast<size_t>(i) % 7](draw);
    const DType type = draw.chance(0.5) ? DType::BF16 : DType::F16;
    const std::string what = "CHIPWRIGHT_SEED=" + std::to_string(seed) +
                             ", model " + std::to_string(i) + ": " +
                             config.dump();
    try {
      models::WeightRule rule;
      rule.seed = own;
      ChipModel model = ChipModel::make(config, rule, "mtia-2i", {}, type);
      CheckedRun run(model);
      std::vector<models::SequencePiece> pieces;
      const int64_t sequences = draw.between(1, 3);
      for (int32_t s = 0; s < sequences; ++s) {
        pieces.push_back(prompt(s, draw.around(1, 45 / sequences),
                                model.graph.vocabulary, own + uint64_t(s)));
      }
      run.step(pieces);
      for (uint64_t decode = 0; decode < 2; ++decode) {
        for (int32_t s = 0; s < sequences; ++s) {
          pieces[size_t(s)] =
              prompt(s, 1, model.graph.vocabulary, own + decode);
        }
        run.step(pieces);
      }
      expectAgreement(run, type == DType::F16 ? 3e-3 : 2e-2, what);
    } catch (const std::exception &error) {
      ADD_FAILURE() << error.what() << "\n" << what;
    }
  }
}

} // namespace

json test::drawExpertModel(Draw &draw, int number) {
  switch (number % 5) {
  case 0:
    return drawMixtral(draw);
  case 1: {
    json config = drawQwen3Moe(draw);
    config["decoder_sparse_step"] = 1;
    return config;
  }
  case 2:
    return drawGptOss(draw);
  case 3: {
    json config = drawDeepSeek(draw);
    config["first_k_dense_replace"] = 0;
    return config;
  }
  default:
    return drawModel(draw, 1).config;
  }
}
