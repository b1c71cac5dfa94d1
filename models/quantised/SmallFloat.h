//===- SmallFloat.h - Floats of eight bits and fewer ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The element and scale formats of quantised checkpoints, as the OCP
// specifications of 8-bit floats (OFP8) and of microscaling (MX, 1.0) define
// them. Decoding is exact; encoding rounds to nearest, ties to even, and
// saturates, as producers of checkpoints do. The chips' own conversions are in
// sim/numerics, which models/ does not use; a test holds the two together.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_QUANTISED_SMALLFLOAT_H
#define CHIPWRIGHT_MODELS_QUANTISED_SMALLFLOAT_H

#include <bit>
#include <cstdint>
#include <limits>
#include <span>

namespace chipwright::models {

/// Floats with a sign; codes occupy the low bits of a byte.
enum class SmallFloat : uint8_t {
  E4M3, // largest 448; NaN is 0x7f and 0xff; no infinity
  E5M2, // largest 57344; infinity and NaN as in IEEE formats
  E3M2, // largest 28; neither infinity nor NaN
  E2M3, // largest 7.5; the same
  E2M1, // largest 6; the same
};

/// What a format's codes mean.
struct SmallFloatLayout {
  int exponentBits, mantissaBits, bias;
  uint8_t largest;      // code of the largest finite number
  uint8_t firstSpecial; // infinity or NaN from here on; 0: the format has none
  uint8_t nan;          // 0: none
  bool infinity;        // firstSpecial is infinity
  int topExponent;      // of the largest number: floor(log2(it))
};

constexpr SmallFloatLayout smallFloatLayout(SmallFloat format) {
  switch (format) {
  case SmallFloat::E4M3:
    return {4, 3, 7, 0x7e, 0x7f, 0x7f, false, 8};
  case SmallFloat::E5M2:
    return {5, 2, 15, 0x7b, 0x7c, 0x7e, true, 15};
  case SmallFloat::E3M2:
    return {3, 2, 3, 0x1f, 0, 0, false, 4};
  case SmallFloat::E2M3:
    return {2, 3, 1, 0x1f, 0, 0, false, 2};
  case SmallFloat::E2M1:
    break;
  }
  return {2, 1, 1, 0x07, 0, 0, false, 2};
}

/// \returns the bits of a code: 4, 6 or 8.
constexpr unsigned smallFloatBits(SmallFloat format) {
  SmallFloatLayout layout = smallFloatLayout(format);
  return static_cast<unsigned>(1 + layout.exponentBits + layout.mantissaBits);
}

/// \returns the value of \p code; bits above the format's are ignored. NaN is
/// the positive quiet NaN.
constexpr float floatOfSmall(SmallFloat format, uint8_t code) {
  SmallFloatLayout layout = smallFloatLayout(format);
  unsigned signBit = smallFloatBits(format) - 1;
  unsigned magnitude = code & ((1u << signBit) - 1);
  uint32_t sign = static_cast<uint32_t>(code >> signBit & 1) << 31;
  if (layout.firstSpecial != 0 && magnitude >= layout.firstSpecial) {
    bool infinite = layout.infinity && magnitude == layout.firstSpecial;
    return std::bit_cast<float>(infinite ? sign | 0x7f800000 : 0x7fc00000u);
  }
  int exponent = static_cast<int>(magnitude >> layout.mantissaBits);
  uint32_t mantissa = magnitude & ((1u << layout.mantissaBits) - 1);
  if (exponent != 0) {
    mantissa |= 1u << layout.mantissaBits;
  } else {
    exponent = 1;
  }
  // mantissa x 2^step, both exact in fp32.
  int step = exponent - layout.bias - layout.mantissaBits;
  float value = static_cast<float>(mantissa) *
                std::bit_cast<float>(static_cast<uint32_t>(step + 127) << 23);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

/// \returns the code nearest to \p value, ties to even. Beyond the largest
/// number, infinity included, that number's code; NaN gives the format's NaN,
/// in a format without one positive zero.
uint8_t smallOfFloat(SmallFloat format, float value);

/// \returns 2^(code - 127), or NaN for 0xff.
constexpr float floatOfE8m0(uint8_t code) {
  return std::bit_cast<float>(code == 0xff ? 0x7fc00000u
                              : code == 0  ? 0x00400000u
                                           : static_cast<uint32_t>(code) << 23);
}

/// \returns the scale of an MX block whose largest magnitude is \p largest:
/// 2^(floor(log2(largest)) - topExponent), within what E8M0 holds; the
/// smallest scale for 0, NaN for NaN.
uint8_t mxScale(SmallFloat format, float largest);

/// Encodes an MX block: the scale of its largest magnitude, then every element
/// divided by it. \p codes is as long as \p values. \returns the scale.
uint8_t encodeMxBlock(SmallFloat format, std::span<const float> values,
                      uint8_t *codes);

/// Encodes an NVFP4 block (16 E2M1 elements) of a tensor whose scale is
/// \p tensorScale: value = element x block scale x tensorScale. \returns the
/// E4M3 block scale.
uint8_t encodeNvfp4Block(std::span<const float> values, float tensorScale,
                         uint8_t *codes);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_QUANTISED_SMALLFLOAT_H
