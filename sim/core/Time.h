//===- Time.h - Cycles and femtoseconds -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Time inside the machine is counted in cycles of the PE clock; other clock
// domains meet it in integer femtoseconds. Edge n of a domain lies at
// n * period, and a crossing rounds up to the next edge of the target domain.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_CORE_TIME_H
#define CHIPWRIGHT_SIM_CORE_TIME_H

#include "sim/core/Divisor.h"

#include <cstdint>
#include <limits>

namespace chipwright::sim {

/// Edges of the PE clock since the start of the simulation.
using Cycle = uint64_t;

/// A time that is not known yet.
inline constexpr Cycle kNever = std::numeric_limits<Cycle>::max();

constexpr uint64_t divideUp(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Converts between PE cycles and femtoseconds.
class ClockDomain {
public:
  explicit ClockDomain(uint64_t periodFs) : periodFs(periodFs) {}

  uint64_t toFs(Cycle cycle) const { return cycle * periodFs.value(); }
  /// First edge at or after \p fs.
  Cycle atOrAfterFs(uint64_t fs) const { return divideUp(fs, periodFs); }
  uint64_t period() const { return periodFs.value(); }

private:
  Divisor periodFs;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_CORE_TIME_H
