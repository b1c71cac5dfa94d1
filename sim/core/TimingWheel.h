//===- TimingWheel.h - The event queue of one chip --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One SystemC process per chip is woken once per cycle that has work; the
// wheel keeps that work. A cycle has three phases, so that the order of
// events inside a phase never decides a result:
//
//   Deliver    messages, completions and wake-ups reach their module;
//   Evaluate   each touched PE dispatches commands and runs its harts;
//   Arbitrate  shared resources serve what the Evaluate phase asked for, in a
//              fixed order of requesters.
//
// What one module does to another takes effect in a later cycle.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_CORE_TIMINGWHEEL_H
#define CHIPWRIGHT_SIM_CORE_TIMINGWHEEL_H

#include "sim/core/Time.h"

#include <array>
#include <cstddef>
#include <queue>
#include <vector>

namespace chipwright::sim {

enum class Phase : unsigned { Deliver = 0, Evaluate = 1, Arbitrate = 2 };

/// A module that receives events.
class WheelClient {
public:
  virtual ~WheelClient() = default;
  virtual void fire(Cycle now, uint32_t kind, uint64_t argument) = 0;
};

class TimingWheel {
public:
  TimingWheel();

  /// Posts an event. (\p when, \p phase) must not lie before the event being
  /// fired; posting into the phase being fired is allowed.
  void post(Cycle when, Phase phase, WheelClient *client, uint32_t kind,
            uint64_t argument = 0) {
    ++numPosted;
    if (when < base + kSlots) {
      append(when, phase, {client, argument, kind});
      return;
    }
    postFar(when, phase, client, kind, argument);
  }

  /// The cycle being run, or the last one that was.
  Cycle now() const { return running; }

  /// First cycle at or after the current one that holds an event, or kNever.
  Cycle nextCycle() const;

  /// Fires every event of cycle \p when, which must be nextCycle().
  void runCycle(Cycle when);

  /// Permutes the events inside each phase with this seed; 0 keeps the order
  /// of posting. Tests use it to show that the order decides nothing.
  void setShuffleSeed(uint64_t seed) { shuffleState = seed; }

  uint64_t eventsPosted() const { return numPosted; }
  bool empty() const { return nextCycle() == kNever; }

private:
  static constexpr unsigned kSlots = 4096;

  static constexpr uint32_t kNone = ~uint32_t(0);

  struct Event {
    WheelClient *client;
    uint64_t argument;
    uint32_t kind;
    uint32_t next = kNone; // in the list of its phase
  };
  /// The events of one phase of one cycle, in order of posting.
  struct List {
    uint32_t first = kNone, last = kNone;
  };
  using Bucket = std::array<List, 3>;
  struct FarEvent {
    Cycle when;
    uint64_t sequence;
    Phase phase;
    Event event;
    bool operator<(const FarEvent &other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };

  void append(Cycle when, Phase phase, const Event &event) {
    uint32_t index = freeEvent;
    if (index == kNone) {
      index = static_cast<uint32_t>(events.size());
      events.push_back(event);
    } else {
      freeEvent = events[index].next;
      events[index] = event;
    }
    List &list = buckets[when % kSlots][static_cast<unsigned>(phase)];
    (list.first == kNone ? list.first : events[list.last].next) = index;
    list.last = index;
    occupied[(when % kSlots) / 64] |= uint64_t(1) << (when % 64);
  }
  void postFar(Cycle when, Phase phase, WheelClient *client, uint32_t kind,
               uint64_t argument);
  void pullFarEvents();
  uint32_t shuffle(uint32_t first);

  std::vector<Bucket> buckets;
  // All events of the window. Free ones are chained, the last used first: a
  // few places serve for all, and stay in the cache of the host.
  std::vector<Event> events;
  uint32_t freeEvent = kNone;
  std::array<uint64_t, kSlots / 64> occupied{};
  std::priority_queue<FarEvent> far;
  Cycle running = 0;
  Cycle base = 0; // buckets hold [base, base + kSlots)
  uint64_t numPosted = 0;
  uint64_t farSequence = 0;
  uint64_t shuffleState = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_CORE_TIMINGWHEEL_H
