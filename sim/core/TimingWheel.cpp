//===- TimingWheel.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/TimingWheel.h"

#include <bit>
#include <utility>

using namespace chipwright::sim;

TimingWheel::TimingWheel() : buckets(kSlots) {}

void TimingWheel::postFar(Cycle when, Phase phase, WheelClient *client,
                          uint32_t kind, uint64_t argument) {
  far.push({when, farSequence++, phase, {client, argument, kind}});
}

void TimingWheel::pullFarEvents() {
  while (!far.empty() && far.top().when < base + kSlots) {
    const FarEvent &event = far.top();
    append(event.when, event.phase, event.event);
    far.pop();
  }
}

Cycle TimingWheel::nextCycle() const {
  constexpr unsigned kWords = kSlots / 64;
  unsigned firstWord = (base % kSlots) / 64;
  unsigned firstBit = base % 64;
  // The first word is looked at twice: its upper bits first, its lower bits,
  // which belong to the end of the window, last.
  for (unsigned i = 0; i <= kWords; ++i) {
    unsigned word = (firstWord + i) % kWords;
    uint64_t bits = occupied[word];
    if (i == 0) {
      bits &= ~uint64_t(0) << firstBit;
    } else if (i == kWords) {
      bits &= ~(~uint64_t(0) << firstBit);
    }
    if (bits) {
      unsigned slot = word * 64 + std::countr_zero(bits);
      return base + (slot + kSlots - base % kSlots) % kSlots;
    }
  }
  return far.empty() ? kNever : far.top().when;
}

/// Permutes the list that begins with \p first. \returns its new beginning.
uint32_t TimingWheel::shuffle(uint32_t first) {
  std::vector<uint32_t> order;
  for (uint32_t i = first; i != kNone; i = events[i].next) {
    order.push_back(i);
  }
  for (std::size_t i = order.size(); i > 1; --i) {
    // xorshift64: any permutation does, it only has to be repeatable.
    shuffleState ^= shuffleState << 13;
    shuffleState ^= shuffleState >> 7;
    shuffleState ^= shuffleState << 17;
    std::swap(order[i - 1], order[shuffleState % i]);
  }
  uint32_t next = kNone;
  for (std::size_t i = order.size(); i-- > 0;) {
    events[order[i]].next = next;
    next = order[i];
  }
  return next;
}

void TimingWheel::runCycle(Cycle when) {
  running = base = when;
  pullFarEvents();
  for (List &list : buckets[when % kSlots]) {
    // Events may be posted to this phase while it runs; they come after those
    // that are there.
    while (list.first != kNone) {
      uint32_t index = list.first;
      list = List();
      if (shuffleState) {
        index = shuffle(index);
      }
      while (index != kNone) {
        const Event event = events[index];
        events[index].next = freeEvent;
        freeEvent = index;
        index = event.next;
        event.client->fire(when, event.kind, event.argument);
      }
    }
  }
  occupied[(when % kSlots) / 64] &= ~(uint64_t(1) << (when % 64));
  base = when + 1;
  pullFarEvents();
}
