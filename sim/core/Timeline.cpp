//===- Timeline.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/Timeline.h"

using namespace chipwright::sim;

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
