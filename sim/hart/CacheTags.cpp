//===- CacheTags.cpp - Timing tags of a hart cache ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/CacheTags.h"

#include "sim/hart/Hash.h"

#include <algorithm>

namespace chipwright::sim {

CacheTags::CacheTags(unsigned bytes, unsigned lineBytes, unsigned ways)
    : lineSize(std::max(lineBytes, 1u)), numWays(0), numSets(0) {
  unsigned count = bytes / lineSize;
  if (count) {
    numWays = std::clamp(ways, 1u, count);
    numSets = count / numWays;
    lines.resize(size_t(numSets) * numWays);
  }
}

CacheTags::Line *CacheTags::find(uint64_t address) {
  if (!numSets) {
    return nullptr;
  }
  uint64_t line = lineOf(address);
  Line *set = setOf(line);
  for (unsigned way = 0; way < numWays; ++way) {
    if (set[way].address == line) {
      set[way].lastUse = ++useCounter;
      return &set[way];
    }
  }
  return nullptr;
}

CacheTags::Line &CacheTags::insert(uint64_t address, uint32_t version,
                                   uint64_t readyCycle) {
  uint64_t line = lineOf(address);
  Line *set = setOf(line);
  Line *victim = set;
  for (unsigned way = 1; way < numWays; ++way) {
    if (set[way].lastUse < victim->lastUse) {
      victim = &set[way];
    }
  }
  *victim = {line, ++useCounter, readyCycle, version};
  return *victim;
}

void CacheTags::invalidate(uint64_t address, uint64_t length) {
  if (!length || !numSets) {
    return;
  }
  uint64_t last =
      length - 1 > ~uint64_t(0) - address ? ~uint64_t(0) : address + length - 1;
  for (Line &line : lines) {
    if (line.address != ~uint64_t(0) && line.address <= last &&
        line.address + (lineSize - 1) >= address) {
      line = Line();
    }
  }
}

void CacheTags::clear() {
  std::fill(lines.begin(), lines.end(), Line());
  useCounter = 0;
}

uint64_t CacheTags::digest(uint64_t cycle) const {
  // Only the order of use within a set matters, not how often or where.
  uint64_t hash = hashSeed;
  std::vector<Line> set;
  for (unsigned first = 0; first < lines.size(); first += numWays) {
    set.assign(lines.begin() + first, lines.begin() + first + numWays);
    std::sort(set.begin(), set.end(), [](const Line &a, const Line &b) {
      return a.lastUse < b.lastUse;
    });
    for (const Line &line : set) {
      hash = hashMix(hash, line.address);
      hash = hashMix(hash, line.version);
      hash =
          hashMix(hash, line.readyCycle > cycle ? line.readyCycle - cycle : 0);
    }
  }
  return hash;
}

} // namespace chipwright::sim
