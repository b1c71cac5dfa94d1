//===- RowQuantisation.cpp - Rows as 8-bit numbers and a scale ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/RowQuantisation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

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

/// \returns max |x| / largestNumber(type), or a tiny number for zeros.
template <typename T>
static T largestScale(RowType type, const T *row, int64_t count) {
  T largest = T(1e-30);
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(row[i]));
  }
  return largest * static_cast<T>(1 / largestNumber(type));
}

template <typename T> static void divideRow(T *row, int64_t count, T scale) {
  const T inverse = T(1) / scale;
  for (int64_t i = 0; i < count; ++i) {
    row[i] *= inverse;
  }
}

template <typename T> T scaleRow(RowType type, T *row, int64_t count) {
  const T scale = largestScale(type, row, count);
  divideRow(row, count, scale);
  return scale;
}

/// The sum of (q s - x)^2 over a row, |x / s| within the numbers of an 8-bit
/// float with \p fraction bits whose smallest normal number is \p normal.
/// Rounding is addition and subtraction of a number whose last bit is the step:
/// 1.5 * 2^(23 - fraction) times the power of two below |x / s|.
static double squaredError(const float *row, int64_t count, float scale,
                           int fraction, float normal) {
  // Sums of their own, so that neighbours are added at the same time.
  constexpr int64_t lanes = 8;
  std::array<double, lanes> errors = {};
  const float inverse = 1 / scale,
              step = static_cast<float>(3 << (22 - fraction));
  auto add = [&](double &error, float element) {
    const float x = element * inverse;
    const float power = std::bit_cast<float>(
        std::bit_cast<uint32_t>(std::max(std::abs(x), normal)) &
        uint32_t(0x7f800000));
    const float lost = (x + power * step) - power * step - x;
    error += static_cast<double>(lost * lost);
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      add(errors[static_cast<size_t>(lane)], row[i + lane]);
    }
  }
  for (; i < count; ++i) {
    add(errors[0], row[i]);
  }
  return std::accumulate(errors.begin(), errors.end(), 0.0) * scale * scale;
}

/// \returns by which eighth of an octave the scale of a row of weights exceeds
/// largestScale().
static int bestEighth(RowType type, const float *row, int64_t count) {
  if (type == RowType::I8) {
    return 0;
  }
  const bool isE4 = type == RowType::F8E4M3;
  const float smallest = largestScale(type, row, count);
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int eighth = 0; eighth < 8; ++eighth) {
    double error = squaredError(
        row, count, smallest * static_cast<float>(std::exp2(eighth / 8.0)),
        isE4 ? 3 : 2, isE4 ? 0x1p-6F : 0x1p-14F);
    if (error < least) {
      least = error;
      best = eighth;
    }
  }
  return best;
}

template <typename T> T scaleWeightRow(RowType type, T *row, int64_t count) {
  const std::vector<float> narrow(row, row + count);
  const T scale =
      largestScale(type, row, count) *
      static_cast<T>(std::exp2(bestEighth(type, narrow.data(), count) / 8.0));
  divideRow(row, count, scale);
  return scale;
}

template float scaleRow<float>(RowType, float *, int64_t);
template double scaleRow<double>(RowType, double *, int64_t);
template float scaleWeightRow<float>(RowType, float *, int64_t);
template double scaleWeightRow<double>(RowType, double *, int64_t);

} // namespace chipwright::models
