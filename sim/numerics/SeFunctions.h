//===- SeFunctions.h - Functions of the SIMD engine -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The elementary functions of the SIMD engine, fp32 to fp32, defined by the
// sequence of IEEE operations in SeFunctionsInline.h (add, multiply, divide,
// square root, fused multiply-add, integer operations on the encoding), each
// rounded to nearest even. docs/numerics.md states their measured errors.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONS_H
#define CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONS_H

#include "sim/numerics/HostIsa.h"

#include <cstddef>
#include <cstdint>

namespace chipwright::sim {

/// The `f` of an se or drain command; values are the encodings.
enum class SeFunction : uint8_t {
  Identity = 0,
  Exp = 1,
  Recip = 2,
  Rsqrt = 3,
  Sigmoid = 4,
  Silu = 5,
  Tanh = 6,
  Gelu = 7, // the tanh form, 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  Log = 8,  // natural
  Abs = 9,
};
inline constexpr unsigned numSeFunctions = 10;

/// \returns `f(value)`; a NaN result is the canonical NaN.
float seFunction(SeFunction function, float value, HostIsa isa = hostIsa());

/// Applies \p function to \p n values in place.
void seFunctionRow(SeFunction function, float *values, size_t n,
                   HostIsa isa = hostIsa());

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONS_H
