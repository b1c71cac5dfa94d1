//===- Element.h - Element formats and their conversions --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Conversions between fp32, the working format of every engine, and the
// formats of stored elements. They are integer arithmetic and exact IEEE
// operations only, so that neither libm nor the host's conversion
// instructions decide a bit. Common rules:
//
//  - to nearest, ties to even; subnormals are kept in both directions;
//  - fp16, bf16, tf32 and fp8 e5m2 have infinities: overflow gives infinity;
//  - fp8 e4m3 (OCP OFP8: no infinity, one NaN code per sign) saturates:
//    overflow and infinity give +-448;
//  - int8 and int32 saturate; NaN gives 0;
//  - int4, fp4 e2m1 and fp8 e8m0 are only read, which is exact;
//  - every NaN that is stored is the positive quiet NaN of its format, so that
//    the host's choice of NaN sign and payload is never seen.
//
// The host runs in its default floating-point environment: to nearest,
// subnormals neither flushed nor read as zero.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_ELEMENT_H
#define CHIPWRIGHT_SIM_NUMERICS_ELEMENT_H

#include "chips/ChipSpec.h"
#include "sim/numerics/HostIsa.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#if defined(__FAST_MATH__)
#error "the engines' arithmetic is defined by IEEE operations: no -ffast-math"
#endif

namespace chipwright::sim {

/// \returns the storage size of one element in bytes, 0 for a value that is
/// no DType (a command field has 16 codes) and for types of which two share a
/// byte.
constexpr unsigned elementBytes(DType type) { return dtypeBytes(type); }

/// \returns the bytes of \p count elements that follow each other from a whole
/// byte on; a last half byte counts as a whole one.
constexpr uint64_t elementBytes(DType type, uint64_t count) {
  return dtypeBytes(type, count);
}

/// Bits of the only NaN that engines store as fp32.
inline constexpr uint32_t canonicalNanBits = 0x7fc00000;

CHIPWRIGHT_ALWAYS_INLINE uint32_t floatBits(float value) {
  return __builtin_bit_cast(uint32_t, value);
}

CHIPWRIGHT_ALWAYS_INLINE float bitsFloat(uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}

/// \returns \p value, or the canonical NaN if it is any NaN.
CHIPWRIGHT_ALWAYS_INLINE float canonical(float value) {
  return value == value ? value : bitsFloat(canonicalNanBits);
}

namespace detail {

/// A binary floating-point format of at most 16 bits: `manBits` stored
/// mantissa bits, exponent bias `bias`, sign in bit `signBit`, and the codes
/// (without sign) that overflow and NaN take.
struct SmallFormat {
  unsigned manBits;
  unsigned bias;
  unsigned signBit;
  uint32_t overflowCode;
  uint32_t nanCode;
  uint32_t firstNanCode; // this code and all above it are NaN
};

inline constexpr SmallFormat f16Format{10, 15, 15, 0x7c00, 0x7e00, 0x7c01};
inline constexpr SmallFormat e4m3Format{3, 7, 7, 0x7e, 0x7f, 0x7f};
inline constexpr SmallFormat e5m2Format{2, 15, 7, 0x7c, 0x7e, 0x7d};

template <const SmallFormat &Format>
CHIPWRIGHT_ALWAYS_INLINE uint32_t toSmall(float value) {
  constexpr unsigned shift = 23 - Format.manBits;
  constexpr uint32_t rebias = (127 - Format.bias) << 23;
  constexpr uint32_t minNormal = (128 - Format.bias) << 23;
  // Adding 2^23 subnormal steps lets the adder round to whole steps.
  constexpr uint32_t stepMagic = (127 + 24 - Format.bias - Format.manBits)
                                 << 23;
  uint32_t bits = floatBits(value);
  uint32_t sign = (bits >> 31) << Format.signBit;
  uint32_t magnitude = bits & 0x7fffffff;
  uint32_t normal = (magnitude - rebias + ((1u << (shift - 1)) - 1) +
                     ((magnitude >> shift) & 1)) >>
                    shift;
  uint32_t subnormal =
      floatBits(bitsFloat(magnitude) + bitsFloat(stepMagic)) - stepMagic;
  uint32_t code = magnitude < minNormal ? subnormal : normal;
  code = code > Format.overflowCode ? Format.overflowCode : code;
  code |= sign;
  return magnitude > 0x7f800000 ? Format.nanCode : code;
}

template <const SmallFormat &Format>
CHIPWRIGHT_ALWAYS_INLINE float fromSmall(uint32_t code) {
  constexpr uint32_t magnitudeMask = (1u << Format.signBit) - 1;
  // A format without infinity never reaches this code below its NaN.
  constexpr uint32_t infinityCode = Format.firstNanCode - 1;
  constexpr bool hasInfinity =
      Format.overflowCode == infinityCode &&
      (infinityCode & ((1u << Format.manBits) - 1)) == 0;
  uint32_t magnitude = code & magnitudeMask;
  uint32_t sign = (code >> Format.signBit) << 31;
  // The product is exact and renormalises subnormals.
  float scaled = bitsFloat(magnitude << (23 - Format.manBits)) *
                 bitsFloat((254 - Format.bias) << 23);
  uint32_t bits = floatBits(scaled);
  if constexpr (hasInfinity) {
    bits = magnitude == infinityCode ? 0x7f800000 : bits;
  }
  bits |= sign;
  return bitsFloat(magnitude >= Format.firstNanCode ? canonicalNanBits : bits);
}

} // namespace detail

CHIPWRIGHT_ALWAYS_INLINE uint16_t f32ToF16(float value) {
  return static_cast<uint16_t>(detail::toSmall<detail::f16Format>(value));
}

CHIPWRIGHT_ALWAYS_INLINE float f16ToF32(uint16_t code) {
  return detail::fromSmall<detail::f16Format>(code);
}

CHIPWRIGHT_ALWAYS_INLINE uint8_t f32ToE4m3(float value) {
  return static_cast<uint8_t>(detail::toSmall<detail::e4m3Format>(value));
}

CHIPWRIGHT_ALWAYS_INLINE float e4m3ToF32(uint8_t code) {
  return detail::fromSmall<detail::e4m3Format>(code);
}

CHIPWRIGHT_ALWAYS_INLINE uint8_t f32ToE5m2(float value) {
  return static_cast<uint8_t>(detail::toSmall<detail::e5m2Format>(value));
}

CHIPWRIGHT_ALWAYS_INLINE float e5m2ToF32(uint8_t code) {
  return detail::fromSmall<detail::e5m2Format>(code);
}

CHIPWRIGHT_ALWAYS_INLINE uint16_t f32ToBf16(float value) {
  uint32_t bits = floatBits(value);
  uint32_t code = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0
                                                                : code);
}

CHIPWRIGHT_ALWAYS_INLINE float bf16ToF32(uint16_t code) {
  uint32_t bits = static_cast<uint32_t>(code) << 16;
  return bitsFloat((bits & 0x7fffffff) > 0x7f800000 ? canonicalNanBits : bits);
}

/// Rounds to the 10 mantissa bits of tf32; the storage stays fp32.
CHIPWRIGHT_ALWAYS_INLINE float roundToTf32(float value) {
  uint32_t bits = floatBits(value);
  uint32_t rounded = (bits + 0xfff + ((bits >> 13) & 1)) & ~0x1fffu;
  return bitsFloat((bits & 0x7fffffff) > 0x7f800000 ? canonicalNanBits
                                                    : rounded);
}

CHIPWRIGHT_ALWAYS_INLINE int8_t f32ToI8(float value) {
  float clamped = value > 127.0f ? 127.0f : value;
  clamped = clamped < -128.0f ? -128.0f : clamped;
  clamped = value == value ? clamped : 0.0f;
  // 1.5 * 2^23: the adder rounds to integers and the mantissa counts them.
  constexpr float magic = 12582912.0f;
  return static_cast<int8_t>(
      static_cast<uint8_t>(floatBits(clamped + magic) - floatBits(magic)));
}

CHIPWRIGHT_ALWAYS_INLINE int32_t f32ToI32(float value) {
  uint32_t sign = floatBits(value) & 0x80000000;
  float step = bitsFloat(0x4b000000 | sign); // +-2^23: beyond, all integers
  float magnitude = bitsFloat(floatBits(value) & 0x7fffffff);
  float integer = magnitude < 8388608.0f ? (value + step) - step : value;
  float inside = magnitude < 2147483648.0f ? integer : 0.0f;
  int32_t result = static_cast<int32_t>(inside);
  result =
      value >= 2147483648.0f ? std::numeric_limits<int32_t>::max() : result;
  return value <= -2147483648.0f ? std::numeric_limits<int32_t>::min() : result;
}

/// Values of the codes of fp4 e2m1.
inline constexpr float e2m1Values[16] = {
    0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
    -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

/// 2^(code - 127); code 255 is NaN.
CHIPWRIGHT_ALWAYS_INLINE float e8m0ToF32(uint8_t code) {
  uint32_t bits = code == 0 ? 0x00400000u : static_cast<uint32_t>(code) << 23;
  return bitsFloat(code == 0xff ? canonicalNanBits : bits);
}

/// The element \p i of packed 4-bit codes: even ones in the low half.
CHIPWRIGHT_ALWAYS_INLINE uint8_t nibble(const uint8_t *src, size_t i) {
  return static_cast<uint8_t>(src[i / 2] >> (i % 2 * 4) & 0xf);
}

/// Reads \p n elements of \p type at \p src (any alignment) as fp32. int32
/// beyond 2^24 rounds to nearest even; tf32 rounds its fp32 storage to 10
/// mantissa bits; fp32 is copied bit for bit. An undefined \p type gives
/// zeros.
void loadRow(DType type, const uint8_t *src, float *dst, size_t n,
             HostIsa isa = hostIsa());

/// loadRow() for \p rows rows, \p srcPitch bytes and \p dstPitch values apart.
void loadRows(DType type, const uint8_t *src, size_t srcPitch, float *dst,
              size_t dstPitch, unsigned rows, size_t n,
              HostIsa isa = hostIsa());

/// Writes \p n fp32 values as elements of \p type at \p dst (any alignment),
/// rounding each once. An undefined \p type, and one that is only read
/// (isReadOnly()), writes nothing.
void storeRow(DType type, const float *src, uint8_t *dst, size_t n,
              HostIsa isa = hostIsa());

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_ELEMENT_H
