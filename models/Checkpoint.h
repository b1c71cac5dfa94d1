//===- Checkpoint.h - A model in a directory or a file ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_CHECKPOINT_H
#define CHIPWRIGHT_MODELS_CHECKPOINT_H

#include "chips/Diagnostic.h"
#include "models/Graph.h"
#include "models/ModelConfig.h"
#include "models/TensorStore.h"
#include "models/Weights.h"

#include <memory>
#include <string>

namespace chipwright::models {

/// What a checkpoint consists of, whatever its format: the text of a
/// config.json that says nothing of quantisation, and the tensors of the model
/// as they are called, shaped and valued without it.
struct CheckpointParts {
  std::string configText;
  std::string configFile; // for messages
  std::shared_ptr<const TensorStore> tensors;
};

/// Opens \p path, a directory in Hugging Face form or a GGUF file. Refused as
/// by readQuantisedConfig(), openSafetensorsDirectory(), dequantisedTensors(),
/// GgufFile::open(), ggufConfigText() and ggufTensors().
Result<CheckpointParts> openCheckpointParts(const std::string &path);

/// \returns the text of the config.json of \p path as above, without opening
/// weights: a directory needs none.
Result<CheckpointParts> openCheckpointConfig(const std::string &path);

/// A model, opened: configuration read, weights bound to the graph and mapped.
struct Checkpoint {
  ModelConfig config;
  Graph graph;
  Weights weights;
};

/// Opens the checkpoint \p path, a directory in Hugging Face form or a GGUF
/// file. Refused as by openCheckpointParts(), parseModelConfig() and
/// Weights::bind().
Result<Checkpoint> openCheckpoint(const std::string &path);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_CHECKPOINT_H
