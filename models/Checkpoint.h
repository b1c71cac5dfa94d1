//===- Checkpoint.h - A model in a directory --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_CHECKPOINT_H
#define CHIPWRIGHT_MODELS_CHECKPOINT_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"
#include "models/ModelConfig.h"
#include "models/Weights.h"

#include <string>

namespace chipwright::models {

/// A model in Hugging Face form, opened: config.json read, weights bound to
/// the graph and mapped.
struct Checkpoint {
  ModelConfig config;
  Graph graph;
  Weights weights;
};

/// Opens the checkpoint in \p directory. Refused as by readModelConfig(),
/// openSafetensorsDirectory() and Weights::bind().
Result<Checkpoint> openCheckpoint(const std::string &directory);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_CHECKPOINT_H
