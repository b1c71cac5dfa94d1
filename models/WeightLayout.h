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

#include <array>
#include <string>
#include <vector>

namespace chipwright::models {

/// Names and layouts of one checkpoint.
struct StorageForm {
  std::string bodyPrefix;            // of everything but the head: "model."
  std::string headPrefix;            // of lm_head.weight
  std::vector<ExpertLayout> experts; // per layer of the model
  std::array<std::string, 3> expertMatrices = {"gate_proj", "up_proj",
                                               "down_proj"};
  /// Module `renamed[0]` of the model is called `renamed[1]` in the files.
  std::array<std::string, 2> renamed = {};
  bool headsInHalves = false; // RopeConfig::storedInHalves
  bool centredNorms = false;  // StorageNames::centredNorms
};

/// The form in which checkpoints of \p config are published, with the experts
/// of all layers in \p layout; in the published layout if the family has none
/// such.
StorageForm publishedForm(const ModelConfig &config, ExpertLayout layout);

/// Which stored rows a parameter's rows are. Without a head, one after the
/// other.
struct RowOrder {
  int64_t head = 0;       // rows of a head (or run)
  int64_t headStride = 0; // elements from a head to the next one
  /// Pairs of neighbours are stored as all first rows, then all second ones.
  bool inHalves = false;

  /// \returns the elements from the first row to \p row, rows \p stride apart.
  int64_t offset(int64_t row, int64_t stride) const {
    if (head == 0) {
      return row * stride;
    }
    int64_t within = row % head;
    if (inHalves) {
      within = within % 2 * (head / 2) + within / 2;
    }
    return row / head * headStride + within * stride;
  }
};

/// Part of a stored tensor: one matrix, or all stacked ones. The element of a
/// matrix is at offset + rowOrder.offset(row, rowStride) + column *
/// columnStride. A vector is one row; rowOrder is that of its columns.
struct StoredPart {
  TensorSpec tensor; // type not stated
  int64_t offset = 0;
  int64_t matrixStride = 0, rowStride = 0, columnStride = 0; // in elements
  RowOrder rowOrder = {};
  float added = 0; // to each stored value
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
