//===- Measurement.cpp - What one launch cost -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Measurement.h"

#include "sim/memory/MemorySystem.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/resource.h>

using namespace chipwright;
using namespace chipwright::sim;

CounterSnapshot chipwright::snapshot(const Machine &machine,
                                     const JobResult &last) {
  static constexpr isa::Engine order[] = {
      isa::Engine::Dpe, isa::Engine::Re,   isa::Engine::Se,
      isa::Engine::Mlu, isa::Engine::FiIn, isa::Engine::FiOut};
  static constexpr const char *names[] = {"dpe", "re",    "se",
                                          "mlu", "fi_in", "fi_out"};
  const MemorySystem &paths = machine.paths();
  CounterSnapshot now;
  now.dram = paths.dramCounters();
  now.memory = paths.counters();
  now.energy = energyCounts(machine);
  now.bankBusy = paths.bankBusyCycles();
  now.commands = last.commands;
  now.passes = last.passes;
  now.trains = last.trains;
  now.end = last.end;
  for (unsigned i = 0; i < std::size(order); ++i) {
    EngineTime &time = now.engines[i];
    time.name = names[i];
    for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
      const StallAccount &account = machine.pe(pe).account(order[i]);
      time.busy += account.busy();
      for (unsigned cause = 0; cause < numStalls; ++cause) {
        time.lost[cause] += account.lost(static_cast<Stall>(cause));
      }
    }
  }
  for (unsigned pe = 0; pe < machine.numPes(); ++pe) {
    for (unsigned type = 0; type < kMacTypes; ++type) {
      now.macs[type] += machine.pe(pe).counters().macs[type];
    }
  }
  const Noc &noc = paths.noc();
  for (unsigned link = 0; link < noc.numLinks(); ++link) {
    now.linkBusy.push_back(noc.linkState(link).busyCycles());
  }
  return now;
}

Measurement chipwright::measure(const Machine &machine, const JobResult &job) {
  return measure(machine, job, CounterSnapshot());
}

Measurement chipwright::measure(const Machine &machine, const JobResult &job,
                                const CounterSnapshot &before) {
  const ChipSpec &spec = machine.spec();
  CounterSnapshot now = snapshot(machine, job);
  Measurement m;
  m.job = job;
  m.job.commands -= before.commands;
  m.job.passes -= before.passes;
  m.job.trains -= before.trains;
  m.numPes = machine.numPes();
  double period = double(spec.periodFs()) * 1e-15;
  m.seconds = double(job.cycles) * period;

  m.dramReadBytes = now.dram.readBytes - before.dram.readBytes;
  m.dramWriteBytes = now.dram.writeBytes - before.dram.writeBytes;
  m.dramEccBytes = now.dram.eccBytes - before.dram.eccBytes;
  m.sramReadBytes = now.memory.sramReadBytes - before.memory.sramReadBytes;
  m.sramWriteBytes = now.memory.sramWriteBytes - before.memory.sramWriteBytes;

  for (size_t i = 0; i < m.engines.size(); ++i) {
    EngineTime &time = m.engines[i];
    time = now.engines[i];
    time.busy -= before.engines[i].busy;
    for (unsigned cause = 0; cause < numStalls; ++cause) {
      time.lost[cause] -= before.engines[i].lost[cause];
    }
    // The accounts begin where the last job ended, the job a cycle or more
    // after that.
    Cycle idle = (job.end - job.cycles - before.end) * machine.numPes();
    Cycle &launch = time.lost[static_cast<unsigned>(Stall::Launch)];
    launch -= std::min(launch, idle);
  }

  for (unsigned type = 0; type < kMacTypes; ++type) {
    m.macs[type] = now.macs[type] - before.macs[type];
  }
  m.energy = computeEnergy(spec, now.energy.since(before.energy), job.cycles);

  double cycles = double(std::max<Cycle>(job.cycles, 1));
  double buses = double(spec.dram.channels) * spec.dram.pseudoChannels;
  m.dramBusShare = double(now.dram.busyFs - before.dram.busyFs) * 1e-15 /
                   (cycles * period * buses);
  m.sramBankShare =
      double(now.bankBusy - before.bankBusy) / (cycles * spec.sram.banks);
  const Noc &noc = machine.paths().noc();
  for (unsigned link = 0; link < noc.numLinks(); ++link) {
    Cycle earlier = before.linkBusy.empty() ? 0 : before.linkBusy[link];
    double share = double(now.linkBusy[link] - earlier) / cycles;
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

uint64_t chipwright::peakMemoryBytes() {
  // Not ru_maxrss, which a process inherits from the one that started it.
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (uint64_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) {
      return kilobytes << 10;
    }
  }
  return 0;
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
