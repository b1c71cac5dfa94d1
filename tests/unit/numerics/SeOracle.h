//===- SeOracle.h - The SE functions in fp64 --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The mathematical functions by the host's fp64 libm, whose error (a few
// 2^-53) is negligible beside an fp32 ulp. For tests and measurements only.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_NUMERICS_SEORACLE_H
#define CHIPWRIGHT_TESTS_UNIT_NUMERICS_SEORACLE_H

#include "sim/numerics/SeFunctions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chipwright::sim {

inline double timesLogistic(double x, double y) {
  double small = std::exp(-std::fabs(y));
  return (y < 0 ? x * small : x) / (1 + small);
}

inline double seOracle(SeFunction f, double x) {
  switch (f) {
  case SeFunction::Identity:
    return x;
  case SeFunction::Exp:
    return std::exp(x);
  case SeFunction::Recip:
    return 1 / x;
  case SeFunction::Rsqrt:
    return 1 / std::sqrt(x);
  case SeFunction::Sigmoid: {
    double small = std::exp(-std::fabs(x));
    return (x < 0 ? small : 1.0) / (1 + small);
  }
  case SeFunction::Silu:
    return timesLogistic(x, x);
  case SeFunction::Tanh:
    return std::tanh(x);
  case SeFunction::Gelu:
    return timesLogistic(x, 2 * std::sqrt(2 / std::numbers::pi) *
                                (x + 0.044715 * x * x * x));
  case SeFunction::Log:
    return std::log(x);
  case SeFunction::Abs:
    return std::fabs(x);
  }
  return 0;
}

/// \returns the error of \p result in units in the last place of fp32 at
/// \p exact; infinite where only one of them is NaN or rounds to infinity.
inline double errorInUlps(float result, double exact) {
  if (std::isnan(exact)) {
    return std::isnan(result) ? 0 : INFINITY;
  }
  // Above this the exact value rounds to infinity.
  if (std::fabs(exact) >= 0x1.ffffffp127) {
    return std::isinf(result) && (result > 0) == (exact > 0) ? 0 : INFINITY;
  }
  int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return std::fabs(result - exact) / std::ldexp(1.0, exponent - 23);
}

} // namespace chipwright::sim

#endif // CHIPWRIGHT_TESTS_UNIT_NUMERICS_SEORACLE_H
