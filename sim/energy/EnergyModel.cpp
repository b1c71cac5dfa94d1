//===- EnergyModel.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/energy/EnergyModel.h"

#include "sim/machine/Machine.h"
#include "sim/memory/MemorySystem.h"
#include "sim/pe/Pe.h"

using namespace chipwright;
using namespace chipwright::sim;

EnergyCounts EnergyCounts::since(const EnergyCounts &earlier) const {
  EnergyCounts difference = *this;
  difference.mac16 -= earlier.mac16;
  difference.mac8 -= earlier.mac8;
  difference.mac32 -= earlier.mac32;
  difference.seOperations -= earlier.seOperations;
  difference.reOperations -= earlier.reOperations;
  difference.lsBytes -= earlier.lsBytes;
  difference.sramBytes -= earlier.sramBytes;
  difference.nocHopBytes -= earlier.nocHopBytes;
  difference.reductionHopBytes -= earlier.reductionHopBytes;
  difference.dramBytes -= earlier.dramBytes;
  difference.dramEccBytes -= earlier.dramEccBytes;
  difference.hostBytes -= earlier.hostBytes;
  difference.instructions -= earlier.instructions;
  return difference;
}

EnergyCounts chipwright::sim::energyCounts(const Machine &machine) {
  EnergyCounts sum;
  for (unsigned i = 0; i < machine.numPes(); ++i) {
    const Pe &pe = machine.pe(i);
    const PeCounters &count = pe.counters();
    auto macs = [&](DType type) {
      return count.macs[static_cast<unsigned>(type)];
    };
    sum.mac16 += macs(DType::F16) + macs(DType::BF16);
    sum.mac8 += macs(DType::I8) + macs(DType::F8E4M3) + macs(DType::F8E5M2);
    sum.mac32 += macs(DType::F32) + macs(DType::TF32) + macs(DType::I32);
    sum.seOperations += count.seOperations;
    sum.reOperations += count.reOperations;
    sum.lsBytes += count.lsBytes;
    sum.reductionHopBytes += count.reduceBytes;
    sum.instructions += pe.totalInstructions();
  }
  const MemorySystem &paths = machine.paths();
  const MemoryCounters &memory = paths.counters();
  // The issuer's side of an access to another PE is in lsBytes already.
  sum.lsBytes += memory.peWindowBytes;
  sum.sramBytes = memory.sramReadBytes + memory.sramWriteBytes;
  sum.hostBytes = memory.hostBytes;
  sum.nocHopBytes = paths.noc().hopBytes();
  DramCounters dram = paths.dramCounters();
  sum.dramBytes = dram.readBytes + dram.writeBytes;
  sum.dramEccBytes = dram.eccBytes;
  return sum;
}

double EnergyReport::total() const {
  double sum = 0;
  for (const auto &[name, joules] : parts()) {
    sum += joules;
  }
  return sum;
}

std::array<std::pair<const char *, double>, EnergyReport::numParts>
EnergyReport::parts() const {
  return {{{"dpe", dpe},
           {"se", se},
           {"re", re},
           {"harts", harts},
           {"local_memory", localMemory},
           {"sram", sram},
           {"noc", noc},
           {"reduction_network", reductionNetwork},
           {"dram", dram},
           {"host", host},
           {"leakage", leakage}}};
}

EnergyReport chipwright::sim::computeEnergy(const ChipSpec &spec,
                                            const EnergyCounts &counts,
                                            Cycle duration) {
  constexpr double kJoulesPerPj = 1e-12, kSecondsPerFs = 1e-15;
  const EnergySpec &energy = spec.energy;
  auto operations = [&](uint64_t number, double pj) {
    return double(number) * pj * kJoulesPerPj;
  };
  auto bits = [&](uint64_t bytes, double pjPerBit) {
    return double(bytes) * 8 * pjPerBit * kJoulesPerPj;
  };
  double hopPjPerBit = energy.wirePjPerBitMm * energy.hopMm;

  EnergyReport report;
  report.dpe = operations(counts.mac16, energy.mac16Pj) +
               operations(counts.mac8, energy.mac8Pj) +
               operations(counts.mac32, energy.mac32Pj);
  report.se = operations(counts.seOperations, energy.seOpPj);
  report.re = operations(counts.reOperations, energy.seOpPj);
  report.harts = operations(counts.instructions, energy.instructionPj);
  report.localMemory = bits(counts.lsBytes, energy.lsPjPerBit);
  report.sram = bits(counts.sramBytes, energy.sramPjPerBit);
  report.noc = bits(counts.nocHopBytes, hopPjPerBit);
  report.reductionNetwork = bits(counts.reductionHopBytes, hopPjPerBit);
  report.dram =
      bits(counts.dramBytes + counts.dramEccBytes, energy.dramPjPerBit);
  report.host = bits(counts.hostBytes, energy.hostPjPerBit);
  report.seconds = double(duration) * double(spec.periodFs()) * kSecondsPerFs;
  report.leakage =
      energy.leakageWattsPerMm2 * spec.package.dieMm2 * report.seconds;
  report.tdpFraction = report.averageWatts() / spec.package.tdpWatts;
  return report;
}

EnergyReport chipwright::sim::computeEnergy(const ChipSpec &spec,
                                            const Machine &machine,
                                            Cycle duration) {
  return computeEnergy(spec, energyCounts(machine), duration);
}
