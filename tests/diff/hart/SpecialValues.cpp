//===- SpecialValues.cpp - Operands at the edges of their formats ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/RandomGenerator.h"

namespace chipwright::test {

uint64_t Generator::specialInteger() {
  static constexpr uint64_t edges[] = {0,
                                       1,
                                       ~uint64_t(0),
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x100000000,
                                       0xffffffff80000000,
                                       0xffffffff7fffffff,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0x8000000000000001};
  switch (below(6)) {
  case 0:
    return edges[below(std::size(edges))];
  case 1:
    return edges[below(std::size(edges))] + below(5) - 2;
  case 2:
    return (uint64_t(1) << below(64)) + below(3) - 1;
  case 3:
    return below(128) - 64;
  case 4:
    return uint64_t(int64_t(int32_t(random())));
  default:
    return random();
  }
}

template <typename T, unsigned exponentBits, unsigned mantissaBits>
T Generator::specialPattern() {
  constexpr T maxExponent = (T(1) << exponentBits) - 1;
  constexpr T bias = maxExponent >> 1;
  constexpr T mantissaMask = (T(1) << mantissaBits) - 1;
  T sign = T(below(2)) << (exponentBits + mantissaBits);
  T mantissa = T(random()) & mantissaMask;
  // Sparse mantissas make exact results and ties.
  switch (below(4)) {
  case 0:
    mantissa &= T(~T(0)) << below(mantissaBits);
    break;
  case 1:
    mantissa |= mantissaMask >> below(mantissaBits);
    break;
  case 2:
    mantissa = chance(50) ? 0 : mantissaMask - T(below(3));
    break;
  default:
    break;
  }
  T exponent = 0;
  switch (below(12)) {
  case 0: // zero
    return sign;
  case 1: // subnormal, often near the ends
    return sign | mantissa >> below(mantissaBits);
  case 2: // infinity
    return sign | maxExponent << mantissaBits;
  case 3: // NaN of both kinds (or infinity)
    return sign | maxExponent << mantissaBits | mantissa;
  case 4: // smallest normal numbers
    exponent = T(1 + below(3));
    break;
  case 5: // largest
    exponent = maxExponent - 1 - T(below(3));
    break;
  case 6: // around the ranges of 32-bit and 64-bit integers
    exponent = bias + T(chance(50) ? 29 + below(5) : 61 + below(5));
    break;
  case 7: // products and quotients near the ends of the range
    exponent = (chance(50) ? bias / 2 : bias + bias / 2) + T(below(9)) - 4;
    break;
  case 8: // any
    exponent = T(random()) & maxExponent;
    break;
  default: // close to each other: cancellation, ties
    exponent = bias + T(below(9)) - 4;
    break;
  }
  return sign | exponent << mantissaBits | mantissa;
}

uint64_t Generator::specialFloat() {
  uint64_t boxed = 0xffffffff00000000;
  switch (below(16)) {
  case 0: // badly boxed
    return specialPattern<uint32_t, 8, 23>() | (random() << 32);
  case 1: // boxed but for one bit
    return specialPattern<uint32_t, 8, 23>() |
           (boxed ^ uint64_t(1) << (32 + below(32)));
  case 2: // binary64 values at the edges of binary32's range
    return uint64_t(below(2)) << 63 |
           (uint64_t(chance(50) ? 1023 + 126 + below(4)
                                : 1023 - 152 + below(30))
            << 52) |
           (random() >> 12 &
            (chance(50) ? ~uint64_t(0) : ~uint64_t(0) << below(30)));
  default:
    return chance(50) ? specialPattern<uint32_t, 8, 23>() | boxed
                      : specialPattern<uint64_t, 11, 52>();
  }
}

} // namespace chipwright::test
