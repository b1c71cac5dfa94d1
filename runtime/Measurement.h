//===- Measurement.h - What one launch cost ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Everything that a report says about a launch, taken from the machine's
// counters when the launch is over. Computes nothing but sums.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_MEASUREMENT_H
#define CHIPWRIGHT_RUNTIME_MEASUREMENT_H

#include "sim/energy/EnergyModel.h"
#include "sim/machine/Machine.h"
#include "sim/memory/MemorySystem.h"
#include "sim/pe/Pe.h"
#include "sim/pe/StallAccount.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace chipwright {

/// Cycles of one kind of engine, summed over all PEs: busy and lost add up to
/// cycles x PEs.
struct EngineTime {
  std::string name;
  sim::Cycle busy = 0;
  std::array<sim::Cycle, sim::numStalls> lost{};
};

struct Measurement {
  sim::JobResult job;
  unsigned numPes = 0;
  double seconds = 0;
  uint64_t dramReadBytes = 0, dramWriteBytes = 0, dramEccBytes = 0;
  uint64_t sramReadBytes = 0, sramWriteBytes = 0;
  std::array<EngineTime, 6> engines;
  // Shares of the time from dispatch to completion, 0 to 1.
  double dramBusShare = 0;  // data bus held, mean over channels
  double sramBankShare = 0; // mean over banks
  double nocLinkShare = 0;  // the busiest link
  std::string busiestLink;
  sim::EnergyReport energy;
  /// Multiply-accumulates of the DPEs, padding included, by the DType of the
  /// streamed operand.
  std::array<uint64_t, sim::kMacTypes> macs{};
  double cpuSeconds = 0; // host CPU time of machine and launch
};

/// Counters of a machine between two launches.
struct CounterSnapshot {
  sim::DramCounters dram;
  sim::MemoryCounters memory;
  sim::EnergyCounts energy;
  std::array<uint64_t, sim::kMacTypes> macs{};
  std::array<EngineTime, 6> engines;
  sim::Cycle bankBusy = 0;
  std::vector<sim::Cycle> linkBusy; // by link
  uint64_t commands = 0, passes = 0, trains = 0;
  sim::Cycle end = 0; // of the last launch
};

/// Reads the counters of \p machine, whose last launch gave \p last (a
/// default one before the first).
CounterSnapshot snapshot(const sim::Machine &machine,
                         const sim::JobResult &last);

/// What happened on \p machine since \p before: one launch, or several that
/// \p job sums up (cycles and end of the whole). Commands, passes and trains
/// are counted from the machine's start in \p job, from \p before in the
/// result.
Measurement measure(const sim::Machine &machine, const sim::JobResult &job,
                    const CounterSnapshot &before);

/// The same for a machine's only launch.
Measurement measure(const sim::Machine &machine, const sim::JobResult &job);

/// CPU seconds that this process has used; \p withChildren adds processes that
/// it has waited for.
double processCpuSeconds(bool withChildren);

/// The most memory that this process has had at a time (VmHWM), with the pages
/// of programs and mapped files; 0 where the system does not tell.
uint64_t peakMemoryBytes();

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_MEASUREMENT_H
