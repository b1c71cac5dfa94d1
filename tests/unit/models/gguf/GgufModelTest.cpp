//===- GgufModelTest.cpp - Every family as a GGUF file ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The golden models of all families, written as GGUF files by the rules of the
// public converter, have the logits that they have in Hugging Face form, in
// every bit: names, order of rows and configuration are the same model.
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "tests/support/GgufWriter.h"
#include "tests/unit/models/ModelTestSupport.h"

#include <cmath>
#include <map>
#include <regex>

namespace chipwright::models {
namespace {

using chipwright::testing::GgufWriter;
using Names = std::map<std::string, std::string>;

struct Values {
  std::vector<int64_t> shape;
  std::vector<float> elements;
};

/// Keys that families share, by those of config.json.
const Names commonKeys = {
    {"num_hidden_layers", "block_count"},
    {"max_position_embeddings", "context_length"},
    {"hidden_size", "embedding_length"},
    {"num_attention_heads", "attention.head_count"},
    {"num_key_value_heads", "attention.head_count_kv"},
    {"head_dim", "attention.key_length"},
    {"num_experts_per_tok", "expert_used_count"},
};

const Names commonModules = {
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.gate", "ffn_gate_inp"},
};

struct Family {
  const char *preset;
  const char *architecture;
  Names keys;    // beside the common ones
  Names modules; // the same
  void (*more)(GgufWriter &writer, const nlohmann::json &config) = nullptr;
  bool pairedHeads = false;
  const char *modelType = nullptr; // in place of the preset's
};

void addDivisors(GgufWriter &writer, const nlohmann::json &config) {
  const auto &scaling = config["rope_scaling"];
  double theta = config["rope_theta"].get<double>();
  int size = config["head_dim"].get<int>();
  double low = scaling["low_freq_factor"].get<double>();
  double high = scaling["high_freq_factor"].get<double>();
  double factor = scaling["factor"].get<double>();
  std::string bytes;
  for (int i = 0; i < size / 2; ++i) {
    double length = 2 * M_PI * std::pow(theta, 2.0 * i / size);
    double smooth = high > low ? (8192 / length - low) / (high - low) : 0;
    bytes += GgufWriter::bytesOf(static_cast<float>(
        length < 8192 / high  ? 1
        : length > 8192 / low ? factor
                              : 1 / ((1 - smooth) / factor + smooth)));
  }
  writer.tensor("rope_freqs.weight", {static_cast<uint64_t>(size / 2)}, 0,
                bytes);
}

void addYarn(GgufWriter &writer, const std::string &architecture,
             const nlohmann::json &config) {
  const auto &scaling = config["rope_scaling"];
  writer.text(architecture + ".rope.scaling.type", "yarn")
      .f32(architecture + ".rope.scaling.factor",
           scaling["factor"].get<float>())
      .u32(architecture + ".rope.scaling.original_context_length",
           scaling["original_max_position_embeddings"].get<uint32_t>());
}

const Family families[] = {
    {"llama-golden",
     "llama",
     {{"intermediate_size", "feed_forward_length"}},
     {},
     addDivisors,
     true},
    {"mixtral-golden",
     "llama",
     {{"intermediate_size", "feed_forward_length"},
      {"num_local_experts", "expert_count"}},
     {{"block_sparse_moe.gate", "ffn_gate_inp"}},
     nullptr,
     true},
    {"qwen3-moe-golden",
     "qwen3moe",
     {{"intermediate_size", "feed_forward_length"},
      {"moe_intermediate_size", "expert_feed_forward_length"},
      {"num_experts", "expert_count"}},
     {}},
    {"qwen3-moe-golden",
     "qwen3",
     {{"intermediate_size", "feed_forward_length"}},
     {},
     nullptr,
     false,
     "qwen3"},
    {"llama4-golden",
     "llama4",
     {{"intermediate_size_mlp", "feed_forward_length"},
      {"intermediate_size", "expert_feed_forward_length"},
      {"interleave_moe_layer_step", "interleave_moe_layer_step"},
      {"num_local_experts", "expert_count"}},
     {{"feed_forward.gate_proj", "ffn_gate"},
      {"feed_forward.up_proj", "ffn_up"},
      {"feed_forward.down_proj", "ffn_down"},
      {"feed_forward.router", "ffn_gate_inp"},
      {"feed_forward.shared_expert.gate_proj", "ffn_gate_shexp"},
      {"feed_forward.shared_expert.up_proj", "ffn_up_shexp"},
      {"feed_forward.shared_expert.down_proj", "ffn_down_shexp"}},
     addDivisors},
    {"gpt-oss-golden",
     "gpt-oss",
     {{"intermediate_size", "expert_feed_forward_length"},
      {"num_local_experts", "expert_count"},
      {"sliding_window", "attention.sliding_window"}},
     {{"post_attention_layernorm", "post_attention_norm"},
      {"mlp.router", "ffn_gate_inp"}},
     [](GgufWriter &writer, const nlohmann::json &config) {
       addYarn(writer, "gpt-oss", config);
     }},
    {"deepseek-v3-golden",
     "deepseek2",
     {{"intermediate_size", "feed_forward_length"},
      {"moe_intermediate_size", "expert_feed_forward_length"},
      {"n_routed_experts", "expert_count"},
      {"n_shared_experts", "expert_shared_count"},
      {"n_group", "expert_group_count"},
      {"topk_group", "expert_group_used_count"},
      {"first_k_dense_replace", "leading_dense_block_count"},
      {"q_lora_rank", "attention.q_lora_rank"},
      {"kv_lora_rank", "attention.kv_lora_rank"},
      {"qk_rope_head_dim", "rope.dimension_count"}},
     {{"self_attn.q_a_proj", "attn_q_a"},
      {"self_attn.q_a_layernorm", "attn_q_a_norm"},
      {"self_attn.q_b_proj", "attn_q_b"},
      {"self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"},
      {"self_attn.kv_a_layernorm", "attn_kv_a_norm"},
      {"mlp.shared_experts.gate_proj", "ffn_gate_shexp"},
      {"mlp.shared_experts.up_proj", "ffn_up_shexp"},
      {"mlp.shared_experts.down_proj", "ffn_down_shexp"}},
     [](GgufWriter &writer, const nlohmann::json &config) {
       addYarn(writer, "deepseek2", config);
       auto number = [&](const char *key) {
         return config[key].get<uint32_t>();
       };
       writer.f32("deepseek2.rope.scaling.yarn_log_multiplier", 0.1f)
           .u32("deepseek2.attention.key_length_mla",
                number("qk_nope_head_dim") + number("qk_rope_head_dim"))
           .u32("deepseek2.attention.value_length_mla", number("v_head_dim"))
           .u32("deepseek2.expert_gating_func", 2)
           .f32("deepseek2.expert_weights_scale",
                config["routed_scaling_factor"].get<float>())
           .boolean("deepseek2.expert_weights_norm", true);
     }},
};

void PrintTo(const Family &family, std::ostream *out) { *out << family.preset; }

class GgufModel : public ::testing::TestWithParam<Family> {
protected:
  /// The sizes of a config.json without nesting.
  static nlohmann::json flatConfig(const Family &family) {
    nlohmann::json config = presetJson(family.preset);
    if (config.contains("text_config")) {
      config = config["text_config"];
      // What a GGUF file of this architecture always means.
      config["attention_chunk_size"] = 8192;
      config["floor_scale"] = 8192;
    }
    if (family.modelType) {
      config["model_type"] = family.modelType;
    }
    return config;
  }

  static int64_t sizeOf(const nlohmann::json &config, const char *key) {
    return config[key].get<int64_t>();
  }

  /// Adds one stored tensor under its names in the file.
  static void convert(const Family &family, const nlohmann::json &config,
                      const std::string &name, const Values &values,
                      std::map<std::string, Values> &file) {
    static const Names top = {
        {"model.embed_tokens.weight", "token_embd.weight"},
        {"model.norm.weight", "output_norm.weight"},
        {"lm_head.weight", "output.weight"}};
    if (auto place = top.find(name); place != top.end()) {
      file[place->second] = values;
      return;
    }
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(name, parts,
                                 std::regex(R"(model\.layers\.(\d+)\.(.*))")))
        << name;
    std::string block = "blk." + parts[1].str() + ".", rest = parts[2].str();
    if (rest == "self_attn.sinks") {
      file[block + "attn_sinks.weight"] = values;
    } else if (rest == "mlp.gate.e_score_correction_bias") {
      file[block + "exp_probs_b.bias"] = values;
    } else if (rest == "self_attn.kv_b_proj.weight") {
      splitLatent(config, block, values, file);
    } else if (std::regex_match(
                   rest, parts,
                   std::regex(R"(.*\.experts\.(\d+)\.(\w+)\.weight)"))) {
      static const Names matrices = {{"gate_proj", "gate"}, {"up_proj", "up"},
                                     {"down_proj", "down"}, {"w1", "gate"},
                                     {"w3", "up"},          {"w2", "down"}};
      Values &stack =
          file[block + "ffn_" + matrices.at(parts[2].str()) + "_exps.weight"];
      size_t size = values.elements.size();
      size_t expert = std::stoul(parts[1].str());
      stack.elements.resize(
          std::max(stack.elements.size(), size * (expert + 1)));
      std::copy(values.elements.begin(), values.elements.end(),
                stack.elements.begin() + static_cast<long>(size * expert));
      stack.shape = {static_cast<int64_t>(stack.elements.size() / size),
                     values.shape[0], values.shape[1]};
    } else if (rest.starts_with("mlp.experts.")) {
      splitStack(block, rest.substr(12), values, file);
    } else {
      size_t dot = rest.rfind('.');
      std::string module = rest.substr(0, dot), kind = rest.substr(dot);
      auto own = family.modules.find(module);
      std::string stem =
          own != family.modules.end() ? own->second : commonModules.at(module);
      Values &out = file[block + stem + kind];
      out = values;
      if (family.pairedHeads && (stem == "attn_q" || stem == "attn_k")) {
        pairHeads(sizeOf(config, "head_dim"), values, out);
      }
    }
  }

  /// Rows i and i + d/2 of a head become rows 2i and 2i + 1.
  static void pairHeads(int64_t size, const Values &values, Values &out) {
    int64_t columns = values.shape[1];
    for (int64_t row = 0; row < values.shape[0]; ++row) {
      int64_t i = row % size;
      int64_t to = row - i + (i < size / 2 ? 2 * i : 2 * (i - size / 2) + 1);
      std::copy_n(values.elements.begin() + row * columns, columns,
                  out.elements.begin() + to * columns);
    }
  }

  static void splitLatent(const nlohmann::json &config,
                          const std::string &block, const Values &values,
                          std::map<std::string, Values> &file) {
    int64_t heads = sizeOf(config, "num_attention_heads");
    int64_t plain = sizeOf(config, "qk_nope_head_dim");
    int64_t value = sizeOf(config, "v_head_dim");
    int64_t rank = sizeOf(config, "kv_lora_rank");
    Values keys{{heads, rank, plain}, {}}, rows{{heads, value, rank}, {}};
    auto at = [&](int64_t head, int64_t row, int64_t column) {
      return values.elements[static_cast<size_t>(
          (head * (plain + value) + row) * rank + column)];
    };
    for (int64_t head = 0; head < heads; ++head) {
      for (int64_t r = 0; r < rank; ++r) {
        for (int64_t i = 0; i < plain; ++i) {
          keys.elements.push_back(at(head, i, r));
        }
      }
      for (int64_t i = 0; i < value; ++i) {
        for (int64_t r = 0; r < rank; ++r) {
          rows.elements.push_back(at(head, plain + i, r));
        }
      }
    }
    file[block + "attn_k_b.weight"] = keys;
    file[block + "attn_v_b.weight"] = rows;
  }

  /// gpt-oss: [experts, in, out] and, for gate and up, columns in turns.
  static void splitStack(const std::string &block, const std::string &name,
                         const Values &values,
                         std::map<std::string, Values> &file) {
    bool isBias = name.ends_with("_bias");
    std::string kind = isBias ? ".bias" : ".weight";
    int64_t stack = values.shape[0], width = values.shape.back();
    int64_t in = isBias ? 1 : values.shape[1];
    bool pairs = name.starts_with("gate_up_proj");
    for (int64_t part = 0; part < (pairs ? 2 : 1); ++part) {
      Values out;
      int64_t step = pairs ? 2 : 1;
      out.shape = {stack, width / step, in};
      if (isBias) {
        out.shape.pop_back();
      }
      for (int64_t e = 0; e < stack; ++e) {
        for (int64_t o = part; o < width; o += step) {
          for (int64_t i = 0; i < in; ++i) {
            out.elements.push_back(
                values.elements[static_cast<size_t>((e * in + i) * width + o)]);
          }
        }
      }
      file[block +
           (!pairs      ? "ffn_down_exps"
            : part == 0 ? "ffn_gate_exps"
                        : "ffn_up_exps") +
           kind] = out;
    }
  }

  static GgufWriter write(const Family &family, const nlohmann::json &config,
                          const std::map<std::string, Values> &file) {
    GgufWriter writer;
    std::string prefix = std::string(family.architecture) + ".";
    writer.text("general.architecture", family.architecture)
        .f32(prefix + "attention.layer_norm_rms_epsilon",
             config["rms_norm_eps"].get<float>())
        .f32(prefix + "rope.freq_base", config["rope_theta"].get<float>());
    Names keys = commonKeys;
    keys.insert(family.keys.begin(), family.keys.end());
    for (const auto &[key, name] : keys) {
      if (config.contains(key)) {
        writer.u32(prefix + name, config[key].get<uint32_t>());
      }
    }
    for (const auto &[name, values] : file) {
      std::string bytes;
      for (float value : values.elements) {
        bytes += GgufWriter::bytesOf(value);
      }
      writer.tensor(name, {values.shape.begin(), values.shape.end()}, 0, bytes);
    }
    if (family.more) {
      family.more(writer, config);
    }
    return writer;
  }
};

TEST_P(GgufModel, HasTheLogitsOfTheHuggingFaceForm) {
  const Family &family = GetParam();
  nlohmann::json config = flatConfig(family);
  TestModel plain = TestModel::make(config);
  std::vector<int32_t> ids = rampIds(20, plain.config.vocabulary);
  auto stored = makeTensors(
      plain.graph, publishedForm(plain.config, ExpertLayout::PerExpert), {});
  std::map<std::string, Values> file;
  for (const auto &[name, tensor] : stored->tensors()) {
    int64_t count = 1;
    for (int64_t size : tensor.shape) {
      count *= size;
    }
    Values values{tensor.shape, std::vector<float>(static_cast<size_t>(count))};
    readElements(tensor, 0, 1, count, values.elements.data(), 1);
    convert(family, config, name, values, file);
  }
  ScratchDirectory scratch;
  std::string path = scratch / "model.gguf";
  writeAll(path, write(family, config, file).contents());
  auto opened = openCheckpoint(path);
  ASSERT_TRUE(opened) << opened.error().message;
  ModelRun<float> run(opened->graph, opened->weights, 20);
  // Made-up weights follow from names, and experts have others one by one.
  auto perExpert = Weights::bind(plain.config, plain.graph, stored, "test");
  ASSERT_TRUE(perExpert) << perExpert.error().message;
  ModelRun<float> expected(plain.graph, *perExpert, 20);
  EXPECT_EQ(largestDifference(run.logits(ids), expected.logits(ids)), 0);
}

INSTANTIATE_TEST_SUITE_P(Families, GgufModel, ::testing::ValuesIn(families),
                         [](const auto &info) {
                           std::string name = std::string(info.param.preset) +
                                              info.param.architecture;
                           std::erase(name, '-');
                           return name;
                         });

} // namespace
} // namespace chipwright::models
