//===- WeightLayout.h - From parameters to stored tensors -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A graph's parameters have one form ([out, in], experts stacked, gate and up
// apart); checkpoints store them in several. A binding says for each matrix of
// a parameter which stored tensor holds it, from which element on, and how far
// apart rows and columns lie. Readers and writers use the same bindings.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_WEIGHTLAYOUT_H
#define CHIPWRIGHT_MODELS_WEIGHTLAYOUT_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"
#include "models/TensorStore.h"

#include <string>
#include <vector>

namespace chipwright::models {

/// How the experts of a layer are stored.
enum class ExpertLayout {
  StackedInOut, // gate_up_proj [E, in, 2 out], down_proj [E, in, out]
  StackedOutIn, // gate_up_proj [E, 2 out, in], down_proj [E, out, in]
  PerExpert,    // experts.E.{gate,up,down}_proj.weight [out, in]
};

/// Names and layouts of one checkpoint.
struct StorageForm {
  std::string bodyPrefix;            // of everything but the head: "model."
  std::string headPrefix;            // of lm_head.weight
  std::vector<ExpertLayout> experts; // per layer of the model
};

/// The form in which checkpoints of \p config are published, with the experts
/// of all layers in \p layout.
StorageForm publishedForm(const ModelConfig &config, ExpertLayout layout);

/// Part of a stored tensor: one matrix, or all stacked ones.
struct StoredPart {
  TensorSpec tensor; // type not stated
  int64_t offset = 0;
  int64_t matrixStride = 0, rowStride = 0, columnStride = 0; // in elements
};

/// Where a parameter lies: one part, or one per expert.
struct ParameterBinding {
  std::vector<StoredPart> parts;
};

/// \returns the binding of every parameter of \p graph, by ParameterId.
std::vector<ParameterBinding> bindParameters(const Graph &graph,
                                             const StorageForm &form);

/// \returns the stored tensors of a checkpoint of that form, in order of the
/// model, each once.
std::vector<TensorSpec> storedTensors(const Graph &graph,
                                      const StorageForm &form);

/// Finds out in which form \p store holds the model: prefixes by the
/// embedding's name, expert layouts by names and shapes.
Result<StorageForm> detectForm(const ModelConfig &config,
                               const TensorStore &store,
                               const std::string &place);

/// \returns true for tensors that a checkpoint of \p form may hold and that no
/// parameter is stored in: those of other modalities, and the head of a model
/// whose head is its embedding.
bool isUnusedTensor(const ModelConfig &config, const StorageForm &form,
                    const std::string &name);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_WEIGHTLAYOUT_H
