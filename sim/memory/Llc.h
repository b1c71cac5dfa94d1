//===- Llc.h - Memory-side cache tags ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The part of the SRAM that is not scratch caches DRAM, one slice per bank.
// A line is one interleave granule, so that a line's fill is one access of one
// channel. Only tags live here: data is always in the backing store.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MEMORY_LLC_H
#define CHIPWRIGHT_SIM_MEMORY_LLC_H

#include "sim/core/Time.h"

#include <cstdint>
#include <vector>

namespace chipwright::sim {

/// What a lookup did. A line that is written back first is named by its
/// address inside the unit's channel space.
struct LlcResult {
  bool hit = false;
  bool allocated = false;
  bool evictsDirty = false;
  uint64_t evictedLine = 0;
  /// When the line's data is in the bank; set by the owner after a miss.
  /// Null if the line is neither there nor allocated.
  Cycle *ready = nullptr;
};

/// Set-associative, least recently used, write-back, allocate on read and on
/// write of a whole line.
class LlcSlice {
public:
  /// \p lines is the capacity; 0 disables the slice.
  LlcSlice(uint64_t lines, unsigned ways);

  /// Looks \p line (granule number inside the slice's address space) up and
  /// allocates it if \p allocate. \p makesDirty marks it modified.
  LlcResult access(uint64_t line, bool allocate, bool makesDirty);

  /// \returns the line's ready time, or null if it is not there.
  Cycle *readyTime(uint64_t line);

  /// Moves all dirty lines to \p out and marks them clean.
  void flush(std::vector<uint64_t> &out);

  uint64_t capacityLines() const { return sets * ways; }
  void reset();
  uint64_t digest() const;

private:
  struct Entry {
    uint64_t line;
    Cycle ready;
    uint32_t lastUse; // 0: invalid
    bool dirty;
  };

  Entry *find(uint64_t line);

  uint64_t sets;
  unsigned ways;
  uint32_t clock = 0;
  uint64_t numDirty = 0;
  std::vector<Entry> entries; // allocated at first use
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MEMORY_LLC_H
