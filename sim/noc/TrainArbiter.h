//===- TrainArbiter.h - Order of requesters in a cycle ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Everything that asks shared resources (links, banks, channels) for service
// in a cycle registers here and is served in that cycle's Arbitrate phase, in
// an order that depends on the cycle and the requester only: round robin over
// the keys. A cycle that serves anyone takes one event of the wheel.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NOC_TRAINARBITER_H
#define CHIPWRIGHT_SIM_NOC_TRAINARBITER_H

#include "sim/core/TimingWheel.h"

#include <vector>

namespace chipwright::sim {

/// A requester. Keys are unique and smaller than the arbiter's number of keys.
class TrainSource {
public:
  virtual ~TrainSource() = default;
  virtual void issueTrain(Cycle now) = 0;
  virtual unsigned orderKey() const = 0;
};

class TrainArbiter final : public WheelClient {
public:
  TrainArbiter(TimingWheel &wheel, unsigned numKeys)
      : wheel(wheel), numKeys(numKeys), slots(kSlots, kNone) {}

  /// Serves \p source in the Arbitrate phase of \p when, the current cycle or
  /// a later one. A source that asks twice is called twice.
  void request(TrainSource *source, Cycle when);

  void fire(Cycle now, uint32_t kind, uint64_t argument) override;

private:
  /// Trains are rarely asked for further ahead than the window of a fetcher.
  static constexpr unsigned kSlots = 1024;
  static constexpr uint32_t kNone = ~uint32_t(0);
  enum Event : uint32_t { Serve, Ask };

  struct Entry {
    TrainSource *source;
    uint32_t next; // in the same cycle, or among the free ones
  };

  TimingWheel &wheel;
  unsigned numKeys;
  std::vector<uint32_t> slots; // by cycle: the first of those that asked
  std::vector<Entry> entries;
  uint32_t freeEntry = kNone;
  std::vector<TrainSource *> serving;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NOC_TRAINARBITER_H
