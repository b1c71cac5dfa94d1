//===- WeightLayout.cpp - From parameters to stored tensors -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/WeightLayout.h"
#include "models/JsonText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace chipwright::models {

namespace {

/// \returns \p name as the files have it.
std::string storedName(const StorageForm &form, const std::string &name) {
  if (form.renamed[0].empty()) {
    return form.bodyPrefix + name;
  }
  std::string result = name;
  std::string module = "." + form.renamed[0] + ".";
  if (size_t at = result.find(module); at != std::string::npos) {
    result.replace(at, module.size(), "." + form.renamed[1] + ".");
  }
  return form.bodyPrefix + result;
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

/// Binds one of the parameters of routed experts.
ParameterBinding bindExperts(const Parameter &parameter,
                             const StorageForm &form) {
  size_t dot = parameter.name.rfind('.');
  std::string prefix = storedName(form, parameter.name.substr(0, dot + 1));
  ExpertLayout layout = form.experts[static_cast<size_t>(parameter.layer)];
  bool isBias = parameter.shape.size() == 2;
  int64_t experts = parameter.shape[0], out = parameter.shape[1];
  int64_t in = isBias ? 1 : parameter.shape[2];
  bool down = parameter.role == ParameterRole::ExpertDown ||
              parameter.role == ParameterRole::ExpertDownBias;
  bool second = parameter.role == ParameterRole::ExpertUp ||
                parameter.role == ParameterRole::ExpertUpBias;
  ParameterBinding binding;
  if (layout == ExpertLayout::PerExpert && !isBias) {
    const std::string &suffix = form.expertMatrices[down ? 2 : second ? 1 : 0];
    for (int64_t e = 0; e < experts; ++e) {
      binding.parts.push_back(wholeMatrix(
          fmt::format("{}{}.{}.weight", prefix, e, suffix), out, in));
    }
    return binding;
  }
  // gate and up are two halves, or every other one, of one tensor's output.
  bool pairs = layout == ExpertLayout::StackedInOutPairs && !down;
  int64_t stored = down ? out : 2 * out;
  StoredPart part;
  part.tensor.name =
      prefix + (down ? "down_proj" : "gate_up_proj") + (isBias ? "_bias" : "");
  part.offset = !second ? 0 : pairs ? 1 : out;
  int64_t step = pairs ? 2 : 1;
  if (isBias) {
    part.tensor.shape = {experts, stored};
    part.rowStride = stored; // a row is an expert's vector
    part.columnStride = step;
  } else if (layout == ExpertLayout::StackedOutIn) {
    part.tensor.shape = {experts, stored, in};
    part.matrixStride = stored * in;
    part.offset *= in;
    part.rowStride = in;
    part.columnStride = 1;
  } else {
    part.tensor.shape = {experts, in, stored};
    part.matrixStride = stored * in;
    part.rowStride = step;
    part.columnStride = stored;
  }
  binding.parts.push_back(std::move(part));
  return binding;
}

/// Binds rows of a tensor that holds others too.
StoredPart bindSlice(const Parameter &parameter, const StorageForm &form) {
  const ParameterSlice &slice = parameter.slice;
  const std::vector<int64_t> &shape = parameter.shape;
  // Of a stack, runs are matrices; the columns of those that are transposed
  // are rows of the tensor.
  int64_t columns = slice.isTransposed ? shape[1] : shape.back();
  StoredPart part =
      wholeMatrix(storedName(form, slice.tensor), slice.rows, columns);
  part.offset = slice.first * columns;
  part.matrixStride = slice.period * columns;
  if (slice.isTransposed) {
    part.rowStride = 1;
    part.columnStride = columns;
  } else if (shape.size() == 2) {
    part.rowOrder.head = shape[0] / (slice.rows / slice.period);
    part.rowOrder.headStride = slice.period * columns;
  }
  return part;
}

ParameterBinding bindOne(const Parameter &parameter, const StorageForm &form) {
  const std::string name = parameter.role == ParameterRole::Head
                               ? form.headPrefix + parameter.name
                               : storedName(form, parameter.name);
  StoredPart part;
  if (!parameter.slice.tensor.empty()) {
    part = bindSlice(parameter, form);
  } else if (parameter.shape.size() == 1) {
    part = wholeMatrix(name, 1, parameter.shape[0]);
    part.tensor.shape = parameter.shape;
  } else {
    part = wholeMatrix(name, parameter.shape[0], parameter.shape[1]);
  }
  if (parameter.rotatedHead > 0 && form.headsInHalves) {
    RowOrder &order = part.rowOrder;
    if (order.head == 0) {
      order.head = parameter.rotatedHead;
      bool isVector = parameter.shape.size() == 1;
      order.headStride = parameter.rotatedHead *
                         (isVector ? part.columnStride : part.rowStride);
    }
    order.inHalves = true;
  }
  if (parameter.role == ParameterRole::LayerNorm && form.centredNorms) {
    part.added = 1;
  }
  return {{std::move(part)}};
}

bool isExpertRole(ParameterRole role) {
  return role >= ParameterRole::ExpertGate &&
         role <= ParameterRole::ExpertDownBias;
}

/// The form of a checkpoint but for its experts.
StorageForm formOf(const ModelConfig &config,
                   const StorageNames::Prefixes &prefixes) {
  StorageForm form;
  form.bodyPrefix = prefixes.body;
  form.headPrefix = prefixes.head;
  form.expertMatrices = config.storage.expertMatrices;
  form.headsInHalves = config.rope.storedInHalves;
  form.centredNorms = config.storage.centredNorms;
  return form;
}

} // namespace

StorageForm publishedForm(const ModelConfig &config, ExpertLayout layout) {
  const std::vector<ExpertLayout> &known = config.storage.layouts;
  if (!known.empty() &&
      std::find(known.begin(), known.end(), layout) == known.end()) {
    layout = known.front();
  }
  StorageForm form = formOf(config, config.storage.prefixes.front());
  form.experts.assign(config.layers.size(), layout);
  return form;
}

std::vector<ParameterBinding> bindParameters(const Graph &graph,
                                             const StorageForm &form) {
  std::vector<ParameterBinding> bindings;
  for (const Parameter &parameter : graph.parameters) {
    bindings.push_back(isExpertRole(parameter.role)
                           ? bindExperts(parameter, form)
                           : bindOne(parameter, form));
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
  for (const std::string &prefix : config.storage.foreign) {
    if (name.starts_with(prefix)) {
      return true;
    }
  }
  for (int64_t i = 0; i < config.storage.extraLayers; ++i) {
    auto layer = static_cast<int64_t>(config.layers.size()) + i;
    if (name.starts_with(fmt::format("{}layers.{}.", form.bodyPrefix, layer))) {
      return true;
    }
  }
  // Old checkpoints hold the frequencies that config.json states.
  return name.starts_with(form.bodyPrefix + "layers.") &&
         name.ends_with(".rotary_emb.inv_freq");
}

namespace {

std::string shapeText(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Decides the layout of one layer's experts, in \p form but for them.
Result<ExpertLayout> detectExperts(const ModelConfig &config,
                                   const TensorStore &store,
                                   const StorageForm &form, int64_t layer,
                                   const std::string &place) {
  std::string prefix =
      storedName(form, fmt::format("layers.{}.{}.experts.", layer,
                                   config.names.feedForward));
  const StoredTensor *gateUp = store.find(prefix + "gate_up_proj");
  const StoredTensor *down = store.find(prefix + "down_proj");
  const std::string single =
      fmt::format("{}.weight", config.storage.expertMatrices[0]);
  if (!gateUp && store.find(prefix + "0." + single)) {
    return ExpertLayout::PerExpert;
  }
  if (!gateUp || !down) {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected {}gate_up_proj and down_proj, or one {} per "
        "expert, found no such tensor; take all files of the checkpoint",
        place, quoteText(prefix + (gateUp ? "down_proj" : "gate_up_proj")),
        gateUp ? "beside " : "", single)};
  }
  // Where one of the two shapes is the same in both layouts (H = 2I or H = I),
  // the other one decides; where both are, the published layout.
  using Shape = std::vector<int64_t>;
  int64_t h = config.hidden, i = config.expertWidth, e = config.experts;
  for (ExpertLayout layout : config.storage.layouts) {
    bool outIn = layout == ExpertLayout::StackedOutIn;
    bool fits = outIn ? gateUp->shape == Shape{e, 2 * i, h} &&
                            down->shape == Shape{e, h, i}
                      : gateUp->shape == Shape{e, h, 2 * i} &&
                            down->shape == Shape{e, i, h};
    if (layout != ExpertLayout::PerExpert && fits) {
      return layout;
    }
  }
  return Diagnostic{fmt::format(
      "{}: tensor {}: expected shapes [{}, {}, {}] and [{}, {}, {}] of "
      "gate_up_proj and down_proj (or both with the last two sizes "
      "exchanged), found {} and {}; config.json and weights are of "
      "different models",
      gateUp->file, quoteText(gateUp->name), e, h, 2 * i, e, i, h,
      shapeText(gateUp->shape), shapeText(down->shape))};
}

} // namespace

Result<StorageForm> detectForm(const ModelConfig &config,
                               const TensorStore &store,
                               const std::string &place) {
  std::vector<std::string> found, candidates;
  StorageForm form;
  for (const StorageNames::Prefixes &prefixes : config.storage.prefixes) {
    std::string name = prefixes.body + "embed_tokens.weight";
    candidates.push_back(name);
    if (store.find(name)) {
      found.push_back(name);
      form = formOf(config, prefixes);
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
  const std::string &block = config.names.feedForward;
  for (size_t layer = 0; layer < config.layers.size(); ++layer) {
    if (config.layers[layer].feedForward != FeedForward::Experts) {
      continue;
    }
    const std::string &other = config.storage.otherFeedForward;
    std::string router = fmt::format("layers.{}.{}.{}.weight", layer, other,
                                     config.names.router);
    if (!other.empty() && store.find(form.bodyPrefix + router)) {
      form.renamed = {block, other};
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
