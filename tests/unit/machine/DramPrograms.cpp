//===- DramPrograms.cpp - Reads whose commands can be counted -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/DramTerms.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;

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
