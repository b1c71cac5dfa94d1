//===- DramTestDevices.h - DRAM devices that the tests build ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Timing values are those of the speed grades in CMU-SAFARI/ramulator2 v2.1
// (LPDDR5_6400 and HBM3 at 6.4 Gb/s), clocks times tCK; its maintainer calls
// them informed guesses, because vendors keep theirs under NDA.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMTESTDEVICES_H
#define CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMTESTDEVICES_H

#include "chips/ChipSpec.h"

#include <cstdlib>
#include <iostream>
#include <string>

namespace chipwright::dramtest {

/// One x16 channel at 12.8 GB/s, 8 Gb.
inline DramSpec lpddr5() {
  DramSpec s{};
  s.kind = DramKind::Lpddr5;
  s.level = DramLevel::Command;
  s.channels = 1;
  s.pseudoChannels = 1;
  s.bytes = uint64_t(1) << 30;
  s.pinBytesPerSecond = 12.8e9;
  s.accessBytes = 32;
  s.bankGroups = 4;
  s.banksPerGroup = 4;
  s.rowBytes = 2048;
  s.ecc = false;
  s.eccDataBytes = 256;
  s.refresh = DramRefresh::AllBank;
  s.readQueue = 32;
  s.writeQueue = 32;
  s.drainHigh = 0.8;
  s.drainLow = 0.2;
  s.controllerNs = 0;
  DramTimingSpec &t = s.timing;
  t.tckNs = 1.25;
  t.rlNs = 21.25;
  t.wlNs = 11.25;
  t.rcdReadNs = 18.75;
  t.rcdWriteNs = 18.75;
  t.rpNs = 18.75;
  t.rpAllNs = 21.25;
  t.rasNs = 42.5;
  t.wrNs = 35;
  t.rtpNs = 10;
  t.ccdShortNs = 2.5;
  t.ccdLongNs = 5;
  t.rrdShortNs = 5;
  t.rrdLongNs = 5;
  t.fawNs = 20;
  t.wtrShortNs = 6.25;
  t.wtrLongNs = 12.5;
  t.rtwGapNs = 2.5; // two clocks, as in the same source's read-to-write rule
  t.refiNs = 3906;
  t.rfcAllNs = 210;
  t.rfcBankNs = 120;
  return s;
}

/// One channel of two 32-bit pseudo-channels at 51.2 GB/s, 4 Gb.
inline DramSpec hbm3() {
  DramSpec s = lpddr5();
  s.kind = DramKind::Hbm3;
  s.pseudoChannels = 2;
  s.bytes = uint64_t(1) << 29;
  s.pinBytesPerSecond = 51.2e9;
  s.rowBytes = 1024;
  s.readQueue = 128;
  s.writeQueue = 64;
  DramTimingSpec &t = s.timing;
  t.tckNs = 0.625;
  t.rlNs = 12.5;
  t.wlNs = 6.25;
  t.rcdReadNs = 19.375;
  t.rcdWriteNs = 9.375;
  t.rpNs = 16.25;
  t.rpAllNs = 16.25;
  t.rasNs = 28.125;
  t.wrNs = 20.625;
  t.rtpNs = 5.625;
  t.ccdShortNs = 1.25;
  t.ccdLongNs = 2.5;
  t.rrdShortNs = 2.5;
  t.rrdLongNs = 3.125;
  t.fawNs = 15;
  t.wtrShortNs = 4.375;
  t.wtrLongNs = 6.25;
  t.rtwGapNs = 1.25;
  t.refiNs = 3900;
  t.rfcAllNs = 260;
  t.rfcBankNs = 200;
  return s;
}

inline MemorySpec memory() { return {256, true}; }

/// Controller of the simulated chips: per-bank refresh, queues of 64.
inline DramSpec chipController(DramSpec s) {
  s.refresh = DramRefresh::PerBank;
  s.readQueue = s.writeQueue = 64;
  return s;
}

inline uint64_t seed() {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  uint64_t value = text ? std::strtoull(text, nullptr, 0) : 20240607;
  std::cout << "CHIPWRIGHT_SEED=" << value << "\n";
  return value;
}

/// SplitMix64, for test inputs that are the same on every machine.
class Random {
public:
  explicit Random(uint64_t start) : state(start) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }

private:
  uint64_t state;
};

} // namespace chipwright::dramtest

#endif // CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMTESTDEVICES_H
