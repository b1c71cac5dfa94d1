//===- DramRefreshPrograms.cpp - Refresh, clock and cache in front of DRAM ===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/DramTerms.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;

/// Cycle in which the harts of PE 0,0 start: the control core dispatches in
/// cycle 1.
static Cycle firstStart(const ChipSpec &spec, const Micro &micro) {
  Cycle transfer = divideUp(spec.control.descriptorBytes +
                                micro.program.image().bytes.size(),
                            spec.noc.linkBytes);
  return 1 + spec.control.dispatchCycles + controlLatency(spec, 0, 0) +
         transfer + spec.control.wqeCycles;
}

/// \p opened: an earlier read has left the row open, so that it must be closed
/// before an all-bank refresh.
static Micro refreshed(const ChipSpec &spec, bool opened) {
  // A read of bank 0 that comes 20 clocks after the bank's first refresh was
  // due on the base chips of this program: 1/16 of 16 x 1280 clocks, or 1280
  // clocks for all banks.
  constexpr Cycle kComes = 1300;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024);
  code.bind(0, rowsOf(0, 1, spec.dram.accessBytes, 0));
  if (opened) {
    code.go(Opcode::DmaIn, 0);
  }
  // Waiting makes the image longer and the launch later: a cycle for every 16
  // instructions of four bytes on a link of 64 bytes.
  Cycle arrives = 0;
  unsigned wait = 700;
  for (int step = 0; step < 8; ++step) {
    Micro trial(spec);
    trial.program.main() = code;
    trial.program.main().idle(wait).go(Opcode::DmaIn, 0);
    arrives = firstStart(spec, trial) +
              readArrives(spec, issued(spec, trial, trial.program.main()));
    wait = static_cast<unsigned>(Cycle(wait) + kComes - arrives);
    if (arrives == kComes) {
      break;
    }
  }
  code.idle(wait).go(Opcode::DmaIn, 0);
  Cycle start = firstStart(spec, micro);
  arrives = start + readArrives(spec, issued(spec, micro, code));
  bool all = spec.dram.refresh == DramRefresh::AllBank;
  uint64_t interval =
      uint64_t(std::llround(spec.dram.timing.refiNs * spec.clockGhz));
  uint64_t due = all ? interval : interval / clocks.bank;
  Cycle activate = arrives + clocks.second;
  // A refresh that is due goes first, on time even in an idle channel. Later
  // ones are an interval apart.
  for (; due <= arrives; due += interval) {
    Cycle closed = due + (opened && all ? clocks.rpAll : 0);
    activate =
        std::max(activate, closed + (all ? clocks.rfcAll : clocks.rfcBank));
  }
  micro.cycles = kernelCycles(
      spec, delivered(spec, activate + clocks.rcd + clocks.rl + clocks.burst,
                      spec.dram.accessBytes) -
                start);
  return micro;
}

Micro test::dramRefresh(const ChipSpec &spec) {
  return refreshed(spec, /*opened=*/false);
}
Micro test::dramRefreshOpen(const ChipSpec &spec) {
  return refreshed(spec, /*opened=*/true);
}

Micro test::dramClock(const ChipSpec &spec) {
  // dramRead() on a chip whose command clock is not the PE clock: a request
  // waits for the next command clock, data for the next cycle.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  const DramTimingSpec &t = spec.dram.timing;
  code.cbSetup(0, 0, 1024).bind(0, rowsOf(0, 1, kGranule, 0));
  code.go(Opcode::DmaIn, 0);
  Cycle start = firstStart(spec, micro);
  Cycle atUnit = start + issued(spec, micro, code) + wayToUnit(spec, 0, 0, 0);
  double tck = t.tckNs;
  auto clocks = [&](double ns) { return std::ceil(ns / tck - 1e-6); };
  double arrives =
      clocks(double(atUnit) / spec.clockGhz + spec.dram.controllerNs);
  double burst =
      clocks(1e9 * spec.dram.accessBytes / spec.dram.pinBytesPerSecond);
  double spacing = std::max({burst, clocks(t.ccdShortNs), clocks(t.ccdLongNs)});
  double accesses = double(kGranule) / spec.dram.accessBytes;
  double done = arrives + 1 + clocks(t.rcdReadNs) + (accesses - 1) * spacing +
                clocks(t.rlNs) + burst;
  Cycle at = Cycle(std::ceil(done * tck * spec.clockGhz - 1e-6));
  micro.cycles = kernelCycles(spec, delivered(spec, at, kGranule) - start);
  return micro;
}

Micro test::dramCacheWays(const ChipSpec &spec) {
  // Three lines 64 granules apart, in turn, three times, one after the other.
  // On the chip of this program the cache has 128 lines, so the lines share a
  // set of two or four ways; DRAM has them all in one row.
  constexpr unsigned kLines = 3, kRounds = 3, kDistance = 64, kBytes = 64;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  HartClock clock(spec, code);
  Clocks clocks(spec);
  code.cbSetup(0, 0, 4096);
  isa::DmaInCommand dma = rowsOf(0, 1, kBytes, 0);
  code.bind(0, dma);
  uint64_t lines =
      (spec.sram.bytes - spec.sram.llsBytes) / spec.memory.interleaveBytes;
  uint64_t sets = lines / spec.sram.llcWays;
  std::vector<std::vector<unsigned>> tags(sets);
  bool open = false;
  Cycle done = 0;
  for (unsigned i = 0; i < kLines * kRounds; ++i) {
    unsigned line = i % kLines * kDistance;
    code.constant(HartCode::kOther, line * kGranule);
    code.goWith(Opcode::DmaIn, 0, HartCode::kOther);
    Cycle start =
        eligible(spec, clock.now() - std::max(1u, spec.cp.launchCycles));
    std::vector<unsigned> &set = tags[line % sets];
    auto found = std::find(set.begin(), set.end(), line);
    Cycle looked = start + wayToUnit(spec, 0, 0, 0) + spec.sram.latencyCycles;
    if (found != set.end()) {
      set.erase(found);
      done = delivered(spec, looked, kBytes);
    } else {
      // The tags are looked up, then the whole granule is read.
      Cycle first =
          looked + controller(spec) + (open ? 0 : clocks.second + clocks.rcd);
      open = true;
      done = delivered(
          spec,
          first + (kGranule / spec.dram.accessBytes - 1) * clocks.ccdLong +
              clocks.rl + clocks.burst,
          kBytes);
      if (set.size() == spec.sram.llcWays) {
        set.pop_back();
      }
    }
    set.insert(set.begin(), line);
    code.fence();
    clock.goOn(done + 1);
  }
  micro.cycles = kernelCycles(spec, clock.now() + 1);
  return micro;
}
