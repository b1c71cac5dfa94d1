//===- Llc.cpp ------------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/Llc.h"

#include <algorithm>

using namespace chipwright::sim;

LlcSlice::LlcSlice(uint64_t lines, unsigned ways)
    : sets(ways ? lines / ways : 0), ways(ways) {}

LlcSlice::Entry *LlcSlice::find(uint64_t line) {
  Entry *set = &entries[line % sets * ways];
  for (unsigned way = 0; way < ways; ++way) {
    if (set[way].lastUse && set[way].line == line) {
      return &set[way];
    }
  }
  return nullptr;
}

LlcResult LlcSlice::access(uint64_t line, bool allocate, bool makesDirty) {
  LlcResult result;
  if (sets == 0) {
    return result;
  }
  if (entries.empty()) {
    if (!allocate) {
      return result;
    }
    entries.assign(sets * ways, Entry{0, 0, 0, false});
  }
  ++clock;
  if (Entry *entry = find(line)) {
    entry->lastUse = clock;
    numDirty += makesDirty && !entry->dirty;
    entry->dirty |= makesDirty;
    result.hit = true;
    result.ready = &entry->ready;
    return result;
  }
  if (!allocate) {
    return result;
  }
  Entry *set = &entries[line % sets * ways];
  Entry *victim =
      std::min_element(set, set + ways, [](const Entry &a, const Entry &b) {
        return a.lastUse < b.lastUse;
      });
  result.allocated = true;
  if (victim->lastUse && victim->dirty) {
    result.evictsDirty = true;
    result.evictedLine = victim->line;
    --numDirty;
  }
  *victim = {line, 0, clock, makesDirty};
  result.ready = &victim->ready;
  numDirty += makesDirty;
  return result;
}

Cycle *LlcSlice::readyTime(uint64_t line) {
  if (sets == 0 || entries.empty()) {
    return nullptr;
  }
  Entry *entry = find(line);
  return entry ? &entry->ready : nullptr;
}

void LlcSlice::flush(std::vector<uint64_t> &out) {
  if (numDirty == 0) {
    return;
  }
  std::size_t first = out.size();
  for (Entry &entry : entries) {
    if (entry.lastUse && entry.dirty) {
      out.push_back(entry.line);
      entry.dirty = false;
    }
  }
  numDirty = 0;
  std::sort(out.begin() + first, out.end());
}

void LlcSlice::reset() {
  entries.clear();
  clock = 0;
  numDirty = 0;
}

uint64_t LlcSlice::digest() const {
  // Order of use decides evictions, so it belongs to the state.
  uint64_t hash = 0xcbf29ce484222325;
  for (const Entry &entry : entries) {
    if (entry.lastUse) {
      hash = (hash ^ (entry.line * 2 + entry.dirty)) * 0x100000001b3;
      hash = (hash ^ entry.lastUse) * 0x100000001b3;
    }
  }
  return hash;
}
