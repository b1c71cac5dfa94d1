//===- Timeline.h - Reservation of shared resources -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Resources are reserved by arithmetic instead of being stepped. GapTimelines
// is for resources that serve one user at a time (links, SRAM banks);
// RateTimeline for one whose bytes per cycle are shared by several users at
// once (the banks of a local memory).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_CORE_TIMELINE_H
#define CHIPWRIGHT_SIM_CORE_TIMELINE_H

#include "sim/core/Time.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace chipwright::sim {

/// Busy cycles of several resources of a kind, each with one user at a time. A
/// reservation in the future leaves free cycles before it that later,
/// earlier-timed requests may use; none of them is ever forgotten.
///
/// A calendar has one bit for each of the next kWindow cycles, in a ring; what
/// lies beyond is kept as a sorted list of intervals until the window gets
/// there. Nearly every request lies in the window and finds its cycles free.
/// The words of all resources for the same cycles lie side by side: the links
/// of a route, which are reserved one behind the other for nearly the same
/// time, share lines of the host's cache.
class GapTimelines {
public:
  explicit GapTimelines(unsigned count)
      : stride(count), words(std::size_t(kWords) * count), totals(count),
        beyond(count) {}

  /// Reserves \p duration cycles of resource \p which at the first free time at
  /// or after \p earliest. \p now bounds how far back anyone may still ask, for
  /// any of the resources: cycles before it may count as taken. \returns the
  /// start.
  [[gnu::always_inline]] Cycle reserve(unsigned which, Cycle now,
                                       Cycle earliest, Cycle duration) {
    Total &total = totals[which];
    total.busy += duration;
    // A request before the window wraps around and goes the long way, too.
    if (earliest - base <= kWindow - kBits && duration - 1 < kBits) {
      const unsigned bit = earliest % kBits;
      const uint64_t mask = ~uint64_t(0) >> (kBits - duration);
      const uint64_t low = mask << bit;
      uint64_t &first = wordAt(which, earliest);
      if (bit + duration <= kBits) {
        if ((first & low) == 0) {
          first |= low;
          total.tail = std::max(total.tail, earliest + duration);
          return earliest;
        }
        return search(which, now, earliest, duration);
      }
      const uint64_t high = mask >> (kBits - bit);
      uint64_t &second = wordAt(which, earliest + kBits);
      if (((first & low) | (second & high)) == 0) {
        first |= low;
        second |= high;
        total.tail = std::max(total.tail, earliest + duration);
        return earliest;
      }
    }
    return search(which, now, earliest, duration);
  }

  unsigned count() const { return stride; }
  /// End of the last reservation.
  Cycle end(unsigned which) const { return totals[which].tail; }
  /// Sum of all reservations.
  Cycle busyCycles(unsigned which) const { return totals[which].busy; }

  void reset() { *this = GapTimelines(stride); }

private:
  static constexpr unsigned kBits = 64;
  /// Longer than nearly every booking is ahead of its request: the round trip
  /// of a full window of requests to DRAM is about 2000 cycles.
  static constexpr unsigned kWindow = 4096;
  static constexpr unsigned kWords = kWindow / kBits;

  struct Interval {
    Cycle begin, end;
  };
  struct Total {
    Cycle tail = 0;
    Cycle busy = 0;
  };

  uint64_t &wordAt(unsigned which, Cycle cycle) {
    return words[cycle / kBits % kWords * std::size_t(stride) + which];
  }
  uint64_t wordAt(unsigned which, Cycle cycle) const {
    return words[cycle / kBits % kWords * std::size_t(stride) + which];
  }

  Cycle search(unsigned which, Cycle now, Cycle earliest, Cycle duration);
  void advance(Cycle now);
  void enterWindow(unsigned which);
  void take(unsigned which, Cycle begin, Cycle end);
  void setBits(unsigned which, Cycle begin, Cycle end);
  Cycle nextFree(unsigned which, Cycle from) const;
  Cycle nextBusy(unsigned which, Cycle from) const;
  std::size_t endingAfter(unsigned which, Cycle cycle) const;

  unsigned stride;
  Cycle base = 0; // the window is [base, base + kWindow); a multiple of kBits
  std::vector<uint64_t> words;
  std::vector<Total> totals;
  // Busy behind the window, disjoint, sorted.
  std::vector<std::vector<Interval>> beyond;
};

/// The same for one resource.
class GapTimeline {
public:
  Cycle reserve(Cycle now, Cycle earliest, Cycle duration) {
    return line.reserve(0, now, earliest, duration);
  }
  Cycle end() const { return line.end(0); }
  Cycle busyCycles() const { return line.busyCycles(0); }
  void reset() { line.reset(); }

private:
  GapTimelines line{1};
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
