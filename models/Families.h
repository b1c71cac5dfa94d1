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

#include <functional>

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

/// Reads Llama 2 and 3 (model_type llama): dense layers, biases by flags.
Result<ModelConfig> readLlamaConfig(const Json &top, const std::string &file);

/// Reads Mixtral: Llama with routed experts in every layer.
Result<ModelConfig> readMixtralConfig(const Json &top, const std::string &file);

/// Reads Qwen3 with experts: norms of q and k before the rotation.
Result<ModelConfig> readQwen3Config(const Json &top, const std::string &file);

/// Reads gpt-oss: sinks, sliding windows, biases everywhere.
Result<ModelConfig> readGptOssConfig(const Json &top, const std::string &file);

/// Reads the text part of Muse Glimmer.
Result<ModelConfig> readMuseConfig(const Json &top, const std::string &file);

/// Reads DeepSeek V3: latent attention, experts in groups.
Result<ModelConfig> readDeepSeekConfig(const Json &top,
                                       const std::string &file);

/// Reads the keys that families share: sizes, heads, epsilon, activation,
/// weight type, refusal of quantised weights. \p headSize is what a missing
/// head_dim means; 0 stands for hidden_size / num_attention_heads.
void readCommonFields(ConfigFields &fields, int64_t headSize,
                      ModelConfig &config);

/// Refuses attention_bias and mlp_bias.
void refuseBiases(ConfigFields &fields);

/// Reads dtype or torch_dtype, and refuses quantised weights.
void readWeightStatements(ConfigFields &fields, ModelConfig &config);

/// How a family's checkpoints order the rows of heads that are rotated:
/// neighbours as Llama 4 (which knows no yarn), or RopeConfig::storedInHalves.
enum class RopeStorage { Neighbours, Halves };

/// Reads rope_theta, rope_scaling (v4) and rope_parameters (v5).
void readRopeFields(ConfigFields &fields, double theta, ModelConfig &config,
                    RopeStorage storage);

/// Reads the number of experts under \p expertsKey and of those that a token
/// takes; \p experts and \p chosen are the family's defaults.
void readRouting(ConfigFields &fields, std::string_view expertsKey,
                 int64_t experts, int64_t chosen, ModelConfig &config);

/// Which layers have a mask of their own: as layer_types says, by the name
/// \p localName, or as isLocal() where that key is missing.
struct MaskChoice {
  std::string localName; // "sliding_attention"
  AttentionMask local;
  std::function<bool(int64_t layer)> isLocal;
};
std::vector<AttentionMask> readMasks(ConfigFields &fields, int64_t layers,
                                     const MaskChoice &choice);

/// Adds a layer for each of \p masks, all with rotation.
void addLayers(const std::vector<AttentionMask> &masks, FeedForward kind,
               bool qkNorm, ModelConfig &config);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_FAMILIES_H
