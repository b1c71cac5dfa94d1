//===- Chip.h - SystemC modules of a chip -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Chip runs the timing wheel: one process, woken once per cycle that has work.
// ControlCore dispatches jobs and sees their completion. Internal to
// sim/machine.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MACHINE_CHIP_H
#define CHIPWRIGHT_SIM_MACHINE_CHIP_H

#include "sim/core/TimingWheel.h"
#include "sim/machine/Job.h"
#include "sim/pe/BarrierNetwork.h"
#include "sim/pe/MulticastNetwork.h"
#include "sim/pe/Pe.h"

#include <systemc>

#include <memory>
#include <vector>

namespace chipwright::sim {

/// The wheel's process.
class Chip final : public sc_core::sc_module {
public:
  SC_HAS_PROCESS(Chip);
  Chip(sc_core::sc_module_name name, TimingWheel &wheel, ClockDomain domain,
       FaultSink &faults);

  /// Makes the wheel turn again after something was posted from outside.
  void kick() { work.notify(sc_core::SC_ZERO_TIME); }
  Cycle now() const;

private:
  void step();

  TimingWheel &wheel;
  ClockDomain domain;
  FaultSink &faults;
  sc_core::sc_event work;
};

/// Dispatches one job at a time to the PEs and waits for all of them.
class ControlCore final : public sc_core::sc_module, public WheelClient {
public:
  SC_HAS_PROCESS(ControlCore);
  ControlCore(sc_core::sc_module_name name, const ChipSpec &spec,
              TimingWheel &wheel, Chip &chip);

  void connect(std::vector<Pe *> all, MemorySystem *memory) {
    pes = std::move(all);
    paths = memory;
  }

  /// Puts \p job into the work queue; it is dispatched when the simulation
  /// runs.
  void submit(const Job &job);

  /// A PE reports that it is done, or (kind 1) starts are due.
  void fire(Cycle now, uint32_t kind, uint64_t argument) override;

  bool done() const { return isDone; }
  Cycle dispatched() const { return dispatchCycle; }
  Cycle firstStart() const { return firstStartCycle; }
  Cycle lastDone() const { return lastDoneCycle; }
  /// Part of the time before lastDone() in which only the LLC wrote back.
  Cycle writeBack() const { return writeBackCycles; }
  Cycle end() const { return endCycle; }

private:
  void dispatch();

  const ChipSpec &spec;
  TimingWheel &wheel;
  Chip &chip;
  MemorySystem *paths = nullptr;
  std::vector<Pe *> pes;
  Job job;
  sc_core::sc_event submitted;
  unsigned remaining = 0;
  bool isDone = true;
  Cycle dispatchCycle = 0, firstStartCycle = 0, lastDoneCycle = 0, endCycle = 0;
  Cycle writeBackCycles = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MACHINE_CHIP_H
