//===- GgufConfig.cpp - Metadata to config.json -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/gguf/GgufArchitecture.h"
#include "models/gguf/GgufCheckpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>

namespace chipwright::models {

namespace {

enum class Need { Required, Optional };

/// An integer or a real of the metadata and its key in config.json.
struct KeyRule {
  std::string_view gguf; // without the architecture's prefix
  std::string_view config;
  Need need = Need::Required;
  bool real = false;
};

constexpr KeyRule commonKeys[] = {
    {"embedding_length", "hidden_size"},
    {"attention.head_count", "num_attention_heads"},
    {"context_length", "max_position_embeddings", Need::Optional},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps", Need::Required, true},
};

constexpr KeyRule llamaKeys[] = {
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count_kv", "num_key_value_heads", Need::Optional},
    {"attention.key_length", "head_dim", Need::Optional},
};

constexpr KeyRule mixtralKeys[] = {
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count_kv", "num_key_value_heads", Need::Optional},
    {"attention.key_length", "head_dim", Need::Optional},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
};

constexpr KeyRule qwen3moeKeys[] = {
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count_kv", "num_key_value_heads", Need::Optional},
    {"attention.key_length", "head_dim"},
    {"expert_count", "num_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
};

constexpr KeyRule llama4Keys[] = {
    {"feed_forward_length", "intermediate_size_mlp"},
    {"attention.head_count_kv", "num_key_value_heads", Need::Optional},
    {"attention.key_length", "head_dim", Need::Optional},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "intermediate_size"},
    {"interleave_moe_layer_step", "interleave_moe_layer_step"},
};

constexpr KeyRule deepseek2Keys[] = {
    {"feed_forward_length", "intermediate_size"},
    {"expert_count", "n_routed_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_shared_count", "n_shared_experts"},
    {"leading_dense_block_count", "first_k_dense_replace"},
    {"attention.q_lora_rank", "q_lora_rank", Need::Optional},
    {"attention.kv_lora_rank", "kv_lora_rank"},
    {"rope.dimension_count", "qk_rope_head_dim"},
    {"expert_weights_scale", "routed_scaling_factor", Need::Required, true},
};

constexpr KeyRule gptOssKeys[] = {
    {"attention.head_count_kv", "num_key_value_heads", Need::Optional},
    {"attention.key_length", "head_dim"},
    {"expert_count", "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "intermediate_size"},
    {"attention.sliding_window", "sliding_window"},
};

std::span<const KeyRule> rulesOf(GgufFamily family) {
  switch (family) {
  case GgufFamily::Llama:
  case GgufFamily::Qwen3:
    return llamaKeys;
  case GgufFamily::Mixtral:
    return mixtralKeys;
  case GgufFamily::Qwen3Moe:
    return qwen3moeKeys;
  case GgufFamily::Llama4:
    return llama4Keys;
  case GgufFamily::Deepseek2:
    return deepseek2Keys;
  case GgufFamily::GptOss:
    break;
  }
  return gptOssKeys;
}

// Above every size that config readers accept; they check closer.
constexpr int64_t maxSize = int64_t(1) << 40;

class ConfigMaker {
public:
  ConfigMaker(const GgufFile &gguf, const GgufArchitecture &form)
      : file(gguf), keys(gguf.metadata()), architecture(form) {}

  Result<std::string> make() {
    config["model_type"] = architecture.modelType;
    addRules(commonKeys);
    addRules(rulesOf(architecture.family));
    addLayers();
    addVocabulary();
    addRope();
    addFamily();
    if (fault) {
      return *fault;
    }
    return config.dump(2);
  }

private:
  static constexpr std::string_view advice =
      "convert the model with a current converter";

  std::string keyOf(std::string_view name) const {
    return fmt::format("{}.{}", architecture.name, name);
  }

  /// \returns the value, or 0 with the first fault kept.
  template <typename T> T take(const Result<T> &value) {
    if (value) {
      return *value;
    }
    fault = fault ? fault : value.error();
    return T();
  }

  void refuse(std::string_view name, std::string_view expected,
              std::string_view found, std::string_view way) {
    if (!fault) {
      fault = keys.refuse(keyOf(name), expected, found, way);
    }
  }

  /// An integer, or an array of equal integers, one per layer.
  int64_t integer(std::string_view name,
                  std::optional<int64_t> fallback = std::nullopt) {
    std::string key = keyOf(name);
    const GgufValue *value = keys.find(key);
    if (!value || !value->isArray) {
      return take(keys.integer(key, 0, maxSize, fallback));
    }
    std::vector<int64_t> list = take(keys.integers(key));
    if (list.empty() ||
        std::adjacent_find(list.begin(), list.end(), std::not_equal_to<>()) !=
            list.end() ||
        list[0] < 0 || list[0] > maxSize) {
      refuse(name, "one number for all layers", "an array of several",
             "models whose layers differ in size are not read");
      return 0;
    }
    return list[0];
  }

  double real(std::string_view name,
              std::optional<double> fallback = std::nullopt) {
    return take(keys.real(keyOf(name), fallback));
  }

  bool has(std::string_view name) const { return keys.has(keyOf(name)); }

  void addRules(std::span<const KeyRule> rules) {
    for (const KeyRule &rule : rules) {
      if (rule.need == Need::Optional && !has(rule.gguf)) {
        continue;
      }
      if (rule.real) {
        config[std::string(rule.config)] = real(rule.gguf);
      } else {
        config[std::string(rule.config)] = integer(rule.gguf);
      }
    }
  }

  void addLayers() {
    // The last layers may be those of multi-token prediction.
    int64_t layers = integer("block_count");
    int64_t extra = integer("nextn_predict_layers", 0);
    if (extra > layers) {
      refuse("nextn_predict_layers",
             fmt::format("at most block_count = {}", layers),
             std::to_string(extra), advice);
    }
    config["num_hidden_layers"] = layers - extra;
  }

  void addVocabulary() {
    const StoredTensor *embedding = file.find("token_embd.weight");
    if (!embedding || embedding->shape.size() != 2) {
      if (!fault) {
        fault = Diagnostic{fmt::format(
            "{}: tensor 'token_embd.weight': expected the embedding of a "
            "vocabulary, found {}; take a file of a language model",
            file.path(),
            embedding ? describeTensor(*embedding) : "no such tensor")};
      }
      return;
    }
    config["vocab_size"] = embedding->shape[0];
    config["tie_word_embeddings"] = file.find("output.weight") == nullptr;
    Json ends = Json::array();
    for (std::string_view name : {"eos_token_id", "eot_token_id"}) {
      std::string key = fmt::format("tokenizer.ggml.{}", name);
      if (keys.has(key)) {
        Json id = take(keys.integer(key, 0, embedding->shape[0] - 1));
        if (std::find(ends.begin(), ends.end(), id) == ends.end()) {
          ends.push_back(id);
        }
      }
    }
    if (!ends.empty()) {
      config["eos_token_id"] = ends;
    }
  }

  void addRope() {
    double theta = real("rope.freq_base", 10000.0);
    config["rope_theta"] = theta;
    int64_t heads = integer("attention.head_count");
    int64_t hidden = integer("embedding_length");
    int64_t turned =
        integer("attention.key_length", heads > 0 ? hidden / heads : 0);
    if (architecture.family != GgufFamily::Deepseek2) {
      if (int64_t value = integer("attention.value_length", turned);
          value != turned) {
        refuse("attention.value_length",
               fmt::format("the attention.key_length of {}", turned),
               std::to_string(value), "no such model is read");
      }
      if (int64_t count = integer("rope.dimension_count", turned);
          count != turned) {
        refuse("rope.dimension_count",
               fmt::format("the whole head of {}", turned),
               std::to_string(count), "heads are rotated whole");
      }
    } else {
      turned = integer("rope.dimension_count");
    }
    std::string scaling = take(keys.text(
        keyOf("rope.scaling.type"),
        has("rope.scaling.factor") && !has("rope.scaling.type") ? "linear"
                                                                : "none"));
    const StoredTensor *divisors = file.find("rope_freqs.weight");
    if (scaling != "none") {
      addNamedScaling(scaling, divisors != nullptr);
    } else if (divisors) {
      addDivisors(*divisors, theta, turned);
    }
  }

  void addNamedScaling(const std::string &type, bool alsoDivisors) {
    if (alsoDivisors) {
      refuse("rope.scaling.type", "'none' beside the tensor rope_freqs.weight",
             quoteText(type), "no such model is read");
    }
    if (type != "yarn" && type != "linear") {
      refuse("rope.scaling.type", "'none', 'linear' or 'yarn'", quoteText(type),
             "no other scaling is read");
    }
    Json scaling = {{"rope_type", type},
                    {"factor", real("rope.scaling.factor")}};
    if (type == "yarn") {
      scaling["original_max_position_embeddings"] =
          integer("rope.scaling.original_context_length");
      if (has("rope.scaling.yarn_beta_fast")) {
        scaling["beta_fast"] = real("rope.scaling.yarn_beta_fast");
      }
      if (has("rope.scaling.yarn_beta_slow")) {
        scaling["beta_slow"] = real("rope.scaling.yarn_beta_slow");
      }
      for (std::string_view name :
           {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor"}) {
        if (has(name) && real(name) != 1) {
          refuse(name, "1", fmt::format("{}", real(name)),
                 "no other factor is read");
        }
      }
      if (architecture.family == GgufFamily::Deepseek2) {
        // A tenth of mscale_all_dim; mscale, its equal in every published
        // model, is not stored. Without the key both are 0.
        double all = has("rope.scaling.yarn_log_multiplier")
                         ? real("rope.scaling.yarn_log_multiplier") * 10
                         : 0;
        // The division by ten was done in fp32.
        all = std::round(all * 1e6) / 1e6;
        scaling["mscale"] = all;
        scaling["mscale_all_dim"] = all;
      }
      if (architecture.family == GgufFamily::GptOss) {
        scaling["truncate"] = false;
      }
    }
    config["rope_scaling"] = scaling;
  }

  /// Files of models with rope type llama3 hold the divisors of the inverse
  /// frequencies, not the four numbers that they follow from. These are among
  /// the published ones, or the model is refused.
  void addDivisors(const StoredTensor &tensor, double theta, int64_t turned) {
    struct Bounds {
      double low, high, original;
    };
    constexpr Bounds published[] = {
        {1, 4, 8192}, // Llama 3.1 to 3.3
        {1, 1, 8192}, // Llama 4
    };
    auto fail = [&](std::string_view found) {
      if (!fault) {
        fault = Diagnostic{fmt::format(
            "{}: tensor 'rope_freqs.weight': expected the {} divisors of rope "
            "type llama3 with low_freq_factor 1, high_freq_factor 4 or 1 and "
            "8192 original positions, found {}; take the checkpoint in "
            "safetensors form",
            file.path(), turned / 2, found)};
      }
    };
    if (tensor.shape != std::vector<int64_t>{turned / 2} || turned < 2 ||
        turned > 1 << 16 || !tensor.isReadable()) {
      return fail(describeTensor(tensor));
    }
    std::vector<float> divisors(static_cast<size_t>(turned / 2));
    readElements(tensor, 0, 1, turned / 2, divisors.data(), 1);
    double factor = divisors.back();
    if (!(factor >= 1 && factor <= 1e6)) {
      return fail(fmt::format("{} as the last of them", factor));
    }
    for (const Bounds &bounds : published) {
      bool equal = true;
      for (size_t i = 0; i < divisors.size() && equal; ++i) {
        double frequency = std::pow(theta, -2.0 * static_cast<double>(i) /
                                               static_cast<double>(turned));
        double length = 2 * std::numbers::pi / frequency;
        double expected = 1;
        if (length > bounds.original / bounds.low) {
          expected = factor;
        } else if (length >= bounds.original / bounds.high &&
                   bounds.low != bounds.high) {
          double smooth = (bounds.original / length - bounds.low) /
                          (bounds.high - bounds.low);
          expected = 1 / ((1 - smooth) / factor + smooth);
        }
        // The producer computed in fp32.
        equal = std::fabs(divisors[i] - expected) <= 1e-4 * expected;
      }
      if (equal) {
        config["rope_scaling"] = {
            {"rope_type", "llama3"},
            {"factor", factor},
            {"low_freq_factor", bounds.low},
            {"high_freq_factor", bounds.high},
            {"original_max_position_embeddings", bounds.original}};
        return;
      }
    }
    fail("others");
  }

  void addFamily() {
    switch (architecture.family) {
    case GgufFamily::Llama:
      config["attention_bias"] = file.find("blk.0.attn_q.bias") != nullptr;
      config["mlp_bias"] = file.find("blk.0.ffn_up.bias") != nullptr;
      return;
    case GgufFamily::Mixtral:
      config["sliding_window"] = nullptr;
      return;
    case GgufFamily::Qwen3Moe:
      // Not stored: llama.cpp always divides by the sum.
      config["norm_topk_prob"] = true;
      config["decoder_sparse_step"] = 1;
      config["mlp_only_layers"] = Json::array();
      return;
    case GgufFamily::Llama4:
      addLlama4();
      return;
    case GgufFamily::Deepseek2:
      addDeepseek2();
      return;
    case GgufFamily::Qwen3:
    case GgufFamily::GptOss:
      return;
    }
  }

  void addLlama4() {
    // Not stored; llama.cpp has these as constants.
    config["use_qk_norm"] = integer("expert_count") != 128;
    config["attention_chunk_size"] = 8192;
    config["no_rope_layer_interval"] = 4;
    config["attn_temperature_tuning"] = true;
    config["floor_scale"] = 8192;
    config["attn_scale"] = 0.1;
  }

  void addDeepseek2() {
    if (int64_t gating = integer("expert_gating_func", 1); gating != 2) {
      refuse("expert_gating_func", "2 (sigmoid, as DeepSeek-V3 has it)",
             std::to_string(gating), "no other router is read");
    }
    bool latent = has("attention.key_length_mla");
    int64_t rotary = integer("rope.dimension_count");
    int64_t key =
        integer(latent ? "attention.key_length_mla" : "attention.key_length");
    if (rotary >= key) {
      refuse("rope.dimension_count",
             fmt::format("less than the keys' {} columns", key),
             std::to_string(rotary), advice);
    }
    config["qk_nope_head_dim"] = key - rotary;
    config["v_head_dim"] = integer(latent ? "attention.value_length_mla"
                                          : "attention.value_length");
    // Attention over the latent has one key head in the file, and as many as
    // query heads in the model.
    config["num_key_value_heads"] = integer("attention.head_count");
    if (!has("attention.q_lora_rank")) {
      config["q_lora_rank"] = nullptr;
    }
    config["norm_topk_prob"] =
        take(keys.boolean(keyOf("expert_weights_norm"), false));
    config["n_group"] = integer("expert_group_count", 1);
    config["topk_group"] = integer("expert_group_used_count", 1);
    config["scoring_func"] = "sigmoid";
    config["topk_method"] = "noaux_tc";
    config["num_nextn_predict_layers"] = 0; // ggufTensors() leaves them out
  }

  const GgufFile &file;
  const GgufMetadata &keys;
  const GgufArchitecture &architecture;
  Json config = Json::object();
  std::optional<Diagnostic> fault;
};

} // namespace

Result<std::string> ggufConfigText(const GgufFile &file) {
  auto architecture = findGgufArchitecture(file.metadata());
  if (!architecture) {
    return architecture.error();
  }
  return ConfigMaker(file, **architecture).make();
}

} // namespace chipwright::models
