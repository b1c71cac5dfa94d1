//===- Random.h - Random numbers of the tests -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOM_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOM_H

#include <cstdint>
#include <initializer_list>
#include <random>

namespace chipwright::test {

/// The same sequence on every host: distributions of the standard library may
/// differ, the engine may not.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  uint64_t word() { return engine(); }
  /// \returns a number below \p n, which is not 0.
  uint64_t below(uint64_t n) { return engine() % n; }
  /// \returns a number from \p low to \p high, both included.
  uint64_t range(uint64_t low, uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename T> T pick(std::initializer_list<T> list) {
    return list.begin()[below(list.size())];
  }

private:
  std::mt19937_64 engine;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_RANDOM_H
