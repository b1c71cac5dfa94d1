//===- RowOps.h - Row primitives of the SIMD chain --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The steps of an SE or drain chain on a piece of a row held as fp32.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_ROWOPS_H
#define CHIPWRIGHT_SIM_NUMERICS_ROWOPS_H

#include "sim/numerics/HostIsa.h"

#include <cstddef>
#include <cstdint>

namespace chipwright::sim {

/// A two-operand step `v = v op y`; values are the encodings of op1 and op2.
/// Min and Max are IEEE 754-2019 minimum and maximum: a NaN on either side
/// gives NaN, and -0 is less than +0.
enum class SimdOp : uint8_t { Add = 0, Sub, Mul, Min, Max, ReverseSub };
inline constexpr unsigned numSimdOps = 6;

/// A reduction over columns; values are the encodings of `reduce`.
enum class SimdReduce : uint8_t { None = 0, Sum, Max, AbsMax, SumSquares };
inline constexpr unsigned numSimdReduces = 5;

/// Partial results of a reduction. The number is part of the definition of
/// the result and independent of the lanes of a chip, so that a kernel gives
/// the same bits on every chip.
inline constexpr unsigned reduceLanes = 32;

/// v[i] = v[i] op y[i].
void rowOp(SimdOp op, float *v, const float *y, size_t n, HostIsa isa);

/// v[i] = v[i] op y.
void rowOpScalar(SimdOp op, float *v, float y, size_t n, HostIsa isa);

/// Exchanges v[2i] and v[2i+1]; \p n is even.
void rowSwapPairs(float *v, size_t n, HostIsa isa);

/// One reduction in progress. Element number i of the sequence goes to lane
/// i mod 32, in increasing order of i; finish() combines lane l with lane
/// l + w for w = 16, 8, 4, 2, 1. Lanes start at +0, or -infinity for Max.
/// Squares are rounded before they are added.
class RowReduction {
public:
  RowReduction(SimdReduce kind, HostIsa isa);

  /// Appends \p n elements to the sequence.
  void add(const float *v, size_t n);

  /// \returns the reduction of everything added.
  float finish() const;

  /// \returns \p value and \p previous combined as two results of this kind.
  static float combine(SimdReduce kind, float previous, float value);

private:
  SimdReduce kind;
  HostIsa isa;
  unsigned nextLane = 0;
  alignas(64) float lanes[reduceLanes];
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_ROWOPS_H
