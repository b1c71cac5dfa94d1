//===- Comparison.cpp - A chip's logits against the reference -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

using namespace chipwright;
using namespace chipwright::models;

double chipwright::logitsErrorBound(DType type) {
  return type == DType::F16 ? 3e-3 : 2e-2;
}

Comparison::Comparison(Device &expected, double errorBound, Device *imitation)
    : reference(expected), rounded(imitation), leastBound(errorBound) {
  found.errorBound = errorBound;
}

Result<void> Comparison::add(const SessionStep &step) {
  if (!step.outcome.logits) {
    return Diagnostic{"a comparison needs logits, which timing mode does not "
                      "compute; use --mode functional",
                      ExitUsage};
  }
  RouterChoices replay;
  for (const auto &[name, record] : step.outcome.routers) {
    if (record.chosen.size() > 0) {
      replay[name] = record.chosen;
    }
  }
  auto expected = reference.run(step.step, &replay);
  if (!expected) {
    return expected.error();
  }
  const HostMatrix<float> &chip = *step.outcome.logits;
  if (!expected->logits || expected->logits->rows() != chip.rows() ||
      expected->logits->cols() != chip.cols()) {
    return Diagnostic{fmt::format("expected {} x {} logits of the reference, "
                                  "found other ones",
                                  chip.rows(), chip.cols()),
                      ExitBadInput};
  }
  addLogits(chip, *expected->logits);
  if (rounded) {
    auto imitated = rounded->run(step.step, &replay);
    if (!imitated) {
      return imitated.error();
    }
    squaredRounding +=
        (imitated->logits->cast<double>() - expected->logits->cast<double>())
            .squaredNorm();
    found.errorBound = std::max(
        leastBound,
        2 * std::sqrt(squaredRounding /
                      (squaredReference > 0 ? squaredReference : 1.0)));
  }
  for (const auto &[name, record] : step.outcome.routers) {
    auto place = expected->routers.find(name);
    if (place != expected->routers.end() && record.chosen.size() > 0) {
      addRouter(record, place->second);
    }
  }
  return {};
}

/// log of the sum of exponentials of a row.
static double logSum(const HostMatrix<float> &logits, Eigen::Index row,
                     double largest) {
  return largest +
         std::log(
             (logits.row(row).cast<double>().array() - largest).exp().sum());
}

void Comparison::addLogits(const HostMatrix<float> &chip,
                           const HostMatrix<float> &expected) {
  squaredError += (chip.cast<double>() - expected.cast<double>()).squaredNorm();
  squaredReference += expected.cast<double>().squaredNorm();
  found.relativeError =
      std::sqrt(squaredError / (squaredReference > 0 ? squaredReference : 1.0));
  found.rows += chip.rows();
  for (Eigen::Index row = 0; row < chip.rows(); ++row) {
    int32_t top = greedyToken(&expected(row, 0), expected.cols());
    int32_t chipTop = greedyToken(&chip(row, 0), chip.cols());
    found.sameTop += top == chipTop;
    double sum = logSum(expected, row, expected(row, top));
    double chipSum = logSum(chip, row, chip(row, chipTop));
    double kl = 0;
    for (Eigen::Index i = 0; i < chip.cols(); ++i) {
      double logP = double(expected(row, i)) - sum;
      kl += std::exp(logP) * (logP - (double(chip(row, i)) - chipSum));
    }
    // Written so that a NaN counts.
    if (!(kl <= found.largestKl)) {
      found.largestKl = kl;
    }
  }
}

void Comparison::addRouter(const RouterRecord &chip,
                           const RouterRecord &expected) {
  compareChoices(chip.logits, chip.chosen, expected.logits, found);
}

void chipwright::compareChoices(const HostMatrix<float> &chipLogits,
                                const HostMatrix<int32_t> &chipChosen,
                                const HostMatrix<float> &expectedLogits,
                                ComparisonResult &found) {
  HostMatrix<int32_t> own = chooseExperts(expectedLogits, chipChosen.cols());
  std::vector<float> margins = choiceMargins(expectedLogits, own);
  bool hasLogits = chipLogits.rows() == expectedLogits.rows() &&
                   chipLogits.cols() == expectedLogits.cols();
  found.choices += chipChosen.rows();
  for (Eigen::Index t = 0; t < chipChosen.rows(); ++t) {
    auto setOf = [t](const HostMatrix<int32_t> &chosen) {
      return std::set<int32_t>(chosen.row(t).begin(), chosen.row(t).end());
    };
    if (setOf(chipChosen) == setOf(own)) {
      continue;
    }
    ++found.differing;
    double error = hasLogits
                       ? double((chipLogits.row(t) - expectedLogits.row(t))
                                    .cwiseAbs()
                                    .maxCoeff())
                       : 0;
    double margin = double(margins[static_cast<size_t>(t)]);
    double share = error > 0 ? margin / (2 * error)
                             : std::numeric_limits<double>::infinity();
    found.worstMargin = std::max(found.worstMargin, share);
    found.beyondError += !(margin <= 2 * error);
  }
}
