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
  std::string activation = fields.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish") {
    fields.refuse("hidden_act", "'silu' (or its other name 'swish')",
                  quoteText(activation),
                  "no other activation is computed for this model_type");
  }
  for (std::string_view key : {"attention_bias", "mlp_bias"}) {
    if (fields.boolean(key, false)) {
      fields.refuse(key, "false", "true",
                    "projections with biases are not computed for this "
                    "model_type");
    }
  }
  config.endTokens = fields.integersOrOne("eos_token_id", 0, maxVocabulary);
  readWeightStatements(fields, config);
}

void readWeightStatements(ConfigFields &fields, ModelConfig &config) {
  readWeightType(fields, config);
  refuseQuantised(fields);
}

namespace {

/// Reads one object that describes rope; \p key is its name in \p outer.
RopeConfig readRopeObject(ConfigFields &outer, std::string_view key,
                          const Json &object, double theta,
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
  } else if (type != "default") {
    fields.refuse(typeKey, "'default' or 'llama3'", quoteText(type),
                  "no other scaling is computed for this model_type");
  }
  if (fields.real("partial_rotary_factor", 0, 1, 1) != 1) {
    fields.refuse("partial_rotary_factor", "1",
                  "heads are rotated whole for this model_type");
  }
  fault = fields.fault();
  return rope;
}

} // namespace

void readRopeFields(ConfigFields &fields, double theta, ModelConfig &config) {
  theta = fields.real("rope_theta", 1, 1e30, theta);
  if (fields.real("partial_rotary_factor", 0, 1, 1) != 1) {
    fields.refuse("partial_rotary_factor", "1",
                  "heads are rotated whole for this model_type");
  }
  config.rope.theta = theta;
  std::optional<RopeConfig> first;
  for (std::string_view key : {"rope_scaling", "rope_parameters"}) {
    const Json *object = fields.object(key);
    if (!object) {
      continue;
    }
    std::optional<Diagnostic> fault;
    RopeConfig rope = readRopeObject(fields, key, *object, theta, fault);
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
