//===- DivisorTest.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/Divisor.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

using namespace chipwright::sim;

namespace {

void compare(uint64_t n, uint64_t d) {
  const Divisor divisor(d);
  ASSERT_EQ(n / divisor, n / d) << n << " / " << d;
  ASSERT_EQ(n % divisor, n % d) << n << " % " << d;
}

// Around multiples of the divisor and at both sides of the limit up to which
// the reciprocal is exact.
TEST(DivisorTest, IsExact) {
  for (uint64_t d : {1ull, 2ull, 3ull, 7ull, 64ull, 96ull, 526316ull,
                     (1ull << 32) - 1, 1ull << 32, ~0ull >> 1, ~0ull}) {
    for (uint64_t n : {0ull, 1ull, ~0ull / d, ~0ull, ~0ull - 1}) {
      for (uint64_t step = 0; step < 3; ++step) {
        compare(n + step, d);
        compare(n - step, d);
      }
    }
  }
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed = text ? std::strtoull(text, nullptr, 0) : 20240801;
  std::cout << "CHIPWRIGHT_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  for (unsigned i = 0; i < 200000; ++i) {
    uint64_t d = (random() >> random() % 64) | 1;
    uint64_t n = random() >> random() % 64;
    compare(n, d);
    compare(n / d * d, d);
    compare(n / d * d - 1, d);
  }
}

TEST(DivisorTest, RoundsUp) {
  EXPECT_EQ(divideUp(0, Divisor(5)), 0u);
  EXPECT_EQ(divideUp(1, Divisor(5)), 1u);
  EXPECT_EQ(divideUp(5, Divisor(5)), 1u);
  EXPECT_EQ(divideUp(6, Divisor(5)), 2u);
}

} // namespace
