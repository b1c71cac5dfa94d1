//===- RowQuantisation.h - Rows as 8-bit numbers and a scale ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A row becomes q = x / s rounded to the nearest number of a type, ties to
// even, where s takes the row's largest magnitude to the type's largest number.
// Weights are quantised so when they are loaded, activations when a map runs.
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

extern template float scaleRow<float>(RowType, float *, int64_t);
extern template double scaleRow<double>(RowType, double *, int64_t);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_ROWQUANTISATION_H
