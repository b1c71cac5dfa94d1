//===- MuseConfig.cpp - config.json of Muse Glimmer -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The text model, nested under text_config: a dense one with norms before and
// after each block, sliding windows, and full attention without rotation in
// every fourth layer, counted from the last one.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

#include <fmt/format.h>

#include <cmath>

namespace chipwright::models {

namespace {

/// Base of each layer's rotation, 0 for none; one base for all that have one.
std::vector<bool> readRopeLayers(ConfigFields &fields,
                                 const std::vector<AttentionMask> &masks,
                                 ModelConfig &config) {
  std::vector<bool> result;
  for (const AttentionMask &mask : masks) {
    result.push_back(mask.kind != MaskKind::Causal);
  }
  auto listed = fields.reals("layer_rope_theta", 0, 1e30);
  if (!listed) {
    return result;
  }
  if (listed->size() != masks.size()) {
    fields.refuse(
        "layer_rope_theta",
        fmt::format("one number for each of the {} layers", masks.size()),
        fmt::format("{}", listed->size()),
        "correct it or delete the key, which gives the default");
    return result;
  }
  double theta = 0;
  for (size_t layer = 0; layer < masks.size(); ++layer) {
    double one = (*listed)[layer];
    result[layer] = one != 0;
    if (one != 0 && (one < 1 || (theta != 0 && one != theta))) {
      fields.refuse("layer_rope_theta", "0 or one base of at least 1",
                    fmt::format("{} for layer {}", one, layer),
                    "one rotation is computed for all layers");
    }
    theta = one != 0 ? one : theta;
  }
  if (theta != 0) {
    config.rope.theta = theta;
  }
  return result;
}

} // namespace

Result<ModelConfig> readMuseConfig(const Json &top, const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields outer(top, file, "");
  config.modelType = outer.text("model_type");
  const Json *text = outer.object("text_config");
  if (!text && !outer.fault()) {
    outer.refuse("text_config", "an object that describes the text model",
                 "take the config.json published with the model");
  }
  bool tied = outer.boolean("tie_word_embeddings", false);
  readWeightStatements(outer, config);
  if (outer.fault()) {
    return *outer.fault();
  }
  ConfigFields fields(*text, file, "text_config");
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readCommonFields(fields, 128, config);
  refuseBiases(fields);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", tied);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-5);
  config.postNormEpsilon = fields.real("post_norm_eps", 0, 1, 1e-8);
  config.denseWidth = fields.integer("intermediate_size", 1, maxWidth);
  // Queries are normed, without weight, and multiplied by this.
  config.qkNorm = {true, false};
  config.attentionScale = fields.real("qk_scale_factor", 1e-6, 1e6, 3.87) /
                          std::sqrt(static_cast<double>(config.headSize));
  config.attentionGate = true;
  config.embeddingNorm = true;
  config.logitScale = fields.real("output_multiplier", 1e-9, 1e9);
  config.logitCap = fields.real("final_logit_softcapping", 1e-6, 1e9, 20);
  readRopeFields(fields, 500000, config, RopeStorage::Halves);
  MaskChoice choice{
      "sliding_attention",
      {MaskKind::Sliding,
       fields.integer("sliding_window", 1, maxPosition, 2048)},
      [layers](int64_t layer) { return (layers - 1 - layer) % 4 != 0; }};
  std::vector<AttentionMask> masks = readMasks(fields, layers, choice);
  std::vector<bool> rope = readRopeLayers(fields, masks, config);
  if (fields.fault()) {
    return *fields.fault();
  }
  config.names.attentionPostNorm = "post_attention_layernorm";
  config.names.feedForwardNorm = "pre_feedforward_layernorm";
  config.names.feedForwardPostNorm = "post_feedforward_layernorm";
  config.storage.prefixes = {{"model.language_model.", ""}};
  config.storage.foreign = {"model.vision_tower.", "model.vision_adapter.",
                            "model.vision_projection."};
  config.storage.centredNorms = true;
  addLayers(masks, FeedForward::Dense, true, config);
  for (size_t layer = 0; layer < rope.size(); ++layer) {
    config.layers[layer].rope = rope[layer];
  }
  return config;
}

} // namespace chipwright::models
