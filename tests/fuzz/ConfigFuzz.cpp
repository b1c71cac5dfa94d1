//===- ConfigFuzz.cpp - Models' config.json -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "models/Graph.h"
#include "tests/fuzz/Fuzz.h"

#include <cstdint>

using namespace chipwright;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto config = models::parseModelConfig(text, "config.json");
  if (!config) {
    fuzz::checkMessage(config.error().message, "config.json");
    return 0;
  }
  fuzz::check(!config->layers.empty() && config->headSize > 0 &&
                  config->heads > 0 && config->kvHeads > 0 &&
                  config->heads % config->kvHeads == 0,
              "accepted sizes make a model");
  models::inverseFrequencies(config->rope, config->headSize);
  models::temperatureAt(config->temperature, 123456);
  // Every accepted model has a graph. Thousands of layers only take time.
  if (config->layers.size() <= 16) {
    models::Graph graph = models::buildGraph(*config);
    fuzz::check(!models::printGraph(graph).empty(), "a graph can be printed");
  }
  return 0;
}
