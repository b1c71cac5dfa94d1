//===- ModelReport.h - Runs of models as text and JSON ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_MODELREPORT_H
#define CHIPWRIGHT_RUNTIME_MODELREPORT_H

#include "chips/ResolvedChip.h"
#include "runtime/Comparison.h"
#include "runtime/OpCheck.h"
#include "runtime/Session.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chipwright {

/// All that a report of one run says.
struct ModelRun {
  std::string model, modelType, device; // checkpoint, family, "sim" or "cpu"
  sim::Mode mode = sim::Mode::Functional;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::string> texts; // new ones, by sequence; none without words
  GenerateResult generated;
  double cpuSeconds = 0;            // of the host, of this process
  double wallSeconds = 0;           // of the steps
  std::optional<double> perplexity; // of the prompts
  int64_t predictedTokens = 0;
  // Chips only:
  const ResolvedChip *chip = nullptr;
  std::string package;     // hash
  uint64_t imageBytes = 0; // PackageMachine::imageBytes()
  DType productType = DType::BF16;
  std::optional<DType> linearType; // where linear maps are quantised
  std::optional<models::BlockType> weightType; // of weights stored in 4 bits
  // Checks, where asked for:
  std::optional<ComparisonResult> comparison;
  std::optional<std::vector<OpError>> opErrors;
  std::optional<ComparisonResult> opChoices;

  /// ExitOk, or ExitMismatch if a check disagrees.
  int exitStatus() const;
};

/// Adds what \p more cost to \p sum. Shares become means over the time; the
/// link is the busier one of the two.
void addMeasurement(Measurement &sum, const Measurement &more);

/// The result for people; ends with the verdict.
std::string formatRun(const ModelRun &run);

/// The result with the names that docs/running-models.md lists.
nlohmann::ordered_json toJson(const ModelRun &run,
                              const std::string &commandLine);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_MODELREPORT_H
