//===- LlamaConfig.cpp - config.json of Llama 2, 3 and Mixtral --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Keys and defaults are those of LlamaConfig and MixtralConfig in the public
// transformers repository.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

namespace chipwright::models {

Result<ModelConfig> readLlamaConfig(const Json &top, const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields fields(top, file, "");
  config.modelType = fields.text("model_type");
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readCommonFields(fields, 0, config);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", false);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-6);
  config.denseWidth = fields.integer("intermediate_size", 1, maxWidth);
  config.queryKeyValueBias = fields.boolean("attention_bias", false);
  config.outputBias = config.queryKeyValueBias;
  config.denseBias = fields.boolean("mlp_bias", false);
  readRopeFields(fields, 10000, config, RopeStorage::Halves);
  if (fields.fault()) {
    return *fields.fault();
  }
  addLayers(std::vector<AttentionMask>(static_cast<size_t>(layers)),
            FeedForward::Dense, false, config);
  return config;
}

Result<ModelConfig> readMixtralConfig(const Json &top,
                                      const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields fields(top, file, "");
  config.modelType = fields.text("model_type");
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readCommonFields(fields, 0, config);
  refuseBiases(fields);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", false);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-5);
  config.expertWidth = fields.integer("intermediate_size", 1, maxWidth);
  readRouting(fields, "num_local_experts", 8, 2, config);
  // Softmax over all experts, divided by the sum of the chosen ones.
  config.routerScore = RouterScore::SoftmaxOfChosen;
  readRopeFields(fields, 1e6, config, RopeStorage::Halves);
  AttentionMask mask;
  if (fields.isGiven("sliding_window")) {
    mask = {MaskKind::Sliding,
            fields.integer("sliding_window", 1, maxPosition)};
  }
  if (fields.fault()) {
    return *fields.fault();
  }
  config.names.feedForward = "block_sparse_moe";
  // transformers 5 writes the experts as one tensor, under another name.
  config.storage.otherFeedForward = "mlp";
  config.storage.layouts = {ExpertLayout::PerExpert,
                            ExpertLayout::StackedOutIn};
  config.storage.expertMatrices = {"w1", "w3", "w2"};
  addLayers(std::vector<AttentionMask>(static_cast<size_t>(layers), mask),
            FeedForward::Experts, false, config);
  return config;
}

} // namespace chipwright::models
