//===- DeepSeekConfig.cpp - config.json of DeepSeek V3 ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Keys and defaults are those of DeepseekV3Config in the public transformers
// repository. Where that implementation and the authors' own differ (experts of
// groups that are not kept), this is the authors' one: they are never chosen.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

#include <fmt/format.h>

#include <cmath>

namespace chipwright::models {

namespace {

void readLatent(ConfigFields &fields, ModelConfig &config) {
  LatentConfig &latent = config.latent;
  // null: queries are one product.
  bool isDirect = fields.has("q_lora_rank") && !fields.isGiven("q_lora_rank");
  latent.queryRank =
      isDirect ? 0 : fields.integer("q_lora_rank", 1, maxWidth, 1536);
  latent.rank = fields.integer("kv_lora_rank", 1, maxWidth, 512);
  latent.plain = fields.integer("qk_nope_head_dim", 1, maxHeadSize, 128);
  latent.rotary = fields.integer("qk_rope_head_dim", 2, maxHeadSize, 64);
  latent.value = fields.integer("v_head_dim", 1, maxHeadSize, 128);
  // Whatever rms_norm_eps says.
  latent.normEpsilon = 1e-6;
  if (latent.rotary % 2 != 0) {
    fields.refuse("qk_rope_head_dim", "an even number",
                  std::to_string(latent.rotary),
                  "rotary embedding turns pairs of components");
  }
}

void requireText(ConfigFields &fields, std::string_view key,
                 const std::string &only) {
  if (std::string found = fields.text(key, only); found != only) {
    fields.refuse(key, quoteText(only), quoteText(found),
                  "no other way of routing is computed for this model_type");
  }
}

void readExperts(ConfigFields &fields, ModelConfig &config) {
  readRouting(fields, "n_routed_experts", 256, 8, config);
  config.expertWidth =
      fields.integer("moe_intermediate_size", 1, maxWidth, 2048);
  config.sharedWidth =
      config.expertWidth * fields.integer("n_shared_experts", 0, 64, 1);
  requireText(fields, "scoring_func", "sigmoid");
  requireText(fields, "topk_method", "noaux_tc");
  config.routerScore = RouterScore::Sigmoid;
  RouterConfig &router = config.router;
  router.choiceBias = true;
  router.groups = fields.integer("n_group", 1, maxExperts, 8);
  router.keptGroups = fields.integer("topk_group", 1, maxExperts, 4);
  router.normalised = fields.boolean("norm_topk_prob", true);
  router.scale = fields.real("routed_scaling_factor", 1e-6, 1e6, 2.5);
  if (config.experts % router.groups != 0) {
    fields.refuse(
        "n_group",
        fmt::format("a divisor of n_routed_experts = {}", config.experts),
        std::to_string(router.groups), "groups have equal sizes");
  } else if (router.keptGroups > router.groups) {
    fields.refuse(
        "topk_group", fmt::format("at most n_group = {}", router.groups),
        std::to_string(router.keptGroups), "a group is kept once at most");
  } else if (config.expertsPerToken >
             config.experts / router.groups * router.keptGroups) {
    fields.refuse(
        "num_experts_per_tok",
        fmt::format("at most the {} experts of {} groups",
                    config.experts / router.groups * router.keptGroups,
                    router.keptGroups),
        std::to_string(config.expertsPerToken),
        "experts are chosen from the groups that are kept");
  }
}

} // namespace

Result<ModelConfig> readDeepSeekConfig(const Json &top,
                                       const std::string &file) {
  ModelConfig config;
  config.source = file;
  ConfigFields fields(top, file, "");
  config.modelType = fields.text("model_type");
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readLatent(fields, config);
  // head_dim, where it is stated, is that of the rotated part.
  readCommonFields(fields, config.latent.rotary, config);
  refuseBiases(fields);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", false);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-6);
  config.denseWidth = fields.integer("intermediate_size", 1, maxWidth);
  readExperts(fields, config);
  readRopeFields(fields, 10000, config, RopeStorage::Halves);
  // Stored as neighbours, which the public implementation sorts into halves.
  config.rope.storedInHalves = !fields.boolean("rope_interleave", true);
  const RopeScaling &scaling = config.rope.scaling;
  double magnitude = scaling.scoreWeight == 0
                         ? 1
                         : yarnMagnitude(scaling.factor, scaling.scoreWeight);
  config.attentionScale = magnitude * magnitude /
                          std::sqrt(static_cast<double>(config.latent.plain +
                                                        config.latent.rotary));
  int64_t dense = fields.integer("first_k_dense_replace", 0, maxLayers, 3);
  config.storage.extraLayers =
      fields.integer("num_nextn_predict_layers", 0, 64, 1);
  if (fields.fault()) {
    return *fields.fault();
  }
  config.storage.layouts = {ExpertLayout::PerExpert,
                            ExpertLayout::StackedOutIn};
  addLayers(std::vector<AttentionMask>(static_cast<size_t>(layers)),
            FeedForward::Experts, false, config);
  for (int64_t layer = 0; layer < std::min(dense, layers); ++layer) {
    config.layers[static_cast<size_t>(layer)].feedForward = FeedForward::Dense;
  }
  return config;
}

} // namespace chipwright::models
