//===- WeightLayout.cpp - From parameters to stored tensors -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/WeightLayout.h"
#include "models/JsonText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace chipwright::models {

namespace {

struct Prefixes {
  const char *body;
  const char *head;
};

// Multimodal files of transformers 4, text-only exports, and multimodal files
// of transformers 5.
constexpr Prefixes llama4Prefixes[] = {
    {"language_model.model.", "language_model."},
    {"model.", ""},
    {"model.language_model.", ""},
};

constexpr std::string_view llama4Foreign[] = {
    "vision_model.", "multi_modal_projector.", "model.vision_model.",
    "model.multi_modal_projector."};

std::string expertsPrefix(const StorageForm &form, int64_t layer) {
  return fmt::format("{}layers.{}.feed_forward.experts.", form.bodyPrefix,
                     layer);
}

StoredPart wholeMatrix(std::string name, int64_t out, int64_t in) {
  StoredPart part;
  part.tensor.name = std::move(name);
  part.tensor.shape = {out, in};
  part.matrixStride = out * in;
  part.rowStride = in;
  part.columnStride = 1;
  return part;
}

/// Binds one of the three parameters of routed experts.
ParameterBinding bindExperts(const Parameter &parameter,
                             const StorageForm &form) {
  int64_t experts = parameter.shape[0];
  int64_t out = parameter.shape[1];
  int64_t in = parameter.shape[2];
  std::string prefix = expertsPrefix(form, parameter.layer);
  ExpertLayout layout = form.experts[static_cast<size_t>(parameter.layer)];
  ParameterBinding binding;
  if (layout == ExpertLayout::PerExpert) {
    std::string suffix =
        parameter.name.substr(parameter.name.rfind('.') + 1) + ".weight";
    for (int64_t e = 0; e < experts; ++e) {
      binding.parts.push_back(
          wholeMatrix(fmt::format("{}{}.{}", prefix, e, suffix), out, in));
    }
    return binding;
  }
  // gate and up are the first and second half of one tensor's output side.
  bool down = parameter.role == ParameterRole::ExpertDown;
  bool second = parameter.role == ParameterRole::ExpertUp;
  int64_t stored = down ? out : 2 * out;
  StoredPart part;
  part.tensor.name = prefix + (down ? "down_proj" : "gate_up_proj");
  part.matrixStride = stored * in;
  if (layout == ExpertLayout::StackedInOut) {
    part.tensor.shape = {experts, in, stored};
    part.offset = second ? out : 0;
    part.rowStride = 1;
    part.columnStride = stored;
  } else {
    part.tensor.shape = {experts, stored, in};
    part.offset = second ? out * in : 0;
    part.rowStride = in;
    part.columnStride = 1;
  }
  binding.parts.push_back(std::move(part));
  return binding;
}

} // namespace

StorageForm publishedForm(const ModelConfig &config, ExpertLayout layout) {
  const Prefixes &prefixes =
      llama4Prefixes[config.modelType == "llama4" ? 0 : 1];
  return {prefixes.body, prefixes.head,
          std::vector<ExpertLayout>(config.layers.size(), layout)};
}

std::vector<ParameterBinding> bindParameters(const Graph &graph,
                                             const StorageForm &form) {
  std::vector<ParameterBinding> bindings;
  for (const Parameter &parameter : graph.parameters) {
    bool plain = parameter.role == ParameterRole::Plain ||
                 parameter.role == ParameterRole::Head;
    if (!plain) {
      bindings.push_back(bindExperts(parameter, form));
      continue;
    }
    const std::string &prefix = parameter.role == ParameterRole::Head
                                    ? form.headPrefix
                                    : form.bodyPrefix;
    bool vector = parameter.shape.size() == 1;
    StoredPart part =
        wholeMatrix(prefix + parameter.name, vector ? 1 : parameter.shape[0],
                    parameter.shape.back());
    part.tensor.shape = parameter.shape;
    bindings.push_back({{std::move(part)}});
  }
  return bindings;
}

std::vector<TensorSpec> storedTensors(const Graph &graph,
                                      const StorageForm &form) {
  std::vector<TensorSpec> result;
  std::set<std::string> seen;
  for (const ParameterBinding &binding : bindParameters(graph, form)) {
    for (const StoredPart &part : binding.parts) {
      if (seen.insert(part.tensor.name).second) {
        result.push_back(part.tensor);
      }
    }
  }
  return result;
}

bool isUnusedTensor(const ModelConfig &config, const StorageForm &form,
                    const std::string &name) {
  if (config.tiedEmbeddings && name == form.headPrefix + "lm_head.weight") {
    return true;
  }
  for (std::string_view prefix : llama4Foreign) {
    if (name.starts_with(prefix)) {
      return true;
    }
  }
  return false;
}

namespace {

/// Decides the layout of one layer's experts.
Result<ExpertLayout> detectExperts(const ModelConfig &config,
                                   const TensorStore &store,
                                   const StorageForm &form, int64_t layer,
                                   const std::string &place) {
  std::string prefix = expertsPrefix(form, layer);
  const StoredTensor *gateUp = store.find(prefix + "gate_up_proj");
  const StoredTensor *down = store.find(prefix + "down_proj");
  if (!gateUp && store.find(prefix + "0.gate_proj.weight")) {
    return ExpertLayout::PerExpert;
  }
  if (!gateUp || !down) {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected {}gate_up_proj and down_proj, or one "
        "gate_proj.weight per expert, found no such tensor; take all files of "
        "the checkpoint",
        place, quoteText(prefix + (gateUp ? "down_proj" : "gate_up_proj")),
        gateUp ? "beside " : "")};
  }
  // Where one of the two shapes is the same in both layouts (H = 2I or H = I),
  // the other one decides.
  using Shape = std::vector<int64_t>;
  int64_t h = config.hidden, i = config.expertWidth, e = config.experts;
  if (gateUp->shape == Shape{e, h, 2 * i} && down->shape == Shape{e, i, h}) {
    return ExpertLayout::StackedInOut;
  }
  if (gateUp->shape == Shape{e, 2 * i, h} && down->shape == Shape{e, h, i}) {
    return ExpertLayout::StackedOutIn;
  }
  return Diagnostic{fmt::format(
      "{}: tensor {}: expected shapes [{}, {}, {}] and [{}, {}, {}] of "
      "gate_up_proj and down_proj (or both with the last two sizes "
      "exchanged), found [{}] and [{}]; config.json and weights are of "
      "different models",
      gateUp->file, quoteText(gateUp->name), e, h, 2 * i, e, i, h,
      fmt::join(gateUp->shape, ", "), fmt::join(down->shape, ", "))};
}

} // namespace

Result<StorageForm> detectForm(const ModelConfig &config,
                               const TensorStore &store,
                               const std::string &place) {
  StorageForm form;
  std::vector<std::string> found, candidates;
  for (const Prefixes &prefixes : llama4Prefixes) {
    std::string name = std::string(prefixes.body) + "embed_tokens.weight";
    candidates.push_back(name);
    if (store.find(name)) {
      found.push_back(name);
      form.bodyPrefix = prefixes.body;
      form.headPrefix = prefixes.head;
    }
  }
  if (found.size() != 1) {
    return Diagnostic{fmt::format(
        "{}: expected one of the tensors {}, found {}; take a checkpoint of "
        "model_type {}",
        place, fmt::join(candidates, ", "),
        found.empty() ? "none" : fmt::format("{}", fmt::join(found, " and ")),
        config.modelType)};
  }
  form.experts.assign(config.layers.size(), ExpertLayout::StackedInOut);
  for (size_t layer = 0; layer < config.layers.size(); ++layer) {
    if (config.layers[layer].feedForward != FeedForward::Experts) {
      continue;
    }
    auto layout =
        detectExperts(config, store, form, static_cast<int64_t>(layer), place);
    if (!layout) {
      return layout.error();
    }
    form.experts[layer] = *layout;
  }
  return form;
}

} // namespace chipwright::models
