//===- DramPrograms.cpp - Accesses whose commands can be counted ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The chips of these programs have one channel at command level and a PE clock
// of one command clock, so that cycles are clocks. A request for n column
// accesses that reaches the controller at clock A and finds its bank closed:
//
//   A                 first part of the activate (LPDDR5)
//   A + 1             second part; the row is open RCD later
//   R = A + 1 + RCD   first read; the n reads of a bank are CCD_L apart
//   + RL + burst      the data of a read is there
//
// Consecutive granules lie in consecutive banks; banks a multiple of
// dram.bank_groups apart share a group.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;

Sets test::dramChip() {
  return {"clock_ghz=0.8",
          "grid.rows=1",
          "grid.cols=1",
          "dram.channels=1",
          "dram.pin_bytes_per_second=12.8e9",
          "sram.banks=1",
          "sram.lls_bytes=256 MiB",
          "dram.ecc=false",
          "dram.level=command",
          "dram.refresh=per_bank",
          "dram.timing.tck_ns=1.25", // does not follow the pins
          "dram.timing.refi_ns=900000",
          "dram.timing.ccd_short_ns=5",
          "dram.timing.ccd_long_ns=10",
          "dram.timing.rrd_short_ns=10",
          "dram.timing.rrd_long_ns=20",
          "dram.timing.faw_ns=50",
          "dram.timing.wtr_short_ns=50",
          "dram.timing.wtr_long_ns=100"};
}

namespace {

/// The chip's times in PE cycles. Every time is rounded up to command clocks.
struct Clocks {
  explicit Clocks(const ChipSpec &spec)
      : tck(spec.dram.timing.tckNs), cycle(1 / spec.clockGhz) {
    const DramTimingSpec &t = spec.dram.timing;
    rcd = of(t.rcdReadNs);
    rcdWrite = of(t.rcdWriteNs);
    rl = of(t.rlNs);
    wl = of(t.wlNs);
    rp = of(t.rpNs);
    rpAll = of(t.rpAllNs);
    ras = of(t.rasNs);
    wr = of(t.wrNs);
    rtp = of(t.rtpNs);
    burst = of(1e9 * spec.dram.accessBytes * spec.dram.channels *
               spec.dram.pseudoChannels / spec.dram.pinBytesPerSecond);
    ccdShort = std::max(burst, of(t.ccdShortNs));
    ccdLong = std::max(ccdShort, of(t.ccdLongNs));
    rrdShort = of(t.rrdShortNs);
    rrdLong = std::max(rrdShort, of(t.rrdLongNs));
    faw = of(t.fawNs);
    wtrShort = of(t.wtrShortNs);
    wtrLong = std::max(wtrShort, of(t.wtrLongNs));
    rtwGap = of(t.rtwGapNs);
    rfcAll = of(t.rfcAllNs);
    rfcBank = of(t.rfcBankNs);
    // Two-part activates take a clock more; the burst level knows no parts.
    second = spec.dram.kind == DramKind::Lpddr5 &&
                     spec.dram.level == DramLevel::Command
                 ? of(tck)
                 : 0;
    bank = spec.dram.bankGroups * spec.dram.banksPerGroup;
  }
  /// Command clocks that cover \p ns, in PE cycles (whole ones on the chips of
  /// this file).
  Cycle of(double ns) const {
    double clocks = std::ceil(ns / tck - 1e-6);
    return Cycle(std::llround(clocks * tck / cycle));
  }
  double tck, cycle;
  Cycle rcd, rcdWrite, rl, wl, rp, rpAll, ras, wr, rtp, burst, ccdShort,
      ccdLong, rrdShort, rrdLong, faw, wtrShort, wtrLong, rtwGap, rfcAll,
      rfcBank, second;
  unsigned bank;
};

constexpr unsigned kGranule = 256;

/// Place of a granule of the channel.
struct Place {
  uint64_t bank, row;
};

Place placeOf(const ChipSpec &spec, uint64_t granule) {
  uint64_t banks = spec.dram.bankGroups * spec.dram.banksPerGroup;
  uint64_t turn = granule / banks;
  uint64_t row = turn / (spec.dram.rowBytes / kGranule);
  return {(granule + row) % banks, row};
}

isa::DmaInCommand rowsOf(uint64_t granule, unsigned rows, unsigned bytes,
                         unsigned pitch) {
  isa::DmaInCommand dma;
  dma.addr = kDramBase + granule * kGranule;
  dma.rows = dma.validRows = rows;
  dma.rowBytes = dma.validBytes = bytes;
  dma.pitch = int64_t(pitch) * kGranule;
  return dma;
}

isa::DmaOutCommand writeOf(uint64_t address, unsigned bytes, unsigned cb) {
  isa::DmaOutCommand dma;
  dma.addr = kDramBase + address;
  dma.rows = dma.validRows = 1;
  dma.rowBytes = dma.validBytes = bytes;
  dma.cb = cb;
  return dma;
}

Cycle issued(const ChipSpec &spec, const Micro &micro, const HartCode &code) {
  return eligible(spec, micro.program.reached(code) -
                            std::max(1u, spec.cp.launchCycles));
}

Cycle controller(const ChipSpec &spec) {
  return Cycle(std::llround(spec.dram.controllerNs * spec.clockGhz));
}

/// Arrival at the controller of a read that a transfer asks for at \p at.
Cycle readArrives(const ChipSpec &spec, Cycle at) {
  return at + wayToUnit(spec, 0, 0, 0) + controller(spec);
}

/// Of a write of \p bytes whose command starts at \p at.
Cycle writeArrives(const ChipSpec &spec, Cycle at, unsigned bytes) {
  return at + spec.ls.latencyCycles + wayToUnit(spec, 0, 0, 0) +
         std::max(divideUp(bytes, spec.fi.portBytes),
                  divideUp(bytes, spec.noc.linkBytes)) +
         controller(spec);
}

/// Data of \p bytes that the channel delivers at \p at is in local memory.
Cycle delivered(const ChipSpec &spec, Cycle at, unsigned bytes) {
  return at + wayToUnit(spec, 0, 0, 0) +
         std::max(divideUp(bytes, spec.fi.portBytes),
                  divideUp(bytes, spec.noc.linkBytes)) +
         spec.ls.latencyCycles;
}

/// A command between two accesses: activates of different banks.
Cycle nextActivate(const Clocks &clocks, Cycle arrives, Cycle before,
                   Cycle spacing) {
  // Its first part fits between, two clocks ahead.
  return std::max(arrives + clocks.second, before + spacing);
}

} // namespace

Micro test::dramRead(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024).bind(0, rowsOf(0, 1, kGranule, 0));
  code.go(Opcode::DmaIn, 0);
  Cycle arrives = readArrives(spec, issued(spec, micro, code));
  // One access of code in the row, if there is code.
  Cycle accesses = kGranule / spec.dram.accessBytes + spec.dram.ecc;
  Cycle first = arrives + clocks.second + clocks.rcd;
  Cycle last = first + (accesses - 1) * clocks.ccdLong;
  if (spec.dram.ecc && spec.dram.eccDataBytes * 2 == kGranule) {
    // Two protected units in two banks of different groups, each with its
    // code; the second bank's reads fall between those of the first.
    Cycle each = kGranule / 2 / spec.dram.accessBytes + 1;
    Cycle open = nextActivate(clocks, arrives + 2 * clocks.second,
                              first - clocks.rcd, clocks.rrdShort) +
                 clocks.rcd;
    Cycle slot = first + clocks.ccdShort;
    while (slot < open) {
      slot += clocks.ccdLong;
    }
    last = slot + (each - 1) * clocks.ccdLong;
  }
  micro.cycles = kernelCycles(
      spec, delivered(spec, last + clocks.rl + clocks.burst, kGranule));
  return micro;
}

/// Two single accesses, \p distance granules apart.
static Micro pair(const ChipSpec &spec, unsigned distance) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024);
  code.bind(0, rowsOf(0, 2, spec.dram.accessBytes, distance));
  code.go(Opcode::DmaIn, 0);
  Cycle arrives = readArrives(spec, issued(spec, micro, code));
  Cycle activate = arrives + clocks.second;
  Cycle read = activate + clocks.rcd;
  Place one = placeOf(spec, 0), two = placeOf(spec, distance);
  bool sameGroup =
      one.bank % spec.dram.bankGroups == two.bank % spec.dram.bankGroups;
  Cycle second = 0;
  if (one.bank == two.bank && one.row != two.row) {
    // The row is closed when it has been open RAS and read RTP ago.
    Cycle precharge = std::max(activate + clocks.ras, read + clocks.rtp);
    second = precharge + clocks.rp + clocks.rcd;
  } else {
    Cycle open = activate;
    if (one.bank != two.bank) {
      // The second request comes a cycle later.
      open = nextActivate(clocks, arrives + 1, activate,
                          sameGroup ? clocks.rrdLong : clocks.rrdShort);
    }
    second = std::max(open + clocks.rcd,
                      read + (sameGroup ? clocks.ccdLong : clocks.ccdShort));
  }
  micro.cycles =
      kernelCycles(spec, delivered(spec, second + clocks.rl + clocks.burst,
                                   spec.dram.accessBytes));
  return micro;
}

Micro test::dramPairConflict(const ChipSpec &spec) {
  // Rows 0 and 1 of bank 0 with 16 banks of 2 KiB rows.
  return pair(spec, 143);
}
Micro test::dramPairNeighbour(const ChipSpec &spec) { return pair(spec, 1); }
Micro test::dramPairGroup(const ChipSpec &spec) { return pair(spec, 4); }
Micro test::dramPairRow(const ChipSpec &spec) {
  // Banks 0 and 15 with 2 KiB rows, rows 0 and 1 of bank 0 with 1 KiB rows.
  return pair(spec, 79);
}

Micro test::dramLongConflict(const ChipSpec &spec) {
  // As dramPairConflict with whole granules: the last read decides when the
  // row may be closed.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024).bind(0, rowsOf(0, 2, kGranule, 143));
  code.go(Opcode::DmaIn, 0);
  Cycle activate = readArrives(spec, issued(spec, micro, code)) + clocks.second;
  Cycle rest = (kGranule / spec.dram.accessBytes - 1) * clocks.ccdLong;
  Cycle last = activate + clocks.rcd + rest;
  Cycle precharge = std::max(activate + clocks.ras, last + clocks.rtp);
  last = precharge + clocks.rp + clocks.rcd + rest;
  micro.cycles = kernelCycles(
      spec, delivered(spec, last + clocks.rl + clocks.burst, kGranule));
  return micro;
}

Micro test::dramFiveBanks(const ChipSpec &spec) {
  // The fifth activate waits for the window of four.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024).bind(0, rowsOf(0, 5, spec.dram.accessBytes, 1));
  code.go(Opcode::DmaIn, 0);
  Cycle activate = readArrives(spec, issued(spec, micro, code)) + clocks.second;
  Cycle fifth = std::max({activate + 4 * clocks.rrdShort,
                          activate + clocks.rrdLong, activate + clocks.faw});
  micro.cycles = kernelCycles(
      spec, delivered(spec, fifth + clocks.rcd + clocks.rl + clocks.burst,
                      spec.dram.accessBytes));
  return micro;
}

Micro test::dramTwoStreams(const ChipSpec &spec) {
  // A granule from each of two banks in different groups. Reads of a bank are
  // CCD_L apart, the other bank's fit between if CCD_S is at most half of it.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, 1024).bind(0, rowsOf(0, 2, kGranule, 1));
  code.go(Opcode::DmaIn, 0);
  Cycle start = issued(spec, micro, code);
  Cycle arrives = readArrives(spec, start);
  Cycle activate = arrives + clocks.second, first = activate + clocks.rcd;
  Cycle each = kGranule / spec.dram.accessBytes;
  Cycle comes = arrives + kGranule / spec.fi.requestBytes;
  if (spec.dram.readQueue < each + 1) {
    // The first granule fills the queue; the second one's first access enters
    // in the clock after the read that makes room.
    comes = first + (each - spec.dram.readQueue) * clocks.ccdLong + 1;
  }
  Cycle open =
      nextActivate(clocks, comes, activate, clocks.rrdShort) + clocks.rcd;
  Cycle last = first + (2 * each - 1) * clocks.ccdLong; // one by one
  if (2 * clocks.ccdShort <= clocks.ccdLong) {
    Cycle slot = first + clocks.ccdShort;
    while (slot < open) {
      slot += clocks.ccdLong;
    }
    last = slot + (each - 1) * clocks.ccdLong;
  }
  micro.cycles = kernelCycles(
      spec, delivered(spec, last + clocks.rl + clocks.burst, kGranule));
  return micro;
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

/// Absolute time of the end of a job that writes back: the end of the last
/// write's data.
static Cycle writtenBack(const Clocks &clocks, Cycle lastWrite) {
  return lastWrite + clocks.wl + clocks.burst;
}

Micro test::dramWrite(const ChipSpec &spec) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, kGranule).cbPush(0, kGranule);
  code.bind(0, writeOf(0, kGranule, 0)).go(Opcode::DmaOut, 0);
  Cycle arrives = writeArrives(spec, issued(spec, micro, code), kGranule);
  Cycle last = arrives + clocks.second + clocks.rcdWrite +
               (kGranule / spec.dram.accessBytes - 1) * clocks.ccdLong;
  micro.writeBack = true;
  micro.cycles = writtenBack(clocks, last); // no message comes after it
  return micro;
}

Micro test::dramWriteThenConflict(const ChipSpec &spec) {
  // A write to row 0, then a read of row 1 of the same bank, which comes when
  // the write has been sent: the row is closed when the write has recovered.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  unsigned access = spec.dram.accessBytes;
  code.cbSetup(0, 0, 1024).cbSetup(1, 1024, 1024).cbPush(1, access);
  code.bind(0, rowsOf(143, 1, access, 0)).bind(1, writeOf(0, access, 1));
  code.go(Opcode::DmaOut, 1);
  Cycle activate =
      writeArrives(spec, issued(spec, micro, code), access) + clocks.second;
  Cycle write = activate + clocks.rcdWrite;
  code.idle(30).go(Opcode::DmaIn, 0);
  Cycle comes = readArrives(spec, issued(spec, micro, code));
  Cycle precharge = std::max({comes, activate + clocks.ras,
                              write + clocks.wl + clocks.burst + clocks.wr});
  Cycle read = std::max(precharge + clocks.rp + clocks.rcd,
                        write + clocks.wl + clocks.burst + clocks.wtrLong);
  micro.cycles = kernelCycles(
      spec, delivered(spec, read + clocks.rl + clocks.burst, access));
  return micro;
}

Micro test::dramWriteAck(const ChipSpec &spec) {
  // The granule is acknowledged when its last access has entered the write
  // queue, in the clock after the write that makes room for it.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  code.cbSetup(0, 0, kGranule).cbPush(0, kGranule);
  code.bind(0, writeOf(0, kGranule, 0)).go(Opcode::DmaOut, 0);
  Cycle arrives = writeArrives(spec, issued(spec, micro, code), kGranule);
  Cycle accesses = kGranule / spec.dram.accessBytes;
  Cycle taken = arrives;
  if (spec.dram.writeQueue < accesses) {
    taken = arrives + clocks.second + clocks.rcdWrite +
            (accesses - spec.dram.writeQueue - 1) * clocks.ccdLong + 1;
  }
  micro.cycles = kernelCycles(spec, taken + wayToUnit(spec, 0, 0, 0));
  return micro;
}

/// A write to bank 0, then a read of bank \p bank, which comes when the write
/// has been sent.
static Micro writeThenRead(const ChipSpec &spec, unsigned bank) {
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  unsigned access = spec.dram.accessBytes;
  code.cbSetup(0, 0, 1024).cbSetup(1, 1024, 1024).cbPush(1, access);
  code.bind(0, rowsOf(bank, 1, access, 0)).bind(1, writeOf(0, access, 1));
  code.go(Opcode::DmaOut, 1);
  Cycle arrives = writeArrives(spec, issued(spec, micro, code), access);
  Cycle write = arrives + clocks.second + clocks.rcdWrite;
  code.idle(30).go(Opcode::DmaIn, 0);
  Cycle comes = readArrives(spec, issued(spec, micro, code));
  bool sameGroup = bank % spec.dram.bankGroups == 0;
  Cycle turned = write + clocks.wl + clocks.burst +
                 (sameGroup ? clocks.wtrLong : clocks.wtrShort);
  Cycle read = std::max(comes + clocks.second + clocks.rcd, turned);
  micro.cycles = kernelCycles(
      spec, delivered(spec, read + clocks.rl + clocks.burst, access));
  return micro;
}

Micro test::dramWriteThenReadShort(const ChipSpec &spec) {
  return writeThenRead(spec, 1);
}
Micro test::dramWriteThenReadLong(const ChipSpec &spec) {
  return writeThenRead(spec, 4);
}

Micro test::dramReadThenWrite(const ChipSpec &spec) {
  // Writes of a granule to the row that a read has just opened: only the bus
  // must turn. The read is delivered before the last of them.
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  unsigned access = spec.dram.accessBytes;
  code.cbSetup(0, 0, 1024).cbSetup(1, 1024, 1024).cbPush(1, kGranule);
  code.bind(0, rowsOf(0, 1, access, 0));
  code.bind(1, writeOf(16 * kGranule, kGranule, 1)); // bank 0, row 0
  code.go(Opcode::DmaIn, 0);
  Cycle activate = readArrives(spec, issued(spec, micro, code)) + clocks.second;
  code.go(Opcode::DmaOut, 1);
  Cycle read = activate + clocks.rcd;
  // Write data follows read data on the bus after the gap.
  Cycle write =
      std::max(read + clocks.rl + clocks.burst + clocks.rtwGap - clocks.wl,
               activate + clocks.rcdWrite);
  micro.writeBack = true;
  micro.cycles =
      writtenBack(clocks, write + (kGranule / access - 1) * clocks.ccdLong);
  return micro;
}

Micro test::dramDrain(const ChipSpec &spec) {
  // Eight writes come while the third of eight reads has been sent, all in
  // one row. Above the high watermark they go first, until fewer than the low
  // one are left; then the reads go on.
  constexpr unsigned kSent = 3;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  Clocks clocks(spec);
  Cycle accesses = kGranule / spec.dram.accessBytes;
  code.cbSetup(0, 0, 1024).cbSetup(1, 1024, 1024).cbPush(1, kGranule);
  code.bind(0, rowsOf(0, 1, kGranule, 0));
  code.bind(1, writeOf(16 * kGranule, kGranule, 1)); // bank 0, row 0
  code.go(Opcode::DmaIn, 0);
  Cycle first =
      readArrives(spec, issued(spec, micro, code)) + clocks.second + clocks.rcd;
  // Three clocks after the third read.
  Cycle due = first + (kSent - 1) * clocks.ccdLong + 3;
  HartCode later = code;
  later.go(Opcode::DmaOut, 1);
  Cycle early = writeArrives(spec, issued(spec, micro, later), kGranule);
  code.idle(static_cast<unsigned>(due - early)).go(Opcode::DmaOut, 1);

  Cycle last = first + (accesses - 1) * clocks.ccdLong;
  double high = spec.dram.drainHigh * spec.dram.writeQueue;
  double low = spec.dram.drainLow * spec.dram.writeQueue;
  if (double(accesses) > high) {
    Cycle write = first + (kSent - 1) * clocks.ccdLong + clocks.rl +
                  clocks.burst + clocks.rtwGap - clocks.wl;
    Cycle left = accesses;
    while (left != 0 && double(left) >= low) {
      --left;
    }
    Cycle lastWrite = write + (accesses - left - 1) * clocks.ccdLong;
    last = lastWrite + clocks.wl + clocks.burst + clocks.wtrLong +
           (accesses - kSent - 1) * clocks.ccdLong;
  }
  micro.cycles = kernelCycles(
      spec, delivered(spec, last + clocks.rl + clocks.burst, kGranule));
  return micro;
}

//===----------------------------------------------------------------------===//
// Refresh and cache
//===----------------------------------------------------------------------===//

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
