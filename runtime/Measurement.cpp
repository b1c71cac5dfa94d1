//===- Measurement.cpp - What one launch cost -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Measurement.h"

#include "sim/memory/MemorySystem.h"
#include "sim/pe/Pe.h"

#include <sys/resource.h>

using namespace chipwright;
using namespace chipwright::sim;

Measurement chipwright::measure(const Machine &machine, const JobResult &job) {
  const ChipSpec &spec = machine.spec();
  const MemorySystem &paths = machine.paths();
  Measurement m;
  m.job = job;
  m.numPes = machine.numPes();
  double period = double(spec.periodFs()) * 1e-15;
  m.seconds = double(job.cycles) * period;

  DramCounters dram = paths.dramCounters();
  m.dramReadBytes = dram.readBytes;
  m.dramWriteBytes = dram.writeBytes;
  m.dramEccBytes = dram.eccBytes;
  m.sramReadBytes = paths.counters().sramReadBytes;
  m.sramWriteBytes = paths.counters().sramWriteBytes;

  static constexpr isa::Engine order[] = {
      isa::Engine::Dpe, isa::Engine::Re,   isa::Engine::Se,
      isa::Engine::Mlu, isa::Engine::FiIn, isa::Engine::FiOut};
  static constexpr const char *names[] = {"dpe", "re",    "se",
                                          "mlu", "fi_in", "fi_out"};
  for (unsigned i = 0; i < std::size(order); ++i) {
    EngineTime &time = m.engines[i];
    time.name = names[i];
    for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
      const StallAccount &account = machine.pe(pe).account(order[i]);
      time.busy += account.busy();
      for (unsigned cause = 0; cause < numStalls; ++cause) {
        time.lost[cause] += account.lost(static_cast<Stall>(cause));
      }
    }
    // The accounts begin at cycle 0, the job one cycle after.
    Cycle before = (job.end - job.cycles) * machine.numPes();
    Cycle &launch = time.lost[static_cast<unsigned>(Stall::Launch)];
    launch -= std::min(launch, before);
  }

  m.energy = computeEnergy(spec, machine, job.cycles);

  double cycles = double(std::max<Cycle>(job.cycles, 1));
  double buses = double(spec.dram.channels) * spec.dram.pseudoChannels;
  m.dramBusShare = double(dram.busyFs) * 1e-15 / (cycles * period * buses);
  m.sramBankShare = double(paths.bankBusyCycles()) / (cycles * spec.sram.banks);
  const Noc &noc = paths.noc();
  for (unsigned link = 0; link < noc.numLinks(); ++link) {
    double share = double(noc.linkState(link).busyCycles()) / cycles;
    if (share > m.nocLinkShare) {
      m.nocLinkShare = share;
      m.busiestLink = noc.linkName(link);
    }
  }
  return m;
}

static double seconds(const timeval &time) {
  return double(time.tv_sec) + double(time.tv_usec) * 1e-6;
}

double chipwright::processCpuSeconds(bool withChildren) {
  double sum = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    if (who == RUSAGE_SELF || withChildren) {
      rusage usage{};
      getrusage(who, &usage);
      sum += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
  }
  return sum;
}
