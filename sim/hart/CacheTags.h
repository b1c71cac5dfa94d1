//===- CacheTags.h - Timing tags of a hart cache ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A set-associative cache with least-recently-used replacement that holds no
// data: a tag says whether an access is fast, and the version of the memory
// line when it was filled says whether the copy would still be right.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_CACHETAGS_H
#define CHIPWRIGHT_SIM_HART_CACHETAGS_H

#include <cstdint>
#include <vector>

namespace chipwright::sim {

class CacheTags {
public:
  struct Line {
    uint64_t address = ~uint64_t(0); // of the first byte; ~0: invalid
    uint64_t lastUse = 0;
    uint64_t readyCycle = 0; // when the fill arrives
    uint32_t version = 0;
  };

  /// \p bytes 0 is a cache that never hits. \p lineBytes is a power of two;
  /// fewer lines than \p ways make the cache fully associative.
  CacheTags(unsigned bytes, unsigned lineBytes, unsigned ways);

  bool enabled() const { return numSets != 0; }
  unsigned lineBytes() const { return lineSize; }
  /// Bytes that the whole lines of the cache hold.
  uint64_t capacity() const { return uint64_t(lines.size()) * lineSize; }
  uint64_t lineOf(uint64_t address) const {
    return address & ~uint64_t(lineSize - 1);
  }

  /// \returns the line that holds \p address and marks it used, or null.
  Line *find(uint64_t address);
  /// Puts the line of \p address in place of the least recently used one.
  Line &insert(uint64_t address, uint32_t version, uint64_t readyCycle = 0);
  /// Drops the lines that overlap [address, address + length).
  void invalidate(uint64_t address, uint64_t length);
  void clear();
  /// Hash of tags, versions, replacement order and fills that have not arrived
  /// by \p cycle.
  uint64_t digest(uint64_t cycle) const;

private:
  Line *setOf(uint64_t address) {
    return &lines[(address / lineSize % numSets) * numWays];
  }

  unsigned lineSize, numWays, numSets;
  uint64_t useCounter = 0;
  std::vector<Line> lines;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_CACHETAGS_H
