//===- Llama4Config.cpp - config.json of Llama 4 ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Keys and defaults are those of Llama4TextConfig in the public transformers
// repository. Keys that only training or a cache implementation reads are
// ignored.
//
//===----------------------------------------------------------------------===//

#include "models/Families.h"

#include <fmt/format.h>

#include <algorithm>

namespace chipwright::models {

namespace {

void readExperts(ConfigFields &fields, ModelConfig &config) {
  config.expertWidth = fields.integer("intermediate_size", 1, maxWidth);
  config.sharedWidth = config.expertWidth;
  config.denseWidth =
      fields.integer("intermediate_size_mlp", 1, maxWidth, 16384);
  readRouting(fields, "num_local_experts", 16, 1, config);
}

/// \returns per layer whether it has routed experts.
std::vector<bool> readExpertLayers(ConfigFields &fields, int64_t layers) {
  std::vector<bool> result(static_cast<size_t>(layers), false);
  int64_t step = fields.integer("interleave_moe_layer_step", 1, maxLayers, 1);
  // An empty list is a statement (no layer has experts), null is none.
  if (auto listed = fields.integers("moe_layers", 0, layers - 1)) {
    for (int64_t layer : *listed) {
      result[static_cast<size_t>(layer)] = true;
    }
    return result;
  }
  for (int64_t layer = step - 1; layer < layers; layer += step) {
    result[static_cast<size_t>(layer)] = true;
  }
  return result;
}

/// \returns per layer whether it rotates q and k. The key's name is inverted:
/// 1 stands for a layer with rotary embedding.
std::vector<bool> readRopeLayers(ConfigFields &fields, int64_t layers) {
  int64_t interval = fields.integer("no_rope_layer_interval", 1, maxLayers, 4);
  std::vector<bool> result;
  auto listed = fields.integers("no_rope_layers", 0, 1);
  if (listed && !listed->empty()) {
    if (static_cast<int64_t>(listed->size()) != layers) {
      fields.refuse("no_rope_layers",
                    fmt::format("one number for each of the {} layers", layers),
                    fmt::format("{}", listed->size()),
                    "an empty list stands for the default");
    }
    result.assign(listed->begin(), listed->end());
  }
  result.resize(static_cast<size_t>(layers));
  if (!listed || listed->empty()) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      result[static_cast<size_t>(layer)] = (layer + 1) % interval != 0;
    }
  }
  return result;
}

/// \returns the mask of each layer.
std::vector<AttentionMask> readChunks(ConfigFields &fields,
                                      const std::vector<bool> &rope) {
  // Missing means 8192; null means no chunks.
  MaskChoice choice{
      "chunked_attention", {MaskKind::Chunked, 8192}, [&](int64_t layer) {
        return rope[static_cast<size_t>(layer)];
      }};
  if (fields.isGiven("attention_chunk_size")) {
    choice.local.chunk = fields.integer("attention_chunk_size", 1, maxPosition);
  } else if (fields.has("attention_chunk_size")) {
    choice.local = AttentionMask();
  }
  return readMasks(fields, static_cast<int64_t>(rope.size()), choice);
}

/// Names of the family's modules. Prefixes are those of multimodal files of
/// transformers 4, of text-only exports, and of multimodal files of
/// transformers 5; the first is the published one.
void nameModules(bool isNested, ModelConfig &config) {
  config.names.feedForward = "feed_forward";
  config.names.router = "router";
  config.names.shared = "shared_expert";
  config.storage.prefixes = {{"language_model.model.", "language_model."},
                             {"model.", ""},
                             {"model.language_model.", ""}};
  if (!isNested) {
    std::swap(config.storage.prefixes[0], config.storage.prefixes[1]);
  }
  config.storage.foreign = {"vision_model.", "multi_modal_projector.",
                            "model.vision_model.",
                            "model.multi_modal_projector."};
  config.storage.layouts = {ExpertLayout::StackedInOut,
                            ExpertLayout::StackedOutIn,
                            ExpertLayout::PerExpert};
}

/// The type that a checkpoint states for its text part.
constexpr std::string_view textType = "llama4_text";

} // namespace

Result<ModelConfig> readLlama4Config(const Json &top, const std::string &file) {
  ModelConfig config;
  config.source = file;

  ConfigFields outer(top, file, "");
  config.modelType = outer.text("model_type");
  nameModules(config.modelType != textType, config);
  const Json *text = &top;
  std::string path;
  if (config.modelType != textType) {
    text = outer.object("text_config");
    if (!text && !outer.fault()) {
      outer.refuse("text_config", "an object that describes the text model",
                   "a flat file says model_type llama4_text");
    }
    path = "text_config";
  }
  // Multimodal files state these outside the text part.
  bool tied = outer.boolean("tie_word_embeddings", false);
  if (text && text != &top) {
    readWeightStatements(outer, config);
  }
  if (outer.fault()) {
    return *outer.fault();
  }

  ConfigFields fields(*text, file, path);
  if (std::string inner = fields.text("model_type", std::string(textType));
      inner != textType) {
    fields.refuse("model_type", "'llama4_text'", quoteText(inner),
                  "the text part of a Llama 4 model is one");
  }
  int64_t layers = fields.integer("num_hidden_layers", 1, maxLayers);
  readCommonFields(fields, 128, config);
  config.tiedEmbeddings = fields.boolean("tie_word_embeddings", tied);
  config.normEpsilon = fields.real("rms_norm_eps", 0, 1, 1e-5);
  readExperts(fields, config);
  refuseBiases(fields);
  readRopeFields(fields, 500000, config, RopeStorage::Neighbours);
  config.temperature.floorScale = fields.real("floor_scale", 1, 1e12, 8192);
  config.temperature.scale = fields.real("attn_scale", -1e6, 1e6, 0.1);
  // Released files hold 4 here; any number but 0 means yes.
  bool temperature = fields.boolean("attn_temperature_tuning", true, true);
  bool qkNorm = fields.boolean("use_qk_norm", true);
  std::vector<bool> expertLayers = readExpertLayers(fields, layers);
  std::vector<bool> rope = readRopeLayers(fields, layers);
  std::vector<AttentionMask> masks = readChunks(fields, rope);
  if (fields.fault()) {
    return *fields.fault();
  }
  for (size_t i = 0; i < rope.size(); ++i) {
    LayerConfig layer;
    layer.rope = rope[i];
    layer.qkNorm = qkNorm && rope[i];
    layer.temperature = temperature && !rope[i];
    layer.mask = masks[i];
    layer.feedForward =
        expertLayers[i] ? FeedForward::Experts : FeedForward::Dense;
    config.layers.push_back(layer);
  }
  return config;
}

} // namespace chipwright::models
