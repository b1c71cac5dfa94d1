//===- RandomModel.h - Models of any size -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_MODELS_RANDOMMODEL_H
#define CHIPWRIGHT_TESTS_DIFF_MODELS_RANDOMMODEL_H

#include "tests/diff/models/ChipModel.h"

#include <algorithm>
#include <random>

namespace chipwright::test {

/// CHIPWRIGHT_SEED, or a new one.
uint64_t seedOfRun();

class Draw {
public:
  explicit Draw(uint64_t seed) : engine(seed) {}

  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  }
  /// Uniform in the logarithm.
  int64_t around(int64_t low, int64_t high) {
    double x = std::uniform_real_distribution<double>(
        std::log(double(low)), std::log(double(high) + 1))(engine);
    return std::min(static_cast<int64_t>(std::exp(x)), high);
  }
  bool chance(double p) { return std::bernoulli_distribution(p)(engine); }

private:
  std::mt19937_64 engine;
};

struct RandomModel {
  nlohmann::json config;
  int64_t chunk = 0;
};

/// What a share of the models must have is dealt out by \p number, so that no
/// draw needs to be rejected.
RandomModel drawModel(Draw &draw, int number);

/// The configuration of a model with experts, of the families in turn.
nlohmann::json drawExpertModel(Draw &draw, int number);

/// What a run of a random model was.
struct RandomRun {
  bool isUnbalanced = false; // an expert without tokens, or with all
  bool isBeyondChunk = false, isRagged = false;
};

/// Runs a ragged batch of prompts and a few decode steps, and expects
/// agreement. Throws what ChipModel and CheckedRun throw.
RandomRun runRandomModel(const ChipModel &model, const RandomModel &drawn,
                         Draw &draw, int number, uint64_t seed,
                         const std::string &what);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_MODELS_RANDOMMODEL_H
