//===- SmallFloat.cpp - Floats of eight bits and fewer ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/quantised/SmallFloat.h"

#include <algorithm>
#include <cmath>

namespace chipwright::models {

namespace {

/// \returns the largest magnitude, or NaN if any value is.
float largestOf(std::span<const float> values) {
  float largest = 0;
  for (float value : values) {
    if (std::isnan(value)) {
      return value;
    }
    largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

} // namespace

uint8_t smallOfFloat(SmallFloat format, float value) {
  SmallFloatLayout layout = smallFloatLayout(format);
  if (std::isnan(value)) {
    return layout.nan;
  }
  unsigned sign = std::signbit(value)
                      ? 1u << (layout.exponentBits + layout.mantissaBits)
                      : 0;
  float magnitude = std::fabs(value);
  if (magnitude >= floatOfSmall(format, layout.largest)) {
    return static_cast<uint8_t>(sign | layout.largest);
  }
  // Below the smallest normal exponent the steps stay as wide as there.
  int lowest = 1 - layout.bias;
  int exponent =
      magnitude == 0 ? lowest : std::max(std::ilogb(magnitude), lowest);
  // Exact in fp64; the result counts steps, so that a carry into the exponent
  // needs no care.
  double steps = std::nearbyint(std::ldexp(static_cast<double>(magnitude),
                                           layout.mantissaBits - exponent));
  auto code = static_cast<unsigned>(steps) +
              (static_cast<unsigned>(exponent - lowest) << layout.mantissaBits);
  return static_cast<uint8_t>(sign | std::min<unsigned>(code, layout.largest));
}

uint8_t mxScale(SmallFloat format, float largest) {
  if (std::isnan(largest)) {
    return 0xff;
  }
  if (largest == 0) {
    return 0;
  }
  int exponent = std::isinf(largest) ? 128 : std::ilogb(largest);
  exponent -= smallFloatLayout(format).topExponent;
  return static_cast<uint8_t>(std::clamp(exponent, -127, 127) + 127);
}

uint8_t encodeMxBlock(SmallFloat format, std::span<const float> values,
                      uint8_t *codes) {
  uint8_t scale = mxScale(format, largestOf(values));
  for (size_t i = 0; i < values.size(); ++i) {
    // A quotient by a power of two rounds only where it is far below the
    // smallest code.
    codes[i] = scale == 0xff
                   ? 0
                   : smallOfFloat(format, static_cast<float>(std::ldexp(
                                              static_cast<double>(values[i]),
                                              127 - static_cast<int>(scale))));
  }
  return scale;
}

uint8_t encodeNvfp4Block(std::span<const float> values, float tensorScale,
                         uint8_t *codes) {
  float most = largestOf(values);
  uint8_t scale = smallOfFloat(SmallFloat::E4M3, most / 6.0f / tensorScale);
  float step = floatOfSmall(SmallFloat::E4M3, scale) * tensorScale;
  for (size_t i = 0; i < values.size(); ++i) {
    codes[i] = step > 0 ? smallOfFloat(SmallFloat::E2M1, values[i] / step) : 0;
  }
  return scale;
}

} // namespace chipwright::models
