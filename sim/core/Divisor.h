//===- Divisor.h - Division by a number known at run time -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Widths and counts of a chip are fixed when it is built, and every transfer
// is divided by several of them. A multiplication by the reciprocal is several
// times as fast as the host's division.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_CORE_DIVISOR_H
#define CHIPWRIGHT_SIM_CORE_DIVISOR_H

#include <cstdint>

namespace chipwright::sim {

/// Divides by \p divisor, which must not be zero; exact for all numbers.
class Divisor {
public:
  explicit Divisor(uint64_t divisor)
      : divisor(divisor), magic(divisor > 1 ? ~uint64_t(0) / divisor + 1 : 0),
        limit(divisor > 1 ? ~uint64_t(0) / divisor : 0) {}

  uint64_t value() const { return divisor; }

  // With m = ceil(2^64 / d), n m / 2^64 exceeds n / d by less than n / 2^64,
  // which is less than the distance to the next integer while n < 2^64 / d.
  friend uint64_t operator/(uint64_t n, const Divisor &d) {
    if (n < d.limit) [[likely]] {
      return static_cast<uint64_t>(
          (static_cast<unsigned __int128>(n) * d.magic) >> 64);
    }
    return d.divisor == 1 ? n : n / d.divisor;
  }
  friend uint64_t operator%(uint64_t n, const Divisor &d) {
    return n - n / d * d.divisor;
  }
  friend uint64_t divideUp(uint64_t n, const Divisor &d) {
    return (n + d.divisor - 1) / d;
  }

private:
  uint64_t divisor, magic, limit;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_CORE_DIVISOR_H
