//===- MadeUpWeights.cpp - Weights that follow from names -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/MadeUpWeights.h"
#include "models/ConfigReader.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

namespace chipwright::models {

namespace {

uint32_t mixed(uint32_t u) {
  u ^= u >> 16;
  u *= 0x85EBCA6B;
  u ^= u >> 13;
  u *= 0xC2B2AE35;
  return u ^ u >> 16;
}

/// splitmix64: a counter and a mix, so that elements are independent of order.
uint64_t mixed64(uint64_t u) {
  u += 0x9E3779B97F4A7C15;
  u = (u ^ u >> 30) * 0xBF58476D1CE4E5B9;
  u = (u ^ u >> 27) * 0x94D049BB133111EB;
  return u ^ u >> 31;
}

bool isNorm(std::string_view name) {
  return name.find("norm") != std::string_view::npos &&
         name.ends_with("weight");
}

bool isEmbedding(std::string_view name) {
  return name.find("embed_tokens") != std::string_view::npos;
}

/// Makes the elements of one tensor.
class Maker {
public:
  Maker(std::string_view name, int64_t inputs, const WeightRule &rule)
      : seed(rule.seed), key(fnv1a(name)), norm(isNorm(name)) {
    if (seed) {
      // A uniform number of [-a, a] has the variance a^2 / 3.
      range = norm ? 0.5f
                   : std::sqrt(3.0f / (isEmbedding(name)
                                           ? 1.0f
                                           : static_cast<float>(inputs)));
    } else if (isEmbedding(name) ||
               name.find("sinks") != std::string_view::npos) {
      range = 2;
    } else {
      range = name.find("e_score_correction_bias") != std::string_view::npos
                  ? 0.25f
                  : 0.5f;
    }
  }

  float operator()(uint64_t index) const {
    if (seed) {
      uint64_t bits = mixed64(mixed64(*seed ^ uint64_t(key) << 32) + index);
      // 24 bits, of [-1, 1).
      float unit = static_cast<float>(bits >> 40) * 0x1p-23f - 1.0f;
      float value = (norm ? 1.0f : 0.0f) + range * unit;
      return floatOfBfloat(bfloatOfFloat(value));
    }
    uint32_t u = mixed(key ^ static_cast<uint32_t>(index) * 0x9E3779B1u);
    return norm ? 1.0f + (static_cast<float>(u & 63) - 32.0f) / 64.0f
                : (static_cast<float>(u & 255) - 128.0f) / 256.0f * range;
  }

private:
  std::optional<uint64_t> seed;
  uint32_t key;
  bool norm;
  float range = 0;
};

void store(StoredType type, float value, std::byte *data, uint64_t index) {
  auto put = [&](auto raw) {
    std::memcpy(data + index * sizeof(raw), &raw, sizeof(raw));
  };
  switch (type) {
  case StoredType::BF16:
    return put(bfloatOfFloat(value));
  case StoredType::F16:
    return put(halfOfFloat(value));
  case StoredType::F32:
    return put(value);
  default:
    return put(static_cast<double>(value));
  }
}

} // namespace

uint32_t fnv1a(std::string_view text) {
  uint32_t hash = 0x811C9DC5;
  for (char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  }
  return hash;
}

float namedWeight(std::string_view name, uint64_t index) {
  return Maker(name, 1, WeightRule())(index);
}

std::vector<TensorToWrite> madeUpTensors(const Graph &graph,
                                         const StorageForm &form,
                                         const WeightRule &rule) {
  std::vector<TensorToWrite> result;
  std::map<std::string, float> added;
  for (const ParameterBinding &binding : bindParameters(graph, form)) {
    for (const StoredPart &part : binding.parts) {
      added[part.tensor.name] = part.added;
    }
  }
  for (TensorSpec spec : storedTensors(graph, form)) {
    spec.type = rule.type;
    // Stacked experts are [E, in, out] unless the form says otherwise.
    bool transposed = spec.shape.size() == 3 &&
                      form.experts.front() != ExpertLayout::StackedOutIn;
    int64_t inputs =
        transposed ? spec.shape[spec.shape.size() - 2] : spec.shape.back();
    uint64_t count = 1;
    for (int64_t size : spec.shape) {
      count *= static_cast<uint64_t>(size);
    }
    Maker maker(spec.name, inputs, rule);
    StoredType type = rule.type;
    // The rule makes what the model computes with.
    float less = added[spec.name];
    result.push_back({spec, [maker, type, count, less](std::byte *data) {
                        for (uint64_t i = 0; i < count; ++i) {
                          store(type, maker(i) - less, data, i);
                        }
                      }});
  }
  return result;
}

std::shared_ptr<MemoryTensors> makeTensors(const Graph &graph,
                                           const StorageForm &form,
                                           const WeightRule &rule) {
  auto result = std::make_shared<MemoryTensors>();
  for (const TensorToWrite &tensor : madeUpTensors(graph, form, rule)) {
    tensor.fill(result->add(tensor.spec));
  }
  return result;
}

Result<void> writeMadeUpCheckpoint(const std::string &directory,
                                   std::string_view configText,
                                   const WeightRule &rule, ExpertLayout layout,
                                   uint64_t shardBytes) {
  std::string configPath =
      (std::filesystem::path(directory) / "config.json").string();
  Result<ModelConfig> config = parseModelConfig(configText, configPath);
  if (!config) {
    return config.error();
  }
  Graph graph = buildGraph(*config);
  // config.json last: a directory that has one is complete.
  if (auto done = writeSafetensorsDirectory(
          directory, madeUpTensors(graph, publishedForm(*config, layout), rule),
          shardBytes);
      !done) {
    return done;
  }
  return writeTextFile(configPath, configText);
}

} // namespace chipwright::models
