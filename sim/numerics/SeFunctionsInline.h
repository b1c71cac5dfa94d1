//===- SeFunctionsInline.h - Definition of the SE functions -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The bit-exact definition of the SIMD engine's functions. Straight-line code
// with selects instead of branches, so that a loop over it becomes vector
// instructions. Only SeFunctions.cpp includes this file.
//
// Polynomials are Taylor series, whose coefficients need no table: the
// reduced ranges are short enough for their truncation error to stay below a
// quarter of an ulp.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONSINLINE_H
#define CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONSINLINE_H

#include "sim/numerics/Element.h"
#include "sim/numerics/HostIsa.h"

#include <cstdint>

namespace chipwright::sim::detail {

/// a * b + c with one rounding. Without the instruction: the product of two
/// fp32 is exact in fp64; their sum is rounded to odd, which makes the second
/// rounding, to fp32, correct (S. Boldo, G. Melquiond, "Emulation of a FMA and
/// correctly rounded sums: proved algorithms using rounding to odd", IEEE
/// Trans. Computers 57(4), 2008).
template <HostIsa Isa>
CHIPWRIGHT_ALWAYS_INLINE float fusedMultiplyAdd(float a, float b, float c) {
  if constexpr (hasHardwareFma(Isa)) {
    return __builtin_fmaf(a, b, c);
  } else {
    double product = static_cast<double>(a) * static_cast<double>(b);
    double addend = static_cast<double>(c);
    double sum = product + addend;
    // Knuth's TwoSum: sum + error is the exact value.
    double virtualAddend = sum - product;
    double error = (product - (sum - virtualAddend)) + (addend - virtualAddend);
    uint64_t bits = __builtin_bit_cast(uint64_t, sum);
    // A rounding away from zero has to be taken back before the sticky bit is
    // set. NaN and infinity have a NaN error and compare false.
    uint64_t inexact = (error < 0.0) | (error > 0.0);
    uint64_t even = ~bits & 1;
    uint64_t awayFromZero = (error < 0.0) == (sum > 0.0);
    uint64_t step = awayFromZero ? ~uint64_t(0) : uint64_t(1);
    bits += (inexact & even) ? step : 0;
    return static_cast<float>(__builtin_bit_cast(double, bits));
  }
}

/// x = k ln2 + r with |r| <= ln2 / 2 (and the rounding of x / ln2).
struct ExpReduced {
  float r;
  int32_t k;
};

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE ExpReduced reduceExp(float x) {
  constexpr float magic = 12582912.0f; // 1.5 * 2^23: rounds to integers
  constexpr float log2e = 0x1.715476p+0f;
  // ln2 in two parts; k times the first (9 significant bits) is exact.
  constexpr float ln2High = 0x1.63p-1f;
  constexpr float ln2Low = -0x1.bd0106p-13f;
  float shifted = fusedMultiplyAdd<Isa>(x, log2e, magic);
  float k = shifted - magic;
  float r = fusedMultiplyAdd<Isa>(k, -ln2High, x);
  r = fusedMultiplyAdd<Isa>(k, -ln2Low, r);
  return {r, static_cast<int32_t>(floatBits(shifted) - floatBits(magic))};
}

/// 2^k for -126 <= k <= 127.
CHIPWRIGHT_ALWAYS_INLINE float powerOfTwo(int32_t k) {
  return bitsFloat(static_cast<uint32_t>(k + 127) << 23);
}

/// (exp(r) - 1 - r) / r^2 for |r| <= 0.35: Taylor to r^7/7!.
template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float expTail(float r) {
  float p = 1.0f / 5040.0f;
  p = fusedMultiplyAdd<Isa>(p, r, 1.0f / 720.0f);
  p = fusedMultiplyAdd<Isa>(p, r, 1.0f / 120.0f);
  p = fusedMultiplyAdd<Isa>(p, r, 1.0f / 24.0f);
  p = fusedMultiplyAdd<Isa>(p, r, 1.0f / 6.0f);
  return fusedMultiplyAdd<Isa>(p, r, 0.5f);
}

/// factor * exp(x), scaled last so that a subnormal result rounds once.
/// |factor| <= 128 keeps the intermediate product normal. Below -120 (where
/// 128 exp(x) rounds to zero) and above 89 (infinity) x is clamped.
template <HostIsa Isa>
CHIPWRIGHT_ALWAYS_INLINE float expTimes(float x, float factor) {
  x = x < -120.0f ? -120.0f : x;
  x = x > 89.0f ? 89.0f : x;
  ExpReduced reduced = reduceExp<Isa>(x);
  float r = reduced.r;
  float p = fusedMultiplyAdd<Isa>(expTail<Isa>(r), r, 1.0f);
  p = fusedMultiplyAdd<Isa>(p, r, 1.0f);
  // Two steps, because 2^k itself may be outside fp32. NaN leaves a k that
  // means nothing; the masks keep the factors finite.
  int32_t half = (reduced.k >> 1);
  int32_t rest = reduced.k - half;
  half = half < -126 ? -126 : half;
  rest = rest < -126 ? -126 : rest;
  half = half > 127 ? 127 : half;
  rest = rest > 127 ? 127 : rest;
  return (p * factor) * powerOfTwo(half) * powerOfTwo(rest);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seExp(float x) {
  return expTimes<Isa>(x, 1.0f);
}

CHIPWRIGHT_ALWAYS_INLINE float seRecip(float x) { return 1.0f / x; }

CHIPWRIGHT_ALWAYS_INLINE float seRsqrt(float x) {
  return 1.0f / __builtin_sqrtf(x);
}

CHIPWRIGHT_ALWAYS_INLINE float seAbs(float x) {
  return bitsFloat(floatBits(x) & 0x7fffffff);
}

/// x times the logistic function of y, for y with the sign of x. The negative
/// side is x exp(y) / (1 + exp(y)), so that no result underflows early.
template <HostIsa Isa>
CHIPWRIGHT_ALWAYS_INLINE float timesSigmoid(float x, float y) {
  float magnitude = seAbs(y);
  // exp(y) is zero against any |x| beyond 120, also an infinite one.
  float factor = x < -120.0f ? -120.0f : x;
  factor = factor > 120.0f ? 120.0f : factor;
  float small = expTimes<Isa>(-magnitude, 1.0f);
  float smallTimes = expTimes<Isa>(-magnitude, factor);
  float numerator = y < 0.0f ? smallTimes : x;
  return numerator / (1.0f + small);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seSigmoid(float x) {
  float small = expTimes<Isa>(-seAbs(x), 1.0f);
  float numerator = x < 0.0f ? small : 1.0f;
  return numerator / (1.0f + small);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seSilu(float x) {
  return timesSigmoid<Isa>(x, x);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seGelu(float x) {
  // 0.5 (1 + tanh(u)) is the logistic function of 2u.
  constexpr float linear = 0x1.988454p+0f; // 2 sqrt(2/pi)
  constexpr float cubic = 0x1.2444f2p-4f;  // 2 sqrt(2/pi) * 0.044715
  float inner = fusedMultiplyAdd<Isa>(x * x, cubic, linear);
  return timesSigmoid<Isa>(x, x * inner);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seTanh(float x) {
  // tanh|x| = expm1(2|x|) / (expm1(2|x|) + 2); it rounds to 1 from 9.02 on.
  float twice = 2.0f * seAbs(x);
  twice = twice > 20.0f ? 20.0f : twice;
  ExpReduced reduced = reduceExp<Isa>(twice);
  float r = reduced.r;
  float p = fusedMultiplyAdd<Isa>(expTail<Isa>(r) * r, r, r);
  int32_t k = reduced.k < 0 ? 0 : reduced.k;
  float scale = powerOfTwo(k > 29 ? 29 : k);
  float expm1 = fusedMultiplyAdd<Isa>(scale, p, scale - 1.0f);
  float result = expm1 / (expm1 + 2.0f);
  uint32_t sign = floatBits(x) & 0x80000000;
  return bitsFloat(floatBits(result) | sign);
}

template <HostIsa Isa> CHIPWRIGHT_ALWAYS_INLINE float seLog(float x) {
  constexpr float ln2High = 0x1.63p-1f;
  constexpr float ln2Low = -0x1.bd0106p-13f;
  constexpr uint32_t sqrtHalfBits = 0x3f3504f3;
  bool subnormal = x < 0x1p-126f;
  float normal = subnormal ? x * 0x1p23f : x;
  // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).
  uint32_t bits = floatBits(normal) + (0x3f800000 - sqrtHalfBits);
  int32_t k = static_cast<int32_t>(bits >> 23) - (subnormal ? 127 + 23 : 127);
  float f = bitsFloat((bits & 0x007fffff) + sqrtHalfBits) - 1.0f;
  // log(1 + f) = 2 atanh(s), s = f / (2 + f), arranged around f so that the
  // largest term carries no rounding: f - (f^2/2 - s (f^2/2 + R(s^2))).
  float s = f / (2.0f + f);
  float z = s * s;
  float series = 2.0f / 9.0f;
  series = fusedMultiplyAdd<Isa>(series, z, 2.0f / 7.0f);
  series = fusedMultiplyAdd<Isa>(series, z, 2.0f / 5.0f);
  series = fusedMultiplyAdd<Isa>(series, z, 2.0f / 3.0f) * z;
  float halfSquare = 0.5f * f * f;
  float exponent = static_cast<float>(k);
  float tail = fusedMultiplyAdd<Isa>(s, halfSquare + series, exponent * ln2Low);
  float result = exponent * ln2High - ((halfSquare - tail) - f);
  result = x == bitsFloat(0x7f800000) ? x : result;
  result = x == 0.0f ? bitsFloat(0xff800000) : result;
  return x >= 0.0f ? result : bitsFloat(canonicalNanBits);
}

} // namespace chipwright::sim::detail

#endif // CHIPWRIGHT_SIM_NUMERICS_SEFUNCTIONSINLINE_H
