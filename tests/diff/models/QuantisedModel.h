//===- QuantisedModel.h - Models with products of 8 bits --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_MODELS_QUANTISEDMODEL_H
#define CHIPWRIGHT_TESTS_DIFF_MODELS_QUANTISEDMODEL_H

#include "tests/diff/models/ChipModel.h"

#include <array>
#include <optional>

namespace chipwright::test {

/// How maps are quantised.
struct Quantised {
  const char *chip;
  DType type;
  /// See models::ReferenceOptions::products.
  std::optional<bool> products = {};
  std::vector<std::string> sets = {}; // parameters of the chip
};

/// The model of a config.json with made-up weights, compiled in bf16 with maps
/// in \p how. Throws Refused.
ChipModel quantisedModel(const nlohmann::json &config,
                         const models::WeightRule &rule, const Quantised &how,
                         ChipModel::Bounds bounds = {64, 4, 128});

/// Multiply-accumulates of all experts of a step, by DType, and how many the
/// definition has for one of the three maps.
struct ExpertMacs {
  std::array<uint64_t, sim::kMacTypes> done{};
  uint64_t perMap = 0;
};

/// Runs \p steps and expects what a correct run shows: each op within its bound
/// against the same quantisation in fp64, logits within twice the host's own
/// error with it, no choice of experts beyond the router's error. \returns what
/// experts multiplied. Throws Refused.
ExpertMacs
runQuantised(const ChipModel &model, const Quantised &how,
             const std::vector<std::vector<models::SequencePiece>> &steps,
             const std::string &what);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_MODELS_QUANTISEDMODEL_H
