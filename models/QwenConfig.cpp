//===- QwenConfig.cpp - config.json of Qwen3 --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Keys and defaults are those of Qwen3Config and Qwen3MoeConfig in the public
// transformers repository.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

#include <fmt/format.h>

#include <algorithm>

namespace chipwright::models {

namespace {

/// Layers with experts: every decoder_sparse_step-th one, but for those listed.
void readExpertLayers(ConfigFields &fields, ModelConfig &config) {
  auto layers = static_cast<int64_t>(config.layers.size());
  int64_t step = fields.integer("decoder_sparse_step", 1, maxLayers, 1);
  std::vector<int64_t> dense = fields.integers("mlp_only_layers", 0, layers - 1)
                                   .value_or(std::vector<int64_t>());
  for (int64_t layer = 0; layer < layers; ++layer) {
    bool isDense = (layer + 1) % step != 0 ||
                   std::find(dense.begin(), dense.end(), layer) != dense.end();
    config.layers[static_cast<size_t>(layer)].feedForward =
        isDense ? FeedForward::Dense : FeedForward::Experts;
  }
}

void readExperts(ConfigFields &fields, ModelConfig &config) {
  // Version 5 of transformers writes the other name.
  constexpr const char *own = "num_experts", *other = "num_local_experts";
  const bool isOther = fields.isGiven(other);
  readRouting(fields, isOther ? other : own, 128, 8, config);
  if (isOther && fields.isGiven(own)) {
    int64_t first = fields.integer(own, 1, maxExperts);
    if (first != config.experts) {
      fields.refuse(own, fmt::format("{} as in {}", config.experts, other),
                    std::to_string(first), "delete one of the two");
    }
  }
  config.expertWidth =
      fields.integer("moe_intermediate_size", 1, maxWidth, 768);
  config.routerScore = fields.boolean("norm_topk_prob", false)
                           ? RouterScore::SoftmaxOfChosen
                           : RouterScore::Softmax;
  config.storage.layouts = {ExpertLayout::PerExpert,
                            ExpertLayout::StackedOutIn};
  readExpertLayers(fields, config);
}

} // namespace

Result<ModelConfig> readQwen3Config(const Json &top, const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields fields(top, file, "");
  config.modelType = fields.text("model_type");
  const bool hasExperts = config.modelType == "qwen3_moe";
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  // Only the dense configuration has a head size of its own.
  readCommonFields(fields, hasExperts ? 0 : 128, config);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", false);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-6);
  config.denseWidth = fields.integer("intermediate_size", 1, maxWidth);
  config.queryKeyValueBias = fields.boolean("attention_bias", false);
  config.outputBias = config.queryKeyValueBias;
  config.qkNorm = {true, true};
  readRopeFields(fields, 10000, config, RopeStorage::Halves);
  if (fields.boolean("use_sliding_window", false)) {
    fields.refuse("use_sliding_window", "false", "true",
                  "windows are not computed for this model_type");
  }
  addLayers(std::vector<AttentionMask>(static_cast<size_t>(layers)),
            FeedForward::Dense, true, config);
  if (hasExperts) {
    readExperts(fields, config);
  }
  if (fields.fault()) {
    return *fields.fault();
  }
  return config;
}

} // namespace chipwright::models
