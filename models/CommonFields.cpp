//===- CommonFields.cpp - Keys that families share --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

#include <fmt/format.h>

namespace chipwright::models {

namespace {

void readHeads(ConfigFields &fields, int64_t headSize, ModelConfig &config) {
  config.heads = fields.integer("num_attention_heads", 1, maxHeads);
  config.kvHeads =
      fields.integer("num_key_value_heads", 1, maxHeads, config.heads);
  if (config.heads % config.kvHeads != 0) {
    fields.refuse(
        "num_key_value_heads",
        fmt::format("a divisor of num_attention_heads = {}", config.heads),
        "every key head serves the same number of query heads");
  }
  // A null head_dim overrides the family's default, a missing one does not.
  if (headSize == 0 ||
      (fields.has("head_dim") && !fields.isGiven("head_dim"))) {
    headSize = config.hidden / config.heads;
    if (!fields.isGiven("head_dim") && config.hidden % config.heads != 0) {
      fields.refuse(
          "hidden_size",
          fmt::format("a multiple of num_attention_heads = {}", config.heads),
          "or state head_dim");
    }
  }
  config.headSize = fields.integer("head_dim", 1, maxHeadSize, headSize);
  if (config.headSize % 2 != 0) {
    fields.refuse("head_dim", "an even number", std::to_string(config.headSize),
                  "rotary embedding turns pairs of components");
  }
}

void readWeightType(ConfigFields &fields, ModelConfig &config) {
  // "torch_dtype" up to transformers 4, "dtype" from 5 on.
  std::string_view key = fields.isGiven("dtype") ? "dtype" : "torch_dtype";
  std::string name = fields.text(key, "");
  if (name.starts_with("torch.")) {
    name = name.substr(6);
  }
  if (name == "bfloat16") {
    config.weightType = WeightType::BF16;
  } else if (name == "float16") {
    config.weightType = WeightType::F16;
  } else if (name == "float32") {
    config.weightType = WeightType::F32;
  } else if (name == "float64") {
    config.weightType = WeightType::F64;
  } else if (fields.isGiven(key)) {
    fields.refuse(key, "bfloat16, float16, float32 or float64",
                  "convert the weights to one of these");
  }
}

void refuseQuantised(ConfigFields &fields) {
  const Json *quantisation = fields.object("quantization_config");
  if (!quantisation) {
    return;
  }
  auto method = quantisation->find("quant_method");
  fields.refuse("quantization_config",
                "no quantised weights (BF16, F16, F32 and F64 are read)",
                method == quantisation->end()
                    ? "an object without quant_method"
                    : "quant_method " + describeJson(*method),
                "take the checkpoint before quantisation");
}

} // namespace

void readCommonFields(ConfigFields &fields, int64_t headSize,
                      ModelConfig &config) {
  config.vocabulary = fields.integer("vocab_size", 1, maxVocabulary);
  config.hidden = fields.integer("hidden_size", 1, maxWidth);
  readHeads(fields, headSize, config);
  config.maxPositions =
      fields.integer("max_position_embeddings", 1, maxPosition, 0);
  // Muse's name of the key, which no other family has.
  std::string_view key =
      fields.isGiven("hidden_activation") ? "hidden_activation" : "hidden_act";
  std::string activation = fields.text(key, "silu");
  if (activation != "silu" && activation != "swish") {
    fields.refuse(key, "'silu' (or its other name 'swish')",
                  quoteText(activation),
                  "no other activation is computed for this model_type");
  }
  config.endTokens = fields.integersOrOne("eos_token_id", 0, maxVocabulary);
  readWeightStatements(fields, config);
}

void refuseBiases(ConfigFields &fields) {
  for (std::string_view key : {"attention_bias", "mlp_bias"}) {
    if (fields.boolean(key, false)) {
      fields.refuse(key, "false", "true",
                    "projections with biases are not computed for this "
                    "model_type");
    }
  }
}

void readRouting(ConfigFields &fields, std::string_view expertsKey,
                 int64_t experts, int64_t chosen, ModelConfig &config) {
  config.experts = fields.integer(expertsKey, 1, maxExperts, experts);
  config.expertsPerToken =
      fields.integer("num_experts_per_tok", 1, maxExperts, chosen);
  if (config.expertsPerToken > config.experts) {
    fields.refuse("num_experts_per_tok",
                  fmt::format("at most {} = {}", expertsKey, config.experts),
                  std::to_string(config.expertsPerToken),
                  "a token takes each expert once at most");
  }
}

std::vector<AttentionMask> readMasks(ConfigFields &fields, int64_t layers,
                                     const MaskChoice &choice) {
  std::vector<AttentionMask> result;
  auto types = fields.texts("layer_types");
  if (types && static_cast<int64_t>(types->size()) != layers) {
    fields.refuse("layer_types",
                  fmt::format("one text for each of the {} layers", layers),
                  fmt::format("{}", types->size()),
                  "correct it or delete the key, which gives the default");
    return std::vector<AttentionMask>(static_cast<size_t>(layers));
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    bool isLocal = choice.isLocal(layer);
    if (types) {
      const std::string &type = (*types)[static_cast<size_t>(layer)];
      isLocal = type == choice.localName;
      if (!isLocal && type != "full_attention") {
        fields.refuse("layer_types",
                      fmt::format("'{}' or 'full_attention'", choice.localName),
                      fmt::format("{} for layer {}", quoteText(type), layer),
                      "no other attention is computed for this model_type");
      }
    }
    result.push_back(isLocal ? choice.local : AttentionMask());
  }
  return result;
}

void addLayers(const std::vector<AttentionMask> &masks, FeedForward kind,
               bool qkNorm, ModelConfig &config) {
  for (const AttentionMask &mask : masks) {
    LayerConfig layer;
    layer.mask = mask;
    layer.qkNorm = qkNorm;
    layer.feedForward = kind;
    config.layers.push_back(layer);
  }
}

void readWeightStatements(ConfigFields &fields, ModelConfig &config) {
  readWeightType(fields, config);
  refuseQuantised(fields);
}

namespace {

void readYarn(ConfigFields &fields, RopeConfig &rope) {
  RopeScaling &scaling = rope.scaling;
  scaling.kind = RopeScalingKind::Yarn;
  scaling.factor = fields.real("factor", 1, 1e9);
  scaling.originalPositions =
      fields.real("original_max_position_embeddings", 1, 1e12);
  scaling.betaFast = fields.real("beta_fast", 1e-9, 1e9, 32);
  scaling.betaSlow = fields.real("beta_slow", 1e-9, 1e9, 1);
  scaling.truncate = fields.boolean("truncate", true);
  if (scaling.betaSlow > scaling.betaFast) {
    fields.refuse("beta_slow",
                  fmt::format("at most beta_fast = {}", scaling.betaFast),
                  "the two may have been exchanged");
  }
  if (rope.theta <= 1) {
    fields.refuse("rope_theta", "more than 1", fmt::format("{}", rope.theta),
                  "yarn divides by its logarithm");
  }
  double one = fields.real("mscale", 0, 1e3, 0);
  double all = fields.real("mscale_all_dim", 0, 1e3, 0);
  scaling.scoreWeight = all;
  double implied = one != 0 && all != 0 ? yarnMagnitude(scaling.factor, one) /
                                              yarnMagnitude(scaling.factor, all)
                                        : yarnMagnitude(scaling.factor, 1);
  rope.magnitude = fields.real("attention_factor", 1e-6, 1e6, implied);
}

/// Reads one object that describes rope; \p key is its name in \p outer.
RopeConfig readRopeObject(ConfigFields &outer, std::string_view key,
                          const Json &object, double theta, bool isYarnKnown,
                          std::optional<Diagnostic> &fault) {
  ConfigFields fields(object, outer.file(), outer.pathOf(key));
  RopeConfig rope;
  rope.theta = fields.real("rope_theta", 1, 1e30, theta);
  // "type" is the key of files written before transformers 4.43.
  std::string_view typeKey =
      fields.isGiven("rope_type") || !fields.isGiven("type") ? "rope_type"
                                                             : "type";
  std::string type = fields.text(typeKey, "default");
  if (type == "llama3") {
    RopeScaling &scaling = rope.scaling;
    scaling.kind = RopeScalingKind::Llama3;
    scaling.factor = fields.real("factor", 1, 1e9);
    scaling.lowFrequencyFactor = fields.real("low_freq_factor", 1e-9, 1e9);
    scaling.highFrequencyFactor = fields.real("high_freq_factor", 1e-9, 1e9);
    scaling.originalPositions =
        fields.real("original_max_position_embeddings", 1, 1e12);
    if (scaling.lowFrequencyFactor > scaling.highFrequencyFactor) {
      fields.refuse("low_freq_factor",
                    fmt::format("at most high_freq_factor = {}",
                                scaling.highFrequencyFactor),
                    "the two may have been exchanged");
    }
  } else if (type == "yarn" && isYarnKnown) {
    readYarn(fields, rope);
  } else if (type != "default") {
    fields.refuse(
        typeKey,
        isYarnKnown ? "'default', 'llama3' or 'yarn'" : "'default' or 'llama3'",
        quoteText(type), "no other scaling is computed for this model_type");
  }
  if (fields.real("partial_rotary_factor", 0, 1, 1) != 1) {
    fields.refuse("partial_rotary_factor", "1",
                  "heads are rotated whole for this model_type");
  }
  fault = fields.fault();
  return rope;
}

} // namespace

void readRopeFields(ConfigFields &fields, double theta, ModelConfig &config,
                    RopeStorage storage) {
  theta = fields.real("rope_theta", 1, 1e30, theta);
  if (fields.real("partial_rotary_factor", 0, 1, 1) != 1) {
    fields.refuse("partial_rotary_factor", "1",
                  "heads are rotated whole for this model_type");
  }
  config.rope.theta = theta;
  bool isHalves = storage == RopeStorage::Halves;
  config.rope.storedInHalves = isHalves;
  std::optional<RopeConfig> first;
  for (std::string_view key : {"rope_scaling", "rope_parameters"}) {
    const Json *object = fields.object(key);
    if (!object) {
      continue;
    }
    std::optional<Diagnostic> fault;
    RopeConfig rope =
        readRopeObject(fields, key, *object, theta, isHalves, fault);
    rope.storedInHalves = isHalves;
    if (fault) {
      fields.adopt(*fault);
      return;
    }
    if (first && *first != rope) {
      fields.refuse(key, "the same rotary embedding as in rope_scaling",
                    "delete one of the two");
    }
    first = rope;
    config.rope = rope;
  }
}

} // namespace chipwright::models
