//===- SoftFloatTest.cpp - IEEE 754 arithmetic by hand --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/SoftFloat.h"

#include <gtest/gtest.h>

namespace chipwright::test {
namespace {

using namespace sim;
using R = Rounding;
using F = SoftFloat32;
using D = SoftFloat64;

constexpr uint32_t one = 0x3f800000, two = 0x40000000, three = 0x40400000,
                   minNormal = 0x00800000, minSubnormal = 1,
                   maxFinite = 0x7f7fffff, inf = 0x7f800000, nan = 0x7fc00000,
                   signalling = 0x7f800001, negative = 0x80000000,
                   half = 0x3f000000;

constexpr R modes[] = {R::NearestEven, R::TowardZero, R::Down, R::Up,
                       R::NearestMaxMagnitude};

TEST(SoftFloat, OneThirdInEveryMode) {
  // 1/3 = 0x1.5555 55|55..p-2: the 24th bit is 1 after rounding up.
  for (R mode : modes) {
    bool up = mode == R::Up || mode == R::NearestEven ||
              mode == R::NearestMaxMagnitude;
    uint8_t flags = 0;
    EXPECT_EQ(F::div(one, three, mode, flags), up ? 0x3eaaaaabu : 0x3eaaaaaau);
    EXPECT_EQ(flags, FlagInexact);
  }
}

TEST(SoftFloat, TiesInEveryMode) {
  // 2^24 + 1 lies half way between two binary32 numbers, 2^24 + 3 as well.
  struct Case {
    R mode;
    uint32_t first, second, negated;
  };
  for (const Case &c :
       {Case{R::NearestEven, 0x4b800000, 0x4b800002, 0xcb800000},
        Case{R::TowardZero, 0x4b800000, 0x4b800001, 0xcb800000},
        Case{R::Down, 0x4b800000, 0x4b800001, 0xcb800001},
        Case{R::Up, 0x4b800001, 0x4b800002, 0xcb800000},
        Case{R::NearestMaxMagnitude, 0x4b800001, 0x4b800002, 0xcb800001}}) {
    uint8_t flags = 0;
    EXPECT_EQ(F::fromInteger(16777217, true, c.mode, flags), c.first);
    EXPECT_EQ(F::fromInteger(16777219, true, c.mode, flags), c.second);
    EXPECT_EQ(F::fromInteger(uint64_t(-16777217), true, c.mode, flags),
              c.negated);
    EXPECT_EQ(flags, FlagInexact);
  }
}

TEST(SoftFloat, OverflowInEveryMode) {
  for (R mode : modes) {
    uint8_t flags = 0;
    bool toInf = mode != R::TowardZero && mode != R::Down;
    EXPECT_EQ(F::add(maxFinite, maxFinite, mode, flags),
              toInf ? inf : maxFinite);
    EXPECT_EQ(flags, FlagOverflow | FlagInexact);
    toInf = mode != R::TowardZero && mode != R::Up;
    EXPECT_EQ(F::mul(maxFinite | negative, two, mode, flags),
              negative | (toInf ? inf : maxFinite));
  }
}

TEST(SoftFloat, TininessIsDetectedAfterRounding) {
  // (1 - 2^-24) * 2^-126 needs 24 bits below 2^-126. With an unbounded
  // exponent it is representable, hence tiny; it rounds up to minNormal.
  uint8_t flags = 0;
  uint32_t justBelowOne = 0x3f7fffff;
  EXPECT_EQ(F::mul(minNormal, justBelowOne, R::NearestEven, flags), minNormal);
  EXPECT_EQ(flags, FlagInexact | FlagUnderflow);
  // (2^-126)(1 - 2^-26): rounds to 2^-126 even with an unbounded exponent, so
  // it is not tiny. As a fused sum: 2^-126 - 2^-152 needs binary64 input.
  flags = 0;
  uint64_t value = 0x380fffffffffffff; // (1 - 2^-53) * 2^-126
  EXPECT_EQ(float64To32(value, R::NearestEven, flags), minNormal);
  EXPECT_EQ(flags, FlagInexact);
  flags = 0;
  EXPECT_EQ(float64To32(value, R::TowardZero, flags), minNormal - 1);
  EXPECT_EQ(flags, FlagInexact | FlagUnderflow);
  // Exact subnormal results raise nothing.
  flags = 0;
  EXPECT_EQ(F::mul(minNormal, half, R::NearestEven, flags), minNormal >> 1);
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(F::mul(minSubnormal, half, R::NearestEven, flags), 0u);
  EXPECT_EQ(flags, FlagInexact | FlagUnderflow);
  EXPECT_EQ(F::mul(minSubnormal, half, R::NearestMaxMagnitude, flags),
            minSubnormal);
}

TEST(SoftFloat, SignsOfZero) {
  for (R mode : modes) {
    uint8_t flags = 0;
    EXPECT_EQ(F::sub(one, one, mode, flags), mode == R::Down ? negative : 0u);
    EXPECT_EQ(F::add(negative, negative, mode, flags), negative);
    EXPECT_EQ(F::add(negative, 0, mode, flags),
              mode == R::Down ? negative : 0u);
    EXPECT_EQ(F::mul(negative, one, mode, flags), negative);
    EXPECT_EQ(F::sqrt(negative, mode, flags), negative);
    EXPECT_EQ(F::fma(one, one, one | negative, mode, flags),
              mode == R::Down ? negative : 0u);
    EXPECT_EQ(flags, 0);
  }
}

TEST(SoftFloat, InvalidOperations) {
  auto check = [](auto operation, unsigned expected = FlagInvalid) {
    uint8_t flags = 0;
    EXPECT_EQ(operation(flags), nan);
    EXPECT_EQ(flags, expected);
  };
  const R m = R::NearestEven;
  check([&](uint8_t &f) { return F::sub(inf, inf, m, f); });
  check([&](uint8_t &f) { return F::mul(inf, 0, m, f); });
  check([&](uint8_t &f) { return F::div(0, negative, m, f); });
  check([&](uint8_t &f) { return F::div(inf, inf, m, f); });
  check([&](uint8_t &f) { return F::sqrt(one | negative, m, f); });
  check([&](uint8_t &f) { return F::add(signalling, one, m, f); });
  // Infinity times zero is invalid even if the addend is a quiet NaN.
  check([&](uint8_t &f) { return F::fma(inf, 0, nan, m, f); });
  check([&](uint8_t &f) { return F::fma(one, inf, inf | negative, m, f); });
  check([&](uint8_t &f) { return F::fma(one, one, signalling, m, f); });
  // Quiet NaNs pass without a flag and lose sign and payload.
  check([&](uint8_t &f) { return F::add(0xffc12345, one, m, f); }, 0);
  check([&](uint8_t &f) { return F::fma(one, 0xffffffff, one, m, f); }, 0);
  uint8_t flags = 0;
  EXPECT_EQ(F::div(one | negative, 0, m, flags), inf | negative);
  EXPECT_EQ(flags, FlagDivideByZero);
}

TEST(SoftFloat, FusedMultiplyRoundsOnce) {
  // (1 + 2^-22)^2 - 1 = 2^-21 + 2^-44: exact when fused.
  uint8_t flags = 0;
  uint32_t x = one + 2;
  EXPECT_EQ(F::fma(x, x, one | negative, R::NearestEven, flags), 0x35000001u);
  EXPECT_EQ(flags, 0);
  // 1 * 1 + 2^-100 differs from 1 only in the sticky bit.
  uint32_t tiny = (127 - 100) << 23;
  EXPECT_EQ(F::fma(one, one, tiny, R::Up, flags), one + 1);
  EXPECT_EQ(F::fma(one, one, tiny | negative, R::TowardZero, flags), one - 1);
  EXPECT_EQ(flags, FlagInexact);
  // The addend dwarfs the product.
  EXPECT_EQ(F::fma(minSubnormal, minSubnormal, two, R::Up, flags), two + 1);
}

TEST(SoftFloat, SquareRoots) {
  uint8_t flags = 0;
  EXPECT_EQ(F::sqrt(0x41100000, R::NearestEven, flags), three); // 9
  EXPECT_EQ(F::sqrt(minSubnormal << 1, R::NearestEven, flags),
            (127u - 74) << 23); // sqrt(2^-148)
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(F::sqrt(two, R::NearestEven, flags), 0x3fb504f3u);
  EXPECT_EQ(D::sqrt(0x4000000000000000, R::NearestEven, flags),
            0x3ff6a09e667f3bcdu);
  EXPECT_EQ(D::sqrt(0x4000000000000000, R::TowardZero, flags),
            0x3ff6a09e667f3bccu);
  EXPECT_EQ(flags, FlagInexact);
}

TEST(SoftFloat, MinMaxAndCompare) {
  uint8_t flags = 0;
  EXPECT_EQ(F::min(0, negative, flags), negative);
  EXPECT_EQ(F::max(negative, 0, flags), 0u);
  EXPECT_EQ(F::min(nan, one, flags), one);
  EXPECT_EQ(F::max(one, 0xffc00001, flags), one);
  EXPECT_EQ(F::min(0xffc00001, nan, flags), nan);
  EXPECT_TRUE(F::equal(0, negative, flags));
  EXPECT_FALSE(F::equal(nan, nan, flags));
  EXPECT_TRUE(F::less(two | negative, one | negative, flags));
  EXPECT_FALSE(F::less(negative, 0, flags));
  EXPECT_TRUE(F::lessEqual(0, negative, flags));
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(F::max(signalling, one, flags), one);
  EXPECT_EQ(flags, FlagInvalid);
  flags = 0;
  EXPECT_FALSE(F::less(nan, one, flags));
  EXPECT_EQ(flags, FlagInvalid);
}

TEST(SoftFloat, Classes) {
  const uint32_t values[] = {inf | negative,
                             one | negative,
                             negative | 1,
                             negative,
                             0,
                             1,
                             one,
                             inf,
                             signalling,
                             nan};
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(F::classify(values[i]), uint64_t(1) << i);
  }
}

TEST(SoftFloat, ToIntegerSaturates) {
  struct Case {
    uint32_t value;
    unsigned bits;
    bool isSigned;
    uint64_t expected;
    unsigned flags;
  };
  const uint64_t max64 = 0x7fffffffffffffff;
  for (const Case &c : {
           Case{nan, 32, true, 0x7fffffff, FlagInvalid},
           Case{nan | negative, 32, false, ~uint64_t(0), FlagInvalid},
           Case{nan, 64, true, max64, FlagInvalid},
           Case{inf | negative, 32, true, uint64_t(INT32_MIN), FlagInvalid},
           Case{inf | negative, 64, false, 0, FlagInvalid},
           Case{0x4f000000, 32, true, 0x7fffffff, FlagInvalid}, // 2^31
           Case{0xcf000000, 32, true, uint64_t(INT32_MIN), 0},
           Case{0x4f000000, 32, false, uint64_t(INT32_MIN), 0},    // extended
           Case{0x5f800000, 64, false, ~uint64_t(0), FlagInvalid}, // 2^64
           Case{0x5f7fffff, 64, false, 0xffffff0000000000, 0},
           Case{one | negative, 64, false, 0, FlagInvalid},
           Case{0xbf000000, 64, false, 0, FlagInexact}, // -0.5 to even
           Case{0x3fc00000, 32, true, 2, FlagInexact},  // 1.5
           Case{0x40200000, 32, true, 2, FlagInexact},  // 2.5
           Case{minSubnormal, 32, true, 0, FlagInexact},
       }) {
    uint8_t flags = 0;
    EXPECT_EQ(F::toInteger(c.value, c.bits, c.isSigned, R::NearestEven, flags),
              c.expected)
        << std::hex << c.value;
    EXPECT_EQ(flags, c.flags) << std::hex << c.value;
  }
  uint8_t flags = 0;
  EXPECT_EQ(F::toInteger(0x40200000, 32, true, R::NearestMaxMagnitude, flags),
            3u);
  EXPECT_EQ(F::toInteger(minSubnormal, 32, true, R::Up, flags), 1u);
  EXPECT_EQ(F::toInteger(minSubnormal | negative, 32, true, R::Down, flags),
            ~uint64_t(0));
}

TEST(SoftFloat, WideningAndNarrowing) {
  uint8_t flags = 0;
  EXPECT_EQ(float32To64(minSubnormal, flags), uint64_t(1023 - 149) << 52);
  EXPECT_EQ(float32To64(0xff800000, flags), 0xfff0000000000000u);
  EXPECT_EQ(float32To64(0xffc00001, flags), D::canonicalNan);
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(float32To64(signalling, flags), D::canonicalNan);
  EXPECT_EQ(flags, FlagInvalid);
  flags = 0;
  EXPECT_EQ(float64To32(0x7fefffffffffffff, R::NearestEven, flags), inf);
  EXPECT_EQ(flags, FlagOverflow | FlagInexact);
}

} // namespace
} // namespace chipwright::test
