//===- GgufCheckpointTest.cpp - Names, order, configuration -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufCheckpoint.h"
#include "tests/support/GgufWriter.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <cmath>
#include <numeric>

namespace chipwright::models {
namespace {

using chipwright::testing::GgufWriter;

/// A tensor [..] of F32 numbers start, start + 1, ...
std::string ramp(const std::vector<uint64_t> &shape, float start = 0) {
  uint64_t count = std::accumulate(shape.begin(), shape.end(), uint64_t(1),
                                   std::multiplies<>());
  std::string bytes;
  for (uint64_t i = 0; i < count; ++i) {
    bytes += GgufWriter::bytesOf(start + static_cast<float>(i));
  }
  return bytes;
}

/// Writes a file and opens it in Hugging Face form.
class Opened {
public:
  explicit Opened(const GgufWriter &writer) {
    std::string path = scratch / "m.gguf";
    writeAll(path, writer.contents());
    auto opened = GgufFile::open(path);
    EXPECT_TRUE(opened) << opened.error().message;
    file = opened.take();
    auto renamed = ggufTensors(file);
    if (!renamed) {
      fault = renamed.error().message;
    } else {
      store = renamed.take();
    }
    auto text = ggufConfigText(*file);
    if (!text) {
      configFault = text.error().message;
    } else {
      config = nlohmann::json::parse(*text);
    }
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto &[name, tensor] : store->tensors()) {
      EXPECT_EQ(tensor.name, name);
      result.push_back(name);
    }
    return result;
  }

  /// All elements of a tensor, which must be there with that shape.
  std::vector<float> values(const std::string &name,
                            const std::vector<int64_t> &shape) const {
    const StoredTensor *tensor = store->find(name);
    if (!tensor) {
      ADD_FAILURE() << "no tensor " << name;
      return {};
    }
    EXPECT_EQ(tensor->shape, shape) << name;
    int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t(1),
                                    std::multiplies<>());
    std::vector<float> result(static_cast<size_t>(count));
    readElements(*tensor, 0, 1, count, result.data(), 1);
    // One by one, the elements are the same.
    for (int64_t i = 0; i < count; ++i) {
      float one = 0;
      readElements(*tensor, i, 1, 1, &one, 1);
      EXPECT_EQ(one, result[static_cast<size_t>(i)]) << name << " " << i;
    }
    return result;
  }

  ScratchDirectory scratch;
  std::shared_ptr<const GgufFile> file;
  std::shared_ptr<const TensorStore> store;
  nlohmann::json config;
  std::string fault, configFault;
};

constexpr uint64_t H = 8, V = 5, I = 6;

GgufWriter withKeys(const std::string &name,
                    const std::vector<std::pair<std::string, uint32_t>> &keys) {
  GgufWriter writer;
  writer.text("general.architecture", name);
  for (const auto &[key, value] : keys) {
    writer.u32(name + "." + key, value);
  }
  writer.f32(name + ".attention.layer_norm_rms_epsilon", 1e-5f);
  writer.tensor("token_embd.weight", {V, H}, 0, ramp({V, H}));
  writer.tensor("output_norm.weight", {H}, 0, ramp({H}));
  return writer;
}

GgufWriter llama(uint32_t experts = 0) {
  std::vector<std::pair<std::string, uint32_t>> keys = {
      {"block_count", 1},          {"context_length", 64},
      {"embedding_length", H},     {"feed_forward_length", I},
      {"attention.head_count", 2}, {"attention.head_count_kv", 1},
      {"rope.dimension_count", 4}, {"vocab_size", V}};
  if (experts) {
    keys.emplace_back("expert_count", experts);
    keys.emplace_back("expert_used_count", 2);
  }
  GgufWriter writer = withKeys("llama", keys);
  writer.f32("llama.rope.freq_base", 100000)
      .tensor("blk.0.attn_norm.weight", {H}, 0, ramp({H}))
      .tensor("blk.0.attn_q.weight", {H, H}, 0, ramp({H, H}))
      .tensor("blk.0.attn_k.weight", {4, H}, 0, ramp({4, H}))
      .tensor("blk.0.attn_v.weight", {4, H}, 0, ramp({4, H}))
      .tensor("blk.0.attn_output.weight", {H, H}, 0, ramp({H, H}))
      .tensor("blk.0.ffn_norm.weight", {H}, 0, ramp({H}));
  return writer;
}

GgufWriter denseLlama() {
  return llama()
      .tensor("blk.0.ffn_gate.weight", {I, H}, 0, ramp({I, H}))
      .tensor("blk.0.ffn_up.weight", {I, H}, 0, ramp({I, H}, 100))
      .tensor("blk.0.ffn_down.weight", {H, I}, 0, ramp({H, I}, 200));
}

TEST(GgufCheckpointTest, LlamaConfig) {
  Opened model(denseLlama()
                   .u32("tokenizer.ggml.eos_token_id", 2)
                   .u32("tokenizer.ggml.eot_token_id", 4));
  EXPECT_EQ(model.configFault, "");
  nlohmann::json expected = {{"model_type", "llama"},
                             {"hidden_size", 8},
                             {"num_attention_heads", 2},
                             {"num_key_value_heads", 1},
                             {"max_position_embeddings", 64},
                             {"rms_norm_eps", 1e-5},
                             {"intermediate_size", 6},
                             {"num_hidden_layers", 1},
                             {"vocab_size", 5},
                             {"tie_word_embeddings", true},
                             {"eos_token_id", {2, 4}},
                             {"rope_theta", 100000.0},
                             {"attention_bias", false},
                             {"mlp_bias", false}};
  EXPECT_EQ(model.config, expected);
  Opened untied(
      denseLlama().tensor("output.weight", {V, H}, 0, ramp({V, H}, 7)));
  EXPECT_EQ(untied.config["tie_word_embeddings"], false);
  EXPECT_EQ(untied.values("lm_head.weight", {V, H})[0], 7);
}

TEST(GgufCheckpointTest, LlamaNamesAndOrderOfHeads) {
  Opened model(denseLlama());
  ASSERT_EQ(model.fault, "");
  EXPECT_EQ(
      model.names(),
      (std::vector<std::string>{
          "model.embed_tokens.weight", "model.layers.0.input_layernorm.weight",
          "model.layers.0.mlp.down_proj.weight",
          "model.layers.0.mlp.gate_proj.weight",
          "model.layers.0.mlp.up_proj.weight",
          "model.layers.0.post_attention_layernorm.weight",
          "model.layers.0.self_attn.k_proj.weight",
          "model.layers.0.self_attn.o_proj.weight",
          "model.layers.0.self_attn.q_proj.weight",
          "model.layers.0.self_attn.v_proj.weight", "model.norm.weight"}));
  // Heads of 4 rows: stored 0 1 2 3, in halves 0 2 1 3.
  std::vector<float> rows;
  for (int head : {0, 1}) {
    for (int row : {0, 2, 1, 3}) {
      for (int column = 0; column < 8; ++column) {
        rows.push_back(static_cast<float>((head * 4 + row) * 8 + column));
      }
    }
  }
  EXPECT_EQ(model.values("model.layers.0.self_attn.q_proj.weight", {8, 8}),
            rows);
  rows.resize(32);
  EXPECT_EQ(model.values("model.layers.0.self_attn.k_proj.weight", {4, 8}),
            rows);
  std::iota(rows.begin(), rows.end(), 0.0f);
  EXPECT_EQ(model.values("model.layers.0.self_attn.v_proj.weight", {4, 8}),
            rows);
  EXPECT_EQ(model.values("model.layers.0.mlp.up_proj.weight", {6, 8})[0], 100);
}

TEST(GgufCheckpointTest, MixtralExperts) {
  GgufWriter writer = llama(3);
  writer.tensor("blk.0.ffn_gate_inp.weight", {3, H}, 0, ramp({3, H}))
      .tensor("blk.0.ffn_gate_exps.weight", {3, I, H}, 0, ramp({3, I, H}))
      .tensor("blk.0.ffn_up_exps.weight", {3, I, H}, 0, ramp({3, I, H}, 1000))
      .tensor("blk.0.ffn_down_exps.weight", {3, H, I}, 0,
              ramp({3, H, I}, 2000));
  Opened model(writer);
  ASSERT_EQ(model.fault, "");
  EXPECT_EQ(model.config["model_type"], "mixtral");
  EXPECT_EQ(model.config["num_local_experts"], 3);
  EXPECT_EQ(model.config["num_experts_per_tok"], 2);
  std::string module = "model.layers.0.block_sparse_moe.";
  EXPECT_EQ(model.values(module + "gate.weight", {3, 8}).size(), 24u);
  for (int e = 0; e < 3; ++e) {
    std::string expert = module + "experts." + std::to_string(e);
    EXPECT_EQ(model.values(expert + ".w1.weight", {6, 8})[1], e * 48 + 1);
    EXPECT_EQ(model.values(expert + ".w3.weight", {6, 8})[1], e * 48 + 1001);
    EXPECT_EQ(model.values(expert + ".w2.weight", {8, 6})[1], e * 48 + 2001);
  }
  // Files from before the stacked form.
  Opened old(
      llama(3).tensor("blk.0.ffn_up.2.weight", {I, H}, 0, ramp({I, H}, 3)));
  EXPECT_EQ(old.values(module + "experts.2.w3.weight", {6, 8})[0], 3);
  Opened wrong(llama(2).tensor("blk.0.ffn_gate_exps.weight", {3, I, H}, 0,
                               ramp({3, I, H})));
  EXPECT_NE(wrong.fault.find("the weights of 2 experts [experts, out, in], "
                             "found F32 [3, 6, 8]"),
            std::string::npos)
      << wrong.fault;
}

TEST(GgufCheckpointTest, Qwen3Moe) {
  Opened model(
      withKeys("qwen3moe", {{"block_count", 1},
                            {"embedding_length", H},
                            {"feed_forward_length", I},
                            {"attention.head_count", 2},
                            {"attention.head_count_kv", 1},
                            {"attention.key_length", 6},
                            {"attention.value_length", 6},
                            {"expert_count", 2},
                            {"expert_used_count", 1},
                            {"expert_feed_forward_length", 3}})
          .tensor("blk.0.attn_q.weight", {12, H}, 0, ramp({12, H}))
          .tensor("blk.0.attn_q_norm.weight", {6}, 0, ramp({6}))
          .tensor("blk.0.ffn_gate_inp.weight", {2, H}, 0, ramp({2, H}))
          .tensor("blk.0.ffn_down_exps.weight", {2, H, 3}, 0, ramp({2, H, 3})));
  ASSERT_EQ(model.configFault, "");
  EXPECT_EQ(model.config["model_type"], "qwen3_moe");
  EXPECT_EQ(model.config["head_dim"], 6);
  EXPECT_EQ(model.config["num_experts"], 2);
  EXPECT_EQ(model.config["moe_intermediate_size"], 3);
  EXPECT_EQ(model.config["norm_topk_prob"], true);
  EXPECT_EQ(model.config["rope_theta"], 10000);
  std::string layer = "model.layers.0.";
  // Rows keep their order here.
  EXPECT_EQ(model.values(layer + "self_attn.q_proj.weight", {12, 8})[8], 8);
  EXPECT_EQ(model.values(layer + "self_attn.q_norm.weight", {6})[5], 5);
  EXPECT_EQ(model.values(layer + "mlp.gate.weight", {2, 8})[15], 15);
  EXPECT_EQ(model.values(layer + "mlp.experts.1.down_proj.weight", {8, 3})[0],
            24);
}

TEST(GgufCheckpointTest, Llama4) {
  GgufWriter writer = withKeys("llama4", {{"block_count", 2},
                                          {"embedding_length", H},
                                          {"feed_forward_length", 12},
                                          {"attention.head_count", 2},
                                          {"attention.head_count_kv", 1},
                                          {"attention.key_length", 4},
                                          {"expert_count", 2},
                                          {"expert_used_count", 1},
                                          {"expert_feed_forward_length", 3},
                                          {"interleave_moe_layer_step", 2}});
  writer.f32("llama4.rope.freq_base", 5e6f)
      .tensor("rope_freqs.weight", {2}, 0,
              GgufWriter::bytesOf(1.0f) + GgufWriter::bytesOf(16.0f))
      .tensor("blk.0.attn_q.weight", {8, H}, 0, ramp({8, H}))
      .tensor("blk.0.ffn_up.weight", {12, H}, 0, ramp({12, H}))
      .tensor("blk.1.ffn_gate_inp.weight", {2, H}, 0, ramp({2, H}))
      .tensor("blk.1.ffn_up_exps.weight", {2, 3, H}, 0, ramp({2, 3, H}))
      .tensor("blk.1.ffn_up_shexp.weight", {3, H}, 0, ramp({3, H}, 5));
  Opened model(writer);
  ASSERT_EQ(model.configFault, "");
  EXPECT_EQ(model.config["model_type"], "llama4_text");
  EXPECT_EQ(model.config["intermediate_size_mlp"], 12);
  EXPECT_EQ(model.config["intermediate_size"], 3);
  EXPECT_EQ(model.config["use_qk_norm"], true);
  EXPECT_EQ(model.values("model.layers.0.self_attn.q_proj.weight", {8, 8})[8],
            8);
  EXPECT_EQ(
      model.values("model.layers.0.feed_forward.up_proj.weight", {12, 8})[1],
      1);
  EXPECT_EQ(
      model.values("model.layers.1.feed_forward.router.weight", {2, 8})[1], 1);
  EXPECT_EQ(model.values("model.layers.1.feed_forward.experts.1.up_proj.weight",
                         {3, 8})[0],
            24);
  EXPECT_EQ(model.values("model.layers.1.feed_forward.shared_expert.up_proj."
                         "weight",
                         {3, 8})[0],
            5);
  // What is read of the text is a configuration.
  auto config = parseModelConfig(model.config.dump(), "m.gguf");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->layers.size(), 2u);
  EXPECT_EQ(config->rope.scaling.factor, 16);
}

TEST(GgufCheckpointTest, DivisorsOfLlama3Scaling) {
  constexpr int size = 64;
  for (double high : {4.0, 1.0}) {
    std::string bytes;
    for (int i = 0; i < size / 2; ++i) {
      double length = 2 * M_PI * std::pow(500000.0, 2.0 * i / size);
      double smooth = high > 1 ? (8192 / length - 1) / (high - 1) : 0;
      double divisor = length < 8192 / high ? 1
                       : length > 8192      ? 32
                                            : 1 / ((1 - smooth) / 32 + smooth);
      bytes += GgufWriter::bytesOf(static_cast<float>(divisor));
    }
    auto model = [&](const std::string &divisors) {
      GgufWriter writer = withKeys("llama", {{"block_count", 1},
                                             {"embedding_length", H},
                                             {"feed_forward_length", I},
                                             {"attention.head_count", 2},
                                             {"attention.key_length", size}});
      writer.f32("llama.rope.freq_base", 500000)
          .tensor("rope_freqs.weight", {size / 2}, 0, divisors);
      return writer;
    };
    Opened good(model(bytes));
    EXPECT_EQ(good.configFault, "");
    EXPECT_EQ(good.config["rope_scaling"],
              (nlohmann::json{{"rope_type", "llama3"},
                              {"factor", 32.0},
                              {"low_freq_factor", 1.0},
                              {"high_freq_factor", high},
                              {"original_max_position_embeddings", 8192.0}}));
    EXPECT_EQ(good.store->find("rope_freqs.weight"), nullptr);
    std::string other = bytes;
    other.replace(40, 4, GgufWriter::bytesOf(1.5f));
    Opened bad(model(other));
    EXPECT_NE(bad.configFault.find("rope_freqs.weight"), std::string::npos);
  }
}

TEST(GgufCheckpointTest, DeepseekLatentAttention) {
  GgufWriter writer = withKeys("deepseek2", {{"block_count", 2},
                                             {"nextn_predict_layers", 1},
                                             {"embedding_length", H},
                                             {"feed_forward_length", I},
                                             {"attention.head_count", 2},
                                             {"attention.head_count_kv", 1},
                                             {"attention.q_lora_rank", 3},
                                             {"attention.kv_lora_rank", 4},
                                             {"attention.key_length", 6},
                                             {"attention.value_length", 4},
                                             {"attention.key_length_mla", 5},
                                             {"attention.value_length_mla", 2},
                                             {"rope.dimension_count", 2},
                                             {"expert_count", 4},
                                             {"expert_used_count", 2},
                                             {"expert_shared_count", 1},
                                             {"expert_group_count", 2},
                                             {"expert_group_used_count", 1},
                                             {"expert_gating_func", 2},
                                             {"expert_feed_forward_length", 3},
                                             {"leading_dense_block_count", 1}});
  writer.f32("deepseek2.expert_weights_scale", 2.5f)
      .boolean("deepseek2.expert_weights_norm", true)
      .text("deepseek2.rope.scaling.type", "yarn")
      .f32("deepseek2.rope.scaling.factor", 40)
      .u32("deepseek2.rope.scaling.original_context_length", 4096)
      .f32("deepseek2.rope.scaling.yarn_log_multiplier", 0.1f)
      .tensor("blk.0.attn_k_b.weight", {2, 4, 3}, 0, ramp({2, 4, 3}))
      .tensor("blk.0.attn_v_b.weight", {2, 2, 4}, 0, ramp({2, 2, 4}, 100))
      .tensor("blk.0.exp_probs_b.bias", {4}, 0, ramp({4}))
      .tensor("blk.1.attn_norm.weight", {H}, 0, ramp({H}));
  Opened model(writer);
  ASSERT_EQ(model.configFault, "");
  EXPECT_EQ(model.config["model_type"], "deepseek_v3");
  EXPECT_EQ(model.config["num_hidden_layers"], 1);
  EXPECT_EQ(model.config["num_key_value_heads"], 2);
  EXPECT_EQ(model.config["qk_nope_head_dim"], 3);
  EXPECT_EQ(model.config["qk_rope_head_dim"], 2);
  EXPECT_EQ(model.config["v_head_dim"], 2);
  EXPECT_EQ(model.config["n_group"], 2);
  EXPECT_EQ(model.config["routed_scaling_factor"], 2.5);
  EXPECT_EQ(model.config["rope_scaling"]["mscale_all_dim"], 1.0);
  EXPECT_EQ(model.config["rope_scaling"]["original_max_position_embeddings"],
            4096);
  // Per head three rows of keys (columns of k_b), then two of values.
  std::vector<float> expected;
  for (int head = 0; head < 2; ++head) {
    for (int i = 0; i < 3; ++i) {
      for (int rank = 0; rank < 4; ++rank) {
        expected.push_back(static_cast<float>((head * 4 + rank) * 3 + i));
      }
    }
    for (int i = 0; i < 8; ++i) {
      expected.push_back(static_cast<float>(100 + head * 8 + i));
    }
  }
  EXPECT_EQ(model.values("model.layers.0.self_attn.kv_b_proj.weight", {10, 4}),
            expected);
  EXPECT_EQ(
      model.values("model.layers.0.mlp.gate.e_score_correction_bias", {4})[3],
      3);
  EXPECT_EQ(model.store->find("model.layers.1.input_layernorm.weight"),
            nullptr);
  Opened softmax(withKeys("deepseek2", {{"block_count", 1},
                                        {"embedding_length", H},
                                        {"attention.head_count", 2},
                                        {"attention.key_length", 4},
                                        {"rope.dimension_count", 2},
                                        {"expert_gating_func", 1}}));
  EXPECT_NE(softmax.configFault, "");
}

TEST(GgufCheckpointTest, GptOssExpertsAreStackedInPairs) {
  GgufWriter writer = withKeys("gpt-oss", {{"block_count", 1},
                                           {"embedding_length", H},
                                           {"attention.head_count", 2},
                                           {"attention.head_count_kv", 1},
                                           {"attention.key_length", 4},
                                           {"attention.value_length", 4},
                                           {"attention.sliding_window", 128},
                                           {"expert_count", 2},
                                           {"expert_used_count", 1},
                                           {"expert_feed_forward_length", 3}});
  writer.text("gpt-oss.rope.scaling.type", "yarn")
      .f32("gpt-oss.rope.scaling.factor", 32)
      .u32("gpt-oss.rope.scaling.original_context_length", 4096)
      .tensor("blk.0.attn_sinks.weight", {2}, 0, ramp({2}))
      .tensor("blk.0.post_attention_norm.weight", {H}, 0, ramp({H}))
      .tensor("blk.0.ffn_gate_inp.bias", {2}, 0, ramp({2}))
      .tensor("blk.0.ffn_gate_exps.weight", {2, 3, H}, 0, ramp({2, 3, H}))
      .tensor("blk.0.ffn_up_exps.weight", {2, 3, H}, 0, ramp({2, 3, H}, 100))
      .tensor("blk.0.ffn_down_exps.weight", {2, H, 3}, 0, ramp({2, H, 3}))
      .tensor("blk.0.ffn_gate_exps.bias", {2, 3}, 0, ramp({2, 3}))
      .tensor("blk.0.ffn_up_exps.bias", {2, 3}, 0, ramp({2, 3}, 100))
      .tensor("blk.0.ffn_down_exps.bias", {2, H}, 0, ramp({2, H}));
  Opened model(writer);
  ASSERT_EQ(model.fault, "");
  EXPECT_EQ(model.configFault, "");
  EXPECT_EQ(model.config["model_type"], "gpt_oss");
  EXPECT_EQ(model.config["rope_scaling"]["truncate"], false);
  EXPECT_EQ(model.config["sliding_window"], 128);
  std::string module = "model.layers.0.mlp.";
  std::vector<float> gateUp, down, bias;
  for (int e = 0; e < 2; ++e) {
    for (int h = 0; h < 8; ++h) {
      for (int i = 0; i < 3; ++i) {
        gateUp.push_back(static_cast<float>((e * 3 + i) * 8 + h));
        gateUp.push_back(static_cast<float>((e * 3 + i) * 8 + h + 100));
      }
    }
    for (int i = 0; i < 3; ++i) {
      bias.push_back(static_cast<float>(e * 3 + i));
      bias.push_back(static_cast<float>(e * 3 + i + 100));
      for (int h = 0; h < 8; ++h) {
        down.push_back(static_cast<float>((e * 8 + h) * 3 + i));
      }
    }
  }
  EXPECT_EQ(model.values(module + "experts.gate_up_proj", {2, 8, 6}), gateUp);
  EXPECT_EQ(model.values(module + "experts.down_proj", {2, 3, 8}), down);
  EXPECT_EQ(model.values(module + "experts.gate_up_proj_bias", {2, 6}), bias);
  EXPECT_EQ(model.values(module + "experts.down_proj_bias", {2, 8})[9], 9);
  EXPECT_EQ(model.values(module + "router.bias", {2})[1], 1);
  EXPECT_EQ(model.values("model.layers.0.self_attn.sinks", {2})[1], 1);
  EXPECT_EQ(
      model.values("model.layers.0.post_attention_layernorm.weight", {8})[7],
      7);
}

TEST(GgufCheckpointTest, Refuses) {
  auto configFault = [](const GgufWriter &writer) {
    Opened model(writer);
    return model.configFault;
  };
  EXPECT_NE(
      configFault(withKeys("falcon", {}))
          .find(
              "'general.architecture': expected one of llama, qwen3, qwen3moe, "
              "llama4, deepseek2, gpt-oss, found 'falcon'"),
      std::string::npos);
  EXPECT_NE(configFault(GgufWriter().u32("x", 1)).find("general.architecture"),
            std::string::npos);
  EXPECT_NE(configFault(withKeys("llama", {{"block_count", 1}}))
                .find("'llama.embedding_length': expected an integer"),
            std::string::npos);
  EXPECT_NE(configFault(llama().text("llama.rope.scaling.type", "longrope"))
                .find("'longrope'"),
            std::string::npos);
  EXPECT_NE(configFault(llama().u32("llama.attention.value_length", 2))
                .find("'llama.attention.value_length': expected the "
                      "attention.key_length of 4, found 2"),
            std::string::npos);
  EXPECT_NE(configFault(withKeys("llama", {{"block_count", 1},
                                           {"embedding_length", H},
                                           {"feed_forward_length", I},
                                           {"attention.head_count", 2},
                                           {"rope.dimension_count", 2}}))
                .find("the whole head of 4, found 2"),
            std::string::npos);
  GgufWriter noEmbedding;
  noEmbedding.text("general.architecture", "llama")
      .u32("llama.block_count", 1)
      .u32("llama.embedding_length", H)
      .u32("llama.feed_forward_length", I)
      .u32("llama.attention.head_count", 2)
      .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  EXPECT_NE(configFault(noEmbedding).find("'token_embd.weight'"),
            std::string::npos);
  // Arrays with one value per layer, equal and not.
  auto perLayer = [](std::vector<int32_t> widths) {
    GgufWriter writer = withKeys("llama", {{"block_count", 2},
                                           {"embedding_length", H},
                                           {"attention.head_count", 2}});
    return writer.numbers<int32_t>("llama.feed_forward_length", 5, widths);
  };
  Opened equal(perLayer({6, 6}));
  EXPECT_EQ(equal.config["intermediate_size"], 6);
  EXPECT_NE(configFault(perLayer({6, 8})).find("one number for all layers"),
            std::string::npos);
  Opened heads(llama().tensor("blk.0.attn_q.bias", {6}, 0, ramp({6})));
  EXPECT_NE(heads.fault.find("tensor 'blk.0.attn_q.bias': expected an even "
                             "number of rows for each of 2 heads"),
            std::string::npos)
      << heads.fault;
  Opened twice(
      llama(2)
          .tensor("blk.0.ffn_up_exps.weight", {2, I, H}, 0, ramp({2, I, H}))
          .tensor("blk.0.ffn_up.1.weight", {I, H}, 0, ramp({I, H})));
  EXPECT_NE(twice.fault.find("expected one tensor that is 'model.layers.0."
                             "block_sparse_moe.experts.1.w3.weight', found "
                             "another before it"),
            std::string::npos)
      << twice.fault;
  // Unknown names stay, so that binding names them.
  Opened unknown(denseLlama().tensor("blk.0.strange.weight", {1}, 0, "abcd"));
  EXPECT_NE(unknown.store->find("blk.0.strange.weight"), nullptr);
}

} // namespace
} // namespace chipwright::models
