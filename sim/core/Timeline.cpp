//===- Timeline.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/Timeline.h"

#include <bit>

using namespace chipwright::sim;

//===----------------------------------------------------------------------===//
// GapTimeline
//===----------------------------------------------------------------------===//

/// Bit i is set if the bits i to i + n - 1 of \p bits are. n >= 1
static uint64_t runsOf(uint64_t bits, unsigned n) {
  unsigned have = 1;
  for (; have * 2 <= n; have *= 2) {
    bits &= bits >> have;
  }
  return bits & bits >> (n - have);
}

Cycle GapTimeline::search(Cycle now, Cycle earliest, Cycle duration) {
  if (duration == 0) {
    return earliest;
  }
  if (earliest - base > kWindow - kBits) {
    advance(now);
  }
  Cycle at = std::max(earliest, base);
  if (duration <= kBits) {
    while (at <= base + kWindow - kBits) {
      const unsigned bit = at % kBits;
      const uint64_t taken =
          words[wordOf(at)] >> bit | words[wordOf(at + kBits)]
                                         << 1 << (kBits - 1 - bit);
      if (uint64_t runs = runsOf(~taken, static_cast<unsigned>(duration))) {
        at += std::countr_zero(runs);
        tail = std::max(tail, at + duration);
        const uint64_t mask = ~uint64_t(0) >> (kBits - duration);
        words[wordOf(at)] |= mask << at % kBits;
        words[wordOf(at + kBits)] |= mask >> 1 >> (kBits - 1 - at % kBits);
        return at;
      }
      at += std::bit_width(taken); // behind the last taken cycle
    }
  }
  for (at = nextFree(at);; at = nextFree(at)) {
    const Cycle until = nextBusy(at);
    if (until - at >= duration) {
      take(at, at + duration);
      return at;
    }
    at = until;
  }
}

/// Moves the window forward to \p now.
void GapTimeline::advance(Cycle now) {
  const Cycle to = now - now % kBits;
  if (to <= base) {
    return;
  }
  if (to - base >= kWindow) {
    words.fill(0);
    base = to;
  }
  for (; base != to; base += kBits) {
    words[wordOf(base)] = 0;
  }
  const Cycle end = base + kWindow;
  std::size_t inside = 0;
  for (; inside < beyond.size() && beyond[inside].begin < end; ++inside) {
    Interval &interval = beyond[inside];
    if (interval.end > base) {
      setBits(std::max(interval.begin, base), std::min(interval.end, end));
    }
    if (interval.end > end) {
      interval.begin = end;
      break;
    }
  }
  beyond.erase(beyond.begin(),
               beyond.begin() + static_cast<std::ptrdiff_t>(inside));
}

/// Marks [begin, end), which is free, as taken.
void GapTimeline::take(Cycle begin, Cycle end) {
  tail = std::max(tail, end);
  const Cycle windowEnd = base + kWindow;
  if (begin < windowEnd) {
    setBits(begin, std::min(end, windowEnd));
    begin = windowEnd;
  }
  if (begin >= end) {
    return;
  }
  auto next = std::upper_bound(
      beyond.begin(), beyond.end(), begin,
      [](Cycle cycle, const Interval &each) { return cycle < each.begin; });
  const bool joinsNext = next != beyond.end() && next->begin == end;
  if (next != beyond.begin() && (next - 1)->end == begin) {
    (next - 1)->end = joinsNext ? next->end : end;
    if (joinsNext) {
      beyond.erase(next);
    }
  } else if (joinsNext) {
    next->begin = begin;
  } else {
    beyond.insert(next, {begin, end});
  }
}

/// [begin, end) lies in the window and is not empty.
void GapTimeline::setBits(Cycle begin, Cycle end) {
  while (begin < end) {
    const Cycle stop = std::min(end, begin - begin % kBits + kBits);
    words[wordOf(begin)] |= ~uint64_t(0) >> (kBits - (stop - begin))
                                                << begin % kBits;
    begin = stop;
  }
}

Cycle GapTimeline::nextFree(Cycle from) const {
  for (; from < base + kWindow; from += kBits - from % kBits) {
    if (uint64_t free = ~words[wordOf(from)] >> from % kBits) {
      return from + std::countr_zero(free);
    }
  }
  for (std::size_t i = endingAfter(from); i < beyond.size(); ++i) {
    if (from < beyond[i].begin) {
      break;
    }
    from = beyond[i].end;
  }
  return from;
}

/// The first taken cycle at or after \p from, kNever if there is none.
Cycle GapTimeline::nextBusy(Cycle from) const {
  for (; from < base + kWindow; from += kBits - from % kBits) {
    if (uint64_t taken = words[wordOf(from)] >> from % kBits) {
      return from + std::countr_zero(taken);
    }
  }
  const std::size_t next = endingAfter(from);
  return next == beyond.size() ? kNever : std::max(from, beyond[next].begin);
}

/// Index of the first interval behind the window that ends after \p cycle.
std::size_t GapTimeline::endingAfter(Cycle cycle) const {
  auto found = std::upper_bound(
      beyond.begin(), beyond.end(), cycle,
      [](Cycle at, const Interval &each) { return at < each.end; });
  return static_cast<std::size_t>(found - beyond.begin());
}

//===----------------------------------------------------------------------===//
// RateTimeline
//===----------------------------------------------------------------------===//

Cycle RateTimeline::reserve(Cycle now, Cycle start, uint64_t bytes,
                            uint64_t rate) {
  moved += bytes;
  std::size_t stale = 0;
  while (stale < segments.size() && segments[stale].end <= now) {
    ++stale;
  }
  if (stale) {
    segments.erase(segments.begin(), segments.begin() + stale);
  }
  rate = std::min(rate, capacity);
  if (bytes == 0) {
    return start;
  }

  Cycle at = start;
  std::size_t i = 0;
  while (i < segments.size() && segments[i].end <= at) {
    ++i;
  }
  while (true) {
    // The stretch [at, limit) has the same use throughout.
    bool inside = i < segments.size() && segments[i].begin <= at;
    Cycle limit = i == segments.size() ? kNever
                  : inside             ? segments[i].end
                                       : segments[i].begin;
    uint64_t used = inside ? segments[i].used : 0;
    uint64_t grant = std::min(rate, capacity - used);
    if (grant == 0) {
      at = limit;
      ++i;
      continue;
    }
    Cycle need = divideUp(bytes, grant);
    Cycle stop = limit - at < need ? limit : at + need;
    if (inside) {
      Segment old = segments[i];
      // Split the segment around [at, stop).
      segments[i] = {at, stop, used + grant};
      if (old.begin < at) {
        segments.insert(segments.begin() + i, {old.begin, at, used});
        ++i;
      }
      if (stop < old.end) {
        segments.insert(segments.begin() + i + 1, {stop, old.end, used});
      }
    } else {
      bool joins =
          i > 0 && segments[i - 1].end == at && segments[i - 1].used == grant;
      if (joins) {
        segments[i - 1].end = stop;
        --i;
      } else {
        segments.insert(segments.begin() + i, {at, stop, grant});
      }
    }
    ++i;
    if (stop == at + need) {
      return stop;
    }
    bytes -= grant * (stop - at);
    at = stop;
  }
}
