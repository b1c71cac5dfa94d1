//===- EnergyModel.h - Energy of a run from event counts --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_ENERGY_ENERGYMODEL_H
#define CHIPWRIGHT_SIM_ENERGY_ENERGYMODEL_H

#include "chips/ChipSpec.h"
#include "sim/core/Time.h"

#include <array>
#include <cstdint>
#include <utility>

namespace chipwright::sim {

class Machine;

/// Events that cost energy, summed over the chip since the machine was built.
struct EnergyCounts {
  uint64_t mac16 = 0, mac8 = 0, mac32 = 0; // by width of the operands
  uint64_t seOperations = 0, reOperations = 0;
  /// Moved in or out of local memories by engines, DMA and other PEs. Loads
  /// and stores of the harts are part of the energy of an instruction.
  uint64_t lsBytes = 0;
  uint64_t sramBytes = 0; // read and written, LLS and LLC
  uint64_t nocHopBytes = 0, reductionHopBytes = 0;
  uint64_t dramBytes = 0, dramEccBytes = 0; // data, in-line code
  uint64_t hostBytes = 0;
  uint64_t instructions = 0;

  /// What happened between \p earlier and this.
  EnergyCounts since(const EnergyCounts &earlier) const;
};

/// Reads the counters of \p machine.
EnergyCounts energyCounts(const Machine &machine);

/// Joules by consumer.
struct EnergyReport {
  double dpe = 0;         // multiply-accumulates
  double se = 0, re = 0;  // element operations
  double harts = 0;       // scalar instructions with their caches
  double localMemory = 0; // of all PEs; the MLU's energy is in here
  double sram = 0;
  double noc = 0, reductionNetwork = 0; // wires
  double dram = 0;                      // device and interface, with ECC
  double host = 0;
  double leakage = 0;

  double seconds = 0;
  double total() const;
  /// 0 if no time has passed.
  double averageWatts() const { return seconds > 0 ? total() / seconds : 0; }
  double tdpFraction = 0; // averageWatts() / package.tdp_watts

  static constexpr unsigned numParts = 11;
  /// Name as in JSON ("local_memory") and joules of each part.
  std::array<std::pair<const char *, double>, numParts> parts() const;
};

/// The energy of \p counts in \p duration cycles of the PE clock:
///
///   engines   operations x pJ per operation (`mac*_pj`, `se_op_pj`,
///             `instruction_pj`); the RE's element operations cost as the SE's
///   memories  bytes x 8 x pJ per bit (`ls_`, `sram_`, `dram_`,
///             `host_pj_per_bit`)
///   networks  bytes x hops x 8 x `hop_mm` x `wire_pj_per_bit_mm`; a reduction
///             link is one hop
///   leakage   `leakage_watts_per_mm2` x `die_mm2` x time
///
/// Event-count energy with per-action tables is the method of Accelergy (Wu,
/// Emer, Sze, ICCAD 2019); the tables with their sources and ranges stand in
/// the chip's file. Activates and refreshes of DRAM are not counted apart:
/// `dram_pj_per_bit` is an all-in figure.
EnergyReport computeEnergy(const ChipSpec &spec, const EnergyCounts &counts,
                           Cycle duration);

/// The same for all that \p machine has done.
EnergyReport computeEnergy(const ChipSpec &spec, const Machine &machine,
                           Cycle duration);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_ENERGY_ENERGYMODEL_H
