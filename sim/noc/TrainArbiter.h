//===- TrainArbiter.h - Order of requesters in a cycle ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Everything that asks shared resources (links, banks, channels) for service
// in a cycle registers here and is served in that cycle's Arbitrate phase, in
// an order that depends on the cycle and the requester only: round robin over
// the keys.
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
      : wheel(wheel), numKeys(numKeys) {}

  /// Serves \p source in the Arbitrate phase of \p now, the current cycle.
  void request(TrainSource *source, Cycle now);

  void fire(Cycle now, uint32_t kind, uint64_t argument) override;

private:
  TimingWheel &wheel;
  unsigned numKeys;
  std::vector<TrainSource *> waiting, serving;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NOC_TRAINARBITER_H
