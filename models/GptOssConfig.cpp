//===- GptOssConfig.cpp - config.json of gpt-oss ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Keys and defaults are those of GptOssConfig in the public transformers
// repository.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

namespace chipwright::models {

namespace {

/// What a file without a rotation stands for.
RopeConfig defaultRope(double theta) {
  RopeConfig rope;
  rope.theta = theta;
  rope.storedInHalves = true;
  rope.scaling.kind = RopeScalingKind::Yarn;
  rope.scaling.factor = 32;
  rope.scaling.originalPositions = 4096;
  rope.scaling.truncate = false;
  rope.magnitude = yarnMagnitude(32, 1);
  return rope;
}

} // namespace

Result<ModelConfig> readGptOssConfig(const Json &top, const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields fields(top, file, "");
  config.modelType = fields.text("model_type");
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readCommonFields(fields, 64, config);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", false);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-5);
  config.expertWidth = fields.integer("intermediate_size", 1, maxWidth);
  readRouting(fields, "num_local_experts", 128,
              fields.integer("experts_per_token", 1, maxExperts, 4), config);
  config.routerScore = RouterScore::SoftmaxOfChosen;
  config.router.bias = true;
  config.expertBias = true;
  config.expertActivation = {Activation::ClampedSwiglu,
                             fields.real("swiglu_limit", 1e-6, 1e6, 7),
                             fields.real("swiglu_alpha", 1e-6, 1e6, 1.702)};
  config.queryKeyValueBias = fields.boolean("attention_bias", true);
  config.outputBias = config.queryKeyValueBias;
  config.sinks = true;
  readRopeFields(fields, 150000, config, RopeStorage::Halves);
  if (!fields.isGiven("rope_scaling") && !fields.isGiven("rope_parameters")) {
    config.rope = defaultRope(config.rope.theta);
  }
  MaskChoice choice{"sliding_attention",
                    {MaskKind::Sliding,
                     fields.integer("sliding_window", 1, maxPosition, 128)},
                    [](int64_t layer) { return layer % 2 == 0; }};
  std::vector<AttentionMask> masks = readMasks(fields, layers, choice);
  if (fields.fault()) {
    return *fields.fault();
  }
  config.names.router = "router";
  config.storage.layouts = {ExpertLayout::StackedInOutPairs};
  addLayers(masks, FeedForward::Experts, false, config);
  return config;
}

} // namespace chipwright::models
