//===- DramWritePrograms.cpp - Writes whose commands can be counted -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/DramTerms.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;

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
