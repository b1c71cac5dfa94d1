//===- ChipModel.h - A compiled model with its references -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_MODELS_CHIPMODEL_H
#define CHIPWRIGHT_TESTS_DIFF_MODELS_CHIPMODEL_H

#include "compiler/CompileModel.h"
#include "models/MadeUpWeights.h"
#include "models/Weights.h"
#include "runtime/Comparison.h"
#include "runtime/OpCheck.h"
#include "runtime/Session.h"
#include "runtime/SimDevice.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chipwright::test {

/// What the functions here throw: the diagnostic of what is refused.
struct Refused : std::runtime_error {
  explicit Refused(const Diagnostic &diagnostic)
      : std::runtime_error(diagnostic.message),
        exitStatus(diagnostic.exitStatus) {}
  int exitStatus;
};

/// A model, its weights and its package for one chip.
struct ChipModel {
  models::ModelConfig config;
  models::Graph graph;
  std::shared_ptr<models::Weights> weights;
  ResolvedChip chip;
  Package package;

  struct Bounds {
    int64_t tokens = 64, batch = 4, context = 128;
  };

  /// The model of a config.json with made-up weights.
  static ChipModel make(const nlohmann::json &config,
                        const models::WeightRule &rule,
                        const std::string &chipName,
                        const std::vector<std::string> &sets, DType product,
                        Bounds bounds = {64, 4, 128},
                        std::optional<DType> weightType = {});
  /// A checkpoint in a directory.
  static ChipModel open(const std::string &directory,
                        const std::string &chipName, DType product,
                        Bounds bounds = {64, 4, 128},
                        std::optional<DType> weightType = {});

private:
  void compile(DType product, Bounds bounds, std::optional<DType> weightType);
};

/// The golden model's configuration.
nlohmann::json goldenConfig();

/// A chip that executes a model, checked op by op, and the reference beside
/// it, which takes the chip's experts.
class CheckedRun {
public:
  explicit CheckedRun(const ChipModel &model);

  /// Appends \p pieces. \returns the chip's logits of all their tokens.
  models::HostMatrix<float>
  step(const std::vector<models::SequencePiece> &pieces);

  const ComparisonResult &comparison() const { return compare->result(); }
  const OpCheck &ops() const { return *check; }
  /// Relative error of the reference with rounded operands of products to the
  /// one without, over the same steps.
  double roundingError() const {
    return std::sqrt(roundingSquares / referenceSquares);
  }
  const StepOutcome &last() const { return outcome; }

private:
  std::unique_ptr<SimDevice> device;
  std::unique_ptr<Device> host, roundedHost;
  std::unique_ptr<OpCheck> check;
  std::unique_ptr<Comparison> compare;
  std::unique_ptr<Session> session;
  StepOutcome outcome;
  double roundingSquares = 0, referenceSquares = 0;
};

/// What each op may err by: the bound on the mean of many roundings, or the
/// limit that follows from it for as many elements as the op's result has
/// (OpError::limit()). A step of one token may have a handful.
enum class OpLimit { Bound, OfElements };

/// Expects what a correct run shows: logits within the larger of \p bound and
/// twice the error of rounded operands, no choice of experts beyond the
/// router's error, each op within its \p limit.
void expectAgreement(const CheckedRun &run, double bound,
                     const std::string &what,
                     OpLimit limit = OpLimit::OfElements);

/// A prompt for \p sequence.
models::SequencePiece prompt(int32_t sequence, int64_t tokens,
                             int64_t vocabulary, uint64_t seed);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_MODELS_CHIPMODEL_H
