//===- Families.h - Readers of config.json by family ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/. A family is one function here and one entry of the
// table in ConfigReader.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_FAMILIES_H
#define CHIPWRIGHT_MODELS_FAMILIES_H

#include "models/ConfigFields.h"
#include "models/ModelConfig.h"

namespace chipwright::models {

// Bounds on sizes: far above every published model, low enough that a product
// of any four sizes of one tensor fits 64 bits.
inline constexpr int64_t maxLayers = 4096;
inline constexpr int64_t maxHeads = 1 << 14;
inline constexpr int64_t maxHeadSize = 1 << 12;
inline constexpr int64_t maxWidth = 1 << 22;
inline constexpr int64_t maxExperts = 1 << 14;
inline constexpr int64_t maxVocabulary = 1 << 26;
inline constexpr int64_t maxPosition = (int64_t(1) << 31) - 1;

/// Reads the text part of a Llama 4 config.json, nested under text_config
/// (model_type llama4) or flat (llama4_text). \p top is the whole file.
Result<ModelConfig> readLlama4Config(const Json &top, const std::string &file);

/// Reads the keys that families share: sizes, heads, epsilon, activation,
/// weight type, refusal of quantised weights. \p headSize is what a missing
/// head_dim means; 0 stands for hidden_size / num_attention_heads.
void readCommonFields(ConfigFields &fields, int64_t headSize,
                      ModelConfig &config);

/// Reads dtype or torch_dtype, and refuses quantised weights.
void readWeightStatements(ConfigFields &fields, ModelConfig &config);

/// Reads rope_theta, rope_scaling (v4) and rope_parameters (v5).
void readRopeFields(ConfigFields &fields, double theta, ModelConfig &config);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_FAMILIES_H
