//===- BarrierNetwork.h - Barriers over rectangles of PEs -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A barrier has an id and a mask (rows x columns). Arrivals travel to the
// middle of the rectangle and the release travels back, at
// `control.barrier_hop_cycles` a hop on a channel of their own.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_BARRIERNETWORK_H
#define CHIPWRIGHT_SIM_PE_BARRIERNETWORK_H

#include "chips/ChipSpec.h"
#include "sim/core/TimingWheel.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace chipwright::sim {

class Pe;

class BarrierNetwork {
public:
  BarrierNetwork(const ChipSpec &spec, TimingWheel &wheel)
      : spec(spec), wheel(wheel) {}

  void connect(std::vector<Pe *> members) { pes = std::move(members); }

  /// Hart \p hart of PE \p pe arrives at \p at. \p onlyThisHart: the barrier
  /// is over one hart per PE. When all have arrived, each is released by a
  /// Pe::BarrierRelease event. \returns false if the PE is not in the mask, or
  /// the mask names PEs outside the grid.
  bool arrive(unsigned pe, unsigned hart, unsigned id, uint32_t rowMask,
              uint32_t colMask, bool onlyThisHart, Cycle at);

  /// Barriers that lack arrivals, one line each.
  std::vector<std::string> waits() const;

private:
  // id, rows, columns, hart (2: both)
  using Key = std::tuple<unsigned, uint32_t, uint32_t, unsigned>;
  struct State {
    Cycle latest = 0;                                   // arrival at the middle
    std::vector<std::pair<unsigned, unsigned>> arrived; // PE, hart
  };

  const ChipSpec &spec;
  TimingWheel &wheel;
  std::vector<Pe *> pes;
  std::map<Key, State> open;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_BARRIERNETWORK_H
