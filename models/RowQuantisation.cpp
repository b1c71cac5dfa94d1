//===- RowQuantisation.cpp - Rows as 8-bit numbers and a scale ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/RowQuantisation.h"

#include <algorithm>
#include <cmath>

namespace chipwright::models {

std::optional<RowType> rowTypeOf(DType type) {
  switch (type) {
  case DType::I8:
    return RowType::I8;
  case DType::F8E4M3:
    return RowType::F8E4M3;
  case DType::F8E5M2:
    return RowType::F8E5M2;
  default:
    return std::nullopt;
  }
}

double largestNumber(RowType type) {
  switch (type) {
  case RowType::I8:
    return 127;
  case RowType::F8E4M3:
    return 448;
  case RowType::F8E5M2:
    return 57344;
  }
  return 1;
}

double nearestNumber(RowType type, double value) {
  const double largest = largestNumber(type);
  value = std::clamp(value, -largest, largest);
  if (type == RowType::I8) {
    return std::nearbyint(value);
  }
  // One bit and `fraction` bits behind it down to the smallest normal number;
  // below that the last of them stays where it is.
  const bool isE4 = type == RowType::F8E4M3;
  const int fraction = isE4 ? 3 : 2, lowest = isE4 ? -6 : -14;
  const int exponent =
      value == 0 ? lowest : std::max(std::ilogb(value), lowest);
  return std::ldexp(std::nearbyint(std::ldexp(value, fraction - exponent)),
                    exponent - fraction);
}

template <typename T> T scaleRow(RowType type, T *row, int64_t count) {
  T largest = T(1e-30);
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(row[i]));
  }
  const T scale = largest * static_cast<T>(1 / largestNumber(type));
  const T inverse = T(1) / scale;
  for (int64_t i = 0; i < count; ++i) {
    row[i] *= inverse;
  }
  return scale;
}

template float scaleRow<float>(RowType, float *, int64_t);
template double scaleRow<double>(RowType, double *, int64_t);

} // namespace chipwright::models
