//===- Checkpoint.cpp - A model in a directory or a file --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Checkpoint.h"
#include "models/ConfigReader.h"
#include "models/JsonText.h"
#include "models/Safetensors.h"
#include "models/gguf/GgufCheckpoint.h"
#include "models/quantised/Quantisation.h"

#include <filesystem>

namespace chipwright::models {

namespace {

// Published files have a few KB, those with long lists of quantised modules
// some hundred.
constexpr uint64_t maxConfigBytes = 16 << 20;

Result<CheckpointParts> openParts(const std::string &path, bool withTensors) {
  if (looksLikeGguf(path)) {
    auto file = GgufFile::open(path);
    if (!file) {
      return file.error();
    }
    auto text = ggufConfigText(**file);
    if (!text) {
      return text.error();
    }
    CheckpointParts parts{text.take(), path, nullptr};
    if (withTensors) {
      auto tensors = ggufTensors(file.take());
      if (!tensors) {
        return tensors.error();
      }
      parts.tensors = tensors.take();
    }
    return parts;
  }
  std::string configFile =
      (std::filesystem::path(path) / "config.json").string();
  auto text = readTextFile(configFile, maxConfigBytes, "a config.json");
  if (!text) {
    return text.error();
  }
  auto config = readQuantisedConfig(*text, configFile);
  if (!config) {
    return config.error();
  }
  auto besides = std::filesystem::path(path) / "hf_quant_config.json";
  std::error_code error;
  if (!config->isQuantised && std::filesystem::exists(besides, error)) {
    auto settings =
        readTextFile(besides.string(), maxConfigBytes, "settings of modelopt");
    if (!settings) {
      return settings.error();
    }
    auto quantisation = readModelOptQuantisation(*settings, besides.string());
    if (!quantisation) {
      return quantisation.error();
    }
    config->isQuantised = true;
    config->quantisation = quantisation.take();
  }
  CheckpointParts parts{std::move(config->configText), configFile, nullptr};
  if (!withTensors) {
    return parts;
  }
  auto stored = openSafetensorsDirectory(path);
  if (!stored) {
    return stored.error();
  }
  parts.tensors = stored.take();
  if (config->isQuantised) {
    auto plain = dequantisedTensors(parts.tensors, config->quantisation);
    if (!plain) {
      return plain.error();
    }
    parts.tensors = plain.take();
  }
  return parts;
}

} // namespace

Result<CheckpointParts> openCheckpointParts(const std::string &path) {
  return openParts(path, true);
}

Result<CheckpointParts> openCheckpointConfig(const std::string &path) {
  return openParts(path, false);
}

Result<Checkpoint> openCheckpoint(const std::string &path) {
  auto parts = openCheckpointParts(path);
  if (!parts) {
    return parts.error();
  }
  auto config = parseModelConfig(parts->configText, parts->configFile);
  if (!config) {
    return config.error();
  }
  Graph graph = buildGraph(*config);
  auto weights = Weights::bind(*config, graph, std::move(parts->tensors), path);
  if (!weights) {
    return weights.error();
  }
  return Checkpoint{config.take(), std::move(graph), weights.take()};
}

} // namespace chipwright::models
