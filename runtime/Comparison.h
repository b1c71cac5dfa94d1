//===- Comparison.h - A chip's logits against the reference -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_COMPARISON_H
#define CHIPWRIGHT_RUNTIME_COMPARISON_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "runtime/Device.h"
#include "runtime/Session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright {

/// What a comparison found so far.
struct ComparisonResult {
  double relativeError = 0; // ||chip - reference|| / ||reference||, all logits
  double errorBound = 0;    // largest accepted one
  int64_t rows = 0;         // tokens with logits
  int64_t sameTop = 0;      // of them, with the same largest logit
  double largestKl = 0; // KL divergence of a row, reference || chip, in nats
  /// Choices of experts, one per token and router.
  int64_t choices = 0, differing = 0;
  /// Differing choices where the reference's margin is more than twice the
  /// error that the token's router logits have on the chip.
  int64_t beyondError = 0;
  /// The largest margin / (2 error) of a differing choice.
  double worstMargin = 0;

  /// Not a number is no agreement.
  bool agrees() const {
    return relativeError <= errorBound && beyondError == 0;
  }
};

/// \returns the error that logits may have with products in \p type: 2e-2 in
/// bf16, 3e-3 in fp16.
double logitsErrorBound(DType type);

/// Runs each step of a chip on a reference device too, which takes the chip's
/// experts.
class Comparison {
public:
  /// \p reference must outlive this and see every step. So must \p rounded, a
  /// reference whose products round their operands as the chip's do: the bound
  /// is then at least twice its own error, which is what rounding costs.
  Comparison(Device &reference, double errorBound, Device *rounded = nullptr);

  /// Refused: a step without logits.
  Result<void> add(const SessionStep &step);

  const ComparisonResult &result() const { return found; }

private:
  void addLogits(const models::HostMatrix<float> &chip,
                 const models::HostMatrix<float> &expected);
  void addRouter(const RouterRecord &chip, const RouterRecord &expected);

  Device &reference;
  Device *rounded;
  ComparisonResult found;
  double leastBound;
  double squaredError = 0, squaredReference = 0, squaredRounding = 0;
};

/// Adds the choices of one router to \p found: \p chip as executed, against
/// what \p expectedLogits would have chosen.
void compareChoices(const models::HostMatrix<float> &chipLogits,
                    const models::HostMatrix<int32_t> &chipChosen,
                    const models::HostMatrix<float> &expectedLogits,
                    ComparisonResult &found);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_COMPARISON_H
