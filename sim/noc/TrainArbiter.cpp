//===- TrainArbiter.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/TrainArbiter.h"

#include <algorithm>
#include <utility>

using namespace chipwright::sim;

void TrainArbiter::request(TrainSource *source, Cycle when) {
  if (when - wheel.now() >= kSlots) {
    wheel.post(when, Phase::Evaluate, this, Ask,
               reinterpret_cast<uintptr_t>(source));
    return;
  }
  uint32_t index = freeEntry;
  if (index == kNone) {
    index = static_cast<uint32_t>(entries.size());
    entries.emplace_back();
  } else {
    freeEntry = entries[index].next;
  }
  uint32_t &slot = slots[when % kSlots];
  if (slot == kNone) {
    wheel.post(when, Phase::Arbitrate, this, Serve);
  }
  entries[index] = {source, slot};
  slot = index;
}

void TrainArbiter::fire(Cycle now, uint32_t kind, uint64_t argument) {
  if (kind == Ask) {
    request(reinterpret_cast<TrainSource *>(argument), now);
    return;
  }
  uint32_t index = std::exchange(slots[now % kSlots], kNone);
  while (index != kNone) {
    Entry &entry = entries[index];
    serving.push_back(entry.source);
    const uint32_t next = std::exchange(entry.next, freeEntry);
    freeEntry = index;
    index = next;
  }
  unsigned first = static_cast<unsigned>(now % numKeys);
  auto rank = [&](const TrainSource *source) {
    unsigned key = source->orderKey();
    return key >= first ? key - first : key + numKeys - first;
  };
  if (serving.size() > 1) {
    std::sort(serving.begin(), serving.end(),
              [&](const TrainSource *a, const TrainSource *b) {
                return rank(a) < rank(b);
              });
  }
  for (TrainSource *source : serving) {
    source->issueTrain(now);
  }
  serving.clear();
}
