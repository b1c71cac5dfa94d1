//===- ModelTestSupport.h - Models, steps and files of the tests -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MODELS_MODELTESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_MODELS_MODELTESTSUPPORT_H

#include "models/ConfigReader.h"
#include "models/MadeUpWeights.h"
#include "models/Reference.h"
#include "models/Step.h"
#include "models/Weights.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace chipwright::models {

/// A directory of the test's own, removed at its end.
class ScratchDirectory {
public:
  ScratchDirectory() {
    std::string name =
        (std::filesystem::temp_directory_path() / "chipwright-models-XXXXXX")
            .string();
    path = mkdtemp(name.data());
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path); }
  ScratchDirectory(const ScratchDirectory &) = delete;
  ScratchDirectory &operator=(const ScratchDirectory &) = delete;

  std::string operator/(const std::string &name) const {
    return (path / name).string();
  }
  std::string string() const { return path.string(); }

private:
  std::filesystem::path path;
};

inline std::string readAll(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void writeAll(const std::string &path, const std::string &contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

inline std::string goldenPath(const std::string &name) {
  return std::string(CHIPWRIGHT_SOURCE_DIR) + "/tests/golden/" + name;
}

/// The parsed text of a preset, for tests that change keys.
inline nlohmann::json presetJson(const std::string &name) {
  auto text = presetConfigText(name);
  EXPECT_TRUE(text) << text.error().message;
  return nlohmann::json::parse(*text);
}

/// A model with made-up weights in memory and what executes it.
struct TestModel {
  ModelConfig config;
  Graph graph;
  Weights weights;

  static TestModel make(const nlohmann::json &json, const WeightRule &rule = {},
                        ExpertLayout layout = ExpertLayout::StackedInOut) {
    auto config = parseModelConfig(json.dump(), "test/config.json");
    if (!config) {
      throw std::runtime_error(config.error().message);
    }
    Graph graph = buildGraph(*config);
    auto tensors = makeTensors(graph, publishedForm(*config, layout), rule);
    auto weights = Weights::bind(*config, graph, tensors, "test");
    if (!weights) {
      throw std::runtime_error(weights.error().message);
    }
    return {config.take(), std::move(graph), weights.take()};
  }
};

/// One sequence that grows piece by piece.
template <typename T> class ModelRun {
public:
  ModelRun(const Graph &described, const Weights &weights, int32_t capacity,
           ReferenceOptions options = {}, int32_t sequences = 1)
      : graph(described), reference(described, weights, options),
        table(sequences, capacity), cache(described, table.slots()) {}

  /// Appends the pieces and returns the result of the step.
  StepResult<T> step(const std::vector<SequencePiece> &pieces,
                     Outputs outputs = Outputs::All,
                     const StepOptions<T> &options = {}) {
    auto made = table.append(graph, pieces, outputs);
    if (!made) {
      throw std::runtime_error(made.error().message);
    }
    auto result = reference.run(*made, cache, options);
    if (!result) {
      throw std::runtime_error(result.error().message);
    }
    return result.take();
  }

  /// Logits of all of \p ids, appended to sequence 0 in pieces that end
  /// before each of \p cuts.
  HostMatrix<T> logits(const std::vector<int32_t> &ids,
                       const std::vector<size_t> &cuts = {}) {
    HostMatrix<T> all(static_cast<Eigen::Index>(ids.size()), graph.vocabulary);
    size_t begin = 0;
    std::vector<size_t> ends = cuts;
    ends.push_back(ids.size());
    for (size_t end : ends) {
      auto result = step({{0,
                           {ids.begin() + static_cast<long>(begin),
                            ids.begin() + static_cast<long>(end)}}});
      all.middleRows(static_cast<Eigen::Index>(begin),
                     static_cast<Eigen::Index>(end - begin)) = result.logits;
      begin = end;
    }
    return all;
  }

  const Graph &graph;
  Reference<T> reference;
  SequenceTable table;
  KvCache<T> cache;
};

/// The ids of the golden models: 7 t + 3 mod vocabulary.
inline std::vector<int32_t> rampIds(size_t count, int64_t vocabulary) {
  std::vector<int32_t> ids;
  for (size_t t = 0; t < count; ++t) {
    ids.push_back(
        static_cast<int32_t>((7 * t + 3) % static_cast<size_t>(vocabulary)));
  }
  return ids;
}

template <typename A, typename B>
double largestDifference(const HostMatrix<A> &a, const HostMatrix<B> &b) {
  if (a.rows() != b.rows() || a.cols() != b.cols() || a.size() == 0) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 0;
  for (Eigen::Index i = 0; i < a.size(); ++i) {
    double difference = std::abs(static_cast<double>(a.data()[i]) -
                                 static_cast<double>(b.data()[i]));
    // Written so that a NaN counts.
    if (!(difference <= largest)) {
      largest = difference;
    }
  }
  return largest;
}

} // namespace chipwright::models

#endif // CHIPWRIGHT_TESTS_UNIT_MODELS_MODELTESTSUPPORT_H
