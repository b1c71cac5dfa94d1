//===- Timeline.h - Reservation of shared resources -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Resources are reserved by arithmetic instead of being stepped. GapTimeline
// is for a resource that serves one user at a time (a link, an SRAM bank);
// RateTimeline for one whose bytes per cycle are shared by several users at
// once (the banks of a local memory).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_CORE_TIMELINE_H
#define CHIPWRIGHT_SIM_CORE_TIMELINE_H

#include "sim/core/Time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace chipwright::sim {

/// Busy cycles of a resource with one user at a time. A reservation in the
/// future leaves free cycles before it that later, earlier-timed requests may
/// use; none of them is ever forgotten.
///
/// A calendar has one bit for each of the next kWindow cycles, in a ring; what
/// lies beyond is kept as a sorted list of intervals until the window gets
/// there. Nearly every request lies in the window and finds its cycles free.
class GapTimeline {
public:
  /// Reserves \p duration cycles at the first free time at or after
  /// \p earliest. \p now bounds how far back anyone may still ask: cycles
  /// before it may count as taken. \returns the start.
  Cycle reserve(Cycle now, Cycle earliest, Cycle duration) {
    busy += duration;
    // A request before the window wraps around and goes the long way, too.
    if (earliest - base <= kWindow - kBits && duration - 1 < kBits) {
      const unsigned bit = earliest % kBits;
      const uint64_t mask = ~uint64_t(0) >> (kBits - duration);
      const uint64_t low = mask << bit;
      const uint64_t high = mask >> 1 >> (kBits - 1 - bit);
      uint64_t &first = words[wordOf(earliest)];
      uint64_t &second = words[wordOf(earliest + kBits)];
      if (((first & low) | (second & high)) == 0) {
        first |= low;
        second |= high;
        tail = std::max(tail, earliest + duration);
        return earliest;
      }
    }
    return search(now, earliest, duration);
  }

  /// End of the last reservation.
  Cycle end() const { return tail; }
  /// Sum of all reservations.
  Cycle busyCycles() const { return busy; }

  void reset() { *this = GapTimeline(); }

private:
  static constexpr unsigned kBits = 64;
  /// Longer than nearly every booking is ahead of its request: the round trip
  /// of a full window of requests to DRAM is about 2000 cycles.
  static constexpr unsigned kWindow = 4096;
  static constexpr unsigned kWords = kWindow / kBits;

  struct Interval {
    Cycle begin, end;
  };

  static unsigned wordOf(Cycle cycle) { return cycle / kBits % kWords; }

  Cycle search(Cycle now, Cycle earliest, Cycle duration);
  void advance(Cycle now);
  void take(Cycle begin, Cycle end);
  void setBits(Cycle begin, Cycle end);
  Cycle nextFree(Cycle from) const;
  Cycle nextBusy(Cycle from) const;
  std::size_t endingAfter(Cycle cycle) const;

  alignas(64) std::array<uint64_t, kWords> words{};
  Cycle base = 0; // the window is [base, base + kWindow); a multiple of kBits
  Cycle tail = 0;
  Cycle busy = 0;
  std::vector<Interval> beyond; // busy behind the window, disjoint, sorted
};

/// Bytes per cycle of a resource that several users share. Reservations are
/// served first come, first served: one made earlier keeps its rate.
class RateTimeline {
public:
  explicit RateTimeline(uint64_t bytesPerCycle) : capacity(bytesPerCycle) {}

  /// Reserves \p bytes from \p start on, at no more than \p rate bytes a
  /// cycle. \p now bounds how far back anyone may still ask.
  /// \returns the cycle at which the last byte has moved.
  Cycle reserve(Cycle now, Cycle start, uint64_t bytes, uint64_t rate);

  uint64_t bytesMoved() const { return moved; }
  void reset() {
    segments.clear();
    moved = 0;
  }

private:
  struct Segment {
    Cycle begin, end;
    uint64_t used;
  };

  std::vector<Segment> segments; // disjoint, sorted, only used ones
  uint64_t capacity;
  uint64_t moved = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_CORE_TIMELINE_H
