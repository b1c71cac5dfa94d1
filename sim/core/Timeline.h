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

/// Busy intervals of a resource with one user at a time. A reservation in the
/// future leaves a gap before it that later, earlier-timed requests may use;
/// the kGaps latest gaps are kept.
class GapTimeline {
public:
  /// Reserves \p duration cycles at the first free time at or after
  /// \p earliest. \returns the start.
  Cycle reserve(Cycle earliest, Cycle duration) {
    busy += duration;
    if (earliest >= tail) {
      if (earliest > tail && duration != 0) {
        addGap(tail, earliest);
      }
      tail = earliest + duration;
      return earliest;
    }
    return numGaps == 0 ? append(duration) : reserveInGap(earliest, duration);
  }

  /// End of the last reservation.
  Cycle end() const { return tail; }
  /// Sum of all reservations.
  Cycle busyCycles() const { return busy; }

  void reset() { *this = GapTimeline(); }

private:
  static constexpr unsigned kGaps = 12;
  struct Gap {
    Cycle begin, end;
  };

  /// The \p i th gap; they are in order of time.
  Gap &gap(unsigned i) { return gaps[(first + i) % kPlaces]; }

  Cycle append(Cycle duration) {
    Cycle start = tail;
    tail += duration;
    return start;
  }

  void addGap(Cycle begin, Cycle end) {
    if (numGaps == kGaps) {
      ++first;
      --numGaps;
    }
    gap(numGaps++) = {begin, end};
  }

  Cycle reserveInGap(Cycle earliest, Cycle duration) {
    // Most gaps end before the request comes: look from the latest back.
    unsigned chosen = kGaps;
    for (unsigned i = numGaps; i-- > 0;) {
      const Gap &each = gap(i);
      if (each.end < earliest + duration) {
        break;
      }
      if (each.end >= each.begin + duration) {
        chosen = i;
      }
    }
    if (chosen == kGaps) {
      return append(duration);
    }
    Gap &used = gap(chosen);
    Cycle start = std::max(used.begin, earliest);
    Cycle stop = start + duration;
    bool keepsHead = used.begin < start, keepsTail = stop < used.end;
    if (keepsHead && keepsTail) {
      Gap rest = {stop, used.end};
      used.end = start;
      insertAfter(chosen, rest);
    } else if (keepsHead) {
      used.end = start;
    } else if (keepsTail) {
      used.begin = stop;
    } else {
      for (unsigned i = chosen; i + 1 < numGaps; ++i) {
        gap(i) = gap(i + 1);
      }
      --numGaps;
    }
    return start;
  }

  void insertAfter(unsigned index, Gap rest) {
    if (numGaps == kGaps) {
      // Forget the oldest gap to make room.
      for (unsigned i = 0; i < index; ++i) {
        gap(i) = gap(i + 1);
      }
      gap(index) = rest;
      return;
    }
    for (unsigned i = numGaps; i > index + 1; --i) {
      gap(i) = gap(i - 1);
    }
    gap(index + 1) = rest;
    ++numGaps;
  }

  static constexpr unsigned kPlaces = 16; // ring, a power of two >= kGaps
  Cycle tail = 0;
  Cycle busy = 0;
  unsigned first = 0, numGaps = 0;
  std::array<Gap, kPlaces> gaps;
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
