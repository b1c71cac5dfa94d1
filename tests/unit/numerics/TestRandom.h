//===- TestRandom.h - Seeded random numbers of the tests --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_NUMERICS_TESTRANDOM_H
#define CHIPWRIGHT_TESTS_UNIT_NUMERICS_TESTRANDOM_H

#include "sim/numerics/Element.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

namespace chipwright::sim {

/// A generator whose seed is printed, and taken from CHIPWRIGHT_SEED if set.
class TestRandom {
public:
  TestRandom() {
    const char *text = std::getenv("CHIPWRIGHT_SEED");
    uint64_t seed =
        text ? std::strtoull(text, nullptr, 0) : std::random_device()();
    std::printf("CHIPWRIGHT_SEED=%llu\n",
                static_cast<unsigned long long>(seed));
    engine.seed(seed);
  }

  /// An integer of [lo, hi].
  unsigned uniform(unsigned lo, unsigned hi) {
    return std::uniform_int_distribution<unsigned>(lo, hi)(engine);
  }

  uint32_t bits() { return static_cast<uint32_t>(engine()); }
  bool flip() { return (engine() & 1) != 0; }

  /// A value of ordinary size; one in \p rarity is zero, infinite, NaN,
  /// subnormal or of any other encoding.
  float value(unsigned rarity) {
    if (uniform(1, rarity) == 1) {
      switch (uniform(0, 4)) {
      case 0:
        return flip() ? 0.0f : -0.0f;
      case 1:
        return flip() ? std::numeric_limits<float>::infinity()
                      : -std::numeric_limits<float>::infinity();
      case 2:
        return std::numeric_limits<float>::quiet_NaN();
      case 3:
        return bitsFloat(bits() & 0x800fffff);
      default:
        return bitsFloat(bits());
      }
    }
    return std::normal_distribution<float>(0.0f, 2.0f)(engine);
  }

  /// Random bytes, so that code that fails to write, or writes beyond its
  /// target, shows.
  std::vector<uint8_t> poison(size_t n) {
    std::vector<uint8_t> bytes(n);
    for (uint8_t &byte : bytes) {
      byte = static_cast<uint8_t>(engine());
    }
    return bytes;
  }

private:
  std::mt19937_64 engine;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_TESTS_UNIT_NUMERICS_TESTRANDOM_H
