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
    buckets[event.when % kSlots]
        .phases[static_cast<unsigned>(event.phase)]
        .push_back(event.event);
    occupied[(event.when % kSlots) / 64] |= uint64_t(1) << (event.when % 64);
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

void TimingWheel::shuffle(std::vector<Event> &events, std::size_t from) {
  for (std::size_t i = events.size(); i > from + 1; --i) {
    // xorshift64: any permutation does, it only has to be repeatable.
    shuffleState ^= shuffleState << 13;
    shuffleState ^= shuffleState >> 7;
    shuffleState ^= shuffleState << 17;
    std::swap(events[i - 1], events[from + shuffleState % (i - from)]);
  }
}

void TimingWheel::runCycle(Cycle when) {
  running = base = when;
  pullFarEvents();
  Bucket &bucket = buckets[when % kSlots];
  for (std::vector<Event> &events : bucket.phases) {
    // Events may be posted to this phase while it runs; they are appended.
    std::size_t done = 0;
    while (done < events.size()) {
      if (shuffleState) {
        shuffle(events, done);
      }
      for (std::size_t end = events.size(); done < end; ++done) {
        Event event = events[done];
        event.client->fire(when, event.kind, event.argument);
      }
    }
    events.clear();
  }
  occupied[(when % kSlots) / 64] &= ~(uint64_t(1) << (when % 64));
  base = when + 1;
  pullFarEvents();
}
