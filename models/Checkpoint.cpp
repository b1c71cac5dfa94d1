//===- Checkpoint.cpp - A model in a directory ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "models/ConfigReader.h"
#include "models/Safetensors.h"

#include <filesystem>

namespace chipwright::models {

Result<Checkpoint> openCheckpoint(const std::string &directory) {
  Result<ModelConfig> config = readModelConfig(
      (std::filesystem::path(directory) / "config.json").string());
  if (!config) {
    return config.error();
  }
  Graph graph = buildGraph(*config);
  auto store = openSafetensorsDirectory(directory);
  if (!store) {
    return store.error();
  }
  Result<Weights> weights =
      Weights::bind(*config, graph, store.take(), directory);
  if (!weights) {
    return weights.error();
  }
  return Checkpoint{config.take(), std::move(graph), weights.take()};
}

} // namespace chipwright::models
