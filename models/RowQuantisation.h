//===- RowQuantisation.h - Rows as 8-bit numbers and a scale ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A row becomes q = x / s rounded to the nearest number of a type, ties to
// even. Activations are quantised when a map runs, with the s that takes the
// row's largest magnitude to the type's largest number; weights when they are
// loaded, which leaves time to look for a better one.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_ROWQUANTISATION_H
#define CHIPWRIGHT_MODELS_ROWQUANTISATION_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <optional>

namespace chipwright::models {

enum class RowType : uint8_t { I8, F8E4M3, F8E5M2 };

/// \returns how rows are quantised to \p type, or nothing if it has more than 8
/// bits.
std::optional<RowType> rowTypeOf(DType type);

/// \returns the number that the largest magnitude of a row becomes: 127 (int8
/// is used symmetrically), 448, 57344.
double largestNumber(RowType type);

/// \returns the number of \p type nearest to \p value, ties to even; values
/// beyond the largest number become that.
double nearestNumber(RowType type, double value);

/// Replaces the \p count elements of \p row by x / s, not rounded, and returns
/// s = max |x| / largestNumber(type), or a tiny number for a row of zeros. In
/// fp32 for T = float, as the chip computes it.
template <typename T> T scaleRow(RowType type, T *row, int64_t count);

/// Like scaleRow(), for a row of weights, with the scale of least squared
/// error. What a float loses depends on where magnitudes lie between two powers
/// of two: of 8 scales from that of scaleRow() up to less than its double, in
/// steps of an eighth of an octave, this takes the best (0.85 of the squared
/// error for bell-shaped weights in fp8). Integers have one step everywhere,
/// and the smallest scale. The choice is made on the row in fp32, so that it is
/// the same for every T.
template <typename T> T scaleWeightRow(RowType type, T *row, int64_t count);

extern template float scaleRow<float>(RowType, float *, int64_t);
extern template double scaleRow<double>(RowType, double *, int64_t);
extern template float scaleWeightRow<float>(RowType, float *, int64_t);
extern template double scaleWeightRow<double>(RowType, double *, int64_t);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_ROWQUANTISATION_H
