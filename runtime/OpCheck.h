//===- OpCheck.h - Each op of a chip against fp64 ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Feeds each op of the graph the operands that the chip's op had and compares
// its results with models::Reference in fp64, so that an error shows at the op
// that makes it. Operands of matrix products are rounded to the chip's product
// type first, which is part of what such a product is. Values that no buffer
// holds, because ops are fused, are computed from those that are held; bounds
// add up along such a chain.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_OPCHECK_H
#define CHIPWRIGHT_RUNTIME_OPCHECK_H

#include "runtime/Comparison.h"
#include "runtime/SimDevice.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chipwright {

/// One result of an op in one step.
struct OpError {
  size_t step = 0;
  std::string op, value;
  models::OpKind kind{};
  double error = 0, bound = 0; // relative, Frobenius norm
  int64_t row = 0, column = 0; // of the largest difference
  /// How many elements of equal size would scatter as much as those of the
  /// result, (sum of squares)^2 / sum of fourth powers: a few large ones decide
  /// the norm of a long row.
  double elements = 1;

  /// What counts as agreement: the bound is one on the mean of many roundings,
  /// few may be larger by chance, and the largest one is twice as large.
  double limit() const;
  bool agrees() const { return error <= limit(); }
};

/// \returns what an op of \p kind may add to the relative error of its result
/// with products in \p type: one rounding of the result, for attention and
/// experts two (they round between products).
/// \p linear is the 8-bit type of linear maps and experts. Activations are
/// divided by their scale in fp32, which may move ties and their neighbours to
/// the other side: rare for int8, up to one element in 50 for fp8, whose
/// numbers are few. In experts that happens to both factors of a product, and
/// with
/// \p products (models::mayQuantiseProducts()) to the product.
double opErrorBound(models::OpKind kind, DType type,
                    std::optional<models::RowType> linear = {},
                    bool products = false);

class OpCheck final : public LaunchObserver {
public:
  /// \p graph and \p weights must outlive this. \p linear and \p products are
  /// those of models::ReferenceOptions.
  OpCheck(const models::Graph &graph, const models::Weights &weights,
          DType productType, int64_t slots,
          std::optional<models::RowType> linear = {},
          std::optional<bool> products = {},
          std::optional<models::BlockType> blocks = {});

  Result<void> stepBegins(const models::Step &step,
                          const StepSizes &sizes) override;
  Result<void> afterLaunch(PackageMachine &machine, size_t launch) override;
  Result<void> stepEnds() override;

  /// All results that were compared, in order of steps and ops.
  const std::vector<OpError> &errors() const { return list; }

  /// \returns the first result that disagrees, or nullptr.
  const OpError *firstFault() const;

  /// Choices of experts, each against the logits of the chip's own operands.
  const ComparisonResult &choices() const { return routing; }

private:
  Result<void> check(const models::Op &op);

  const models::Graph &graph;
  DType productType;
  std::optional<models::RowType> linear;
  bool products; // quantised too
  models::Reference<double> reference;
  models::KvCache<double> cache; // of the chip's own keys and values
  StepSizes sizes;
  size_t stepNumber = 0;
  std::vector<models::HostValue<double>> values; // by ValueId
  std::vector<bool> isHeld;                      // by the chip, by ValueId
  std::vector<double> slack; // bound on a computed value's error, by ValueId
  std::vector<OpError> list;
  ComparisonResult routing;
};

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_OPCHECK_H
