//===- DramTerms.h - Times and commands of DRAM programs --------*- C++ -*-===//
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

#ifndef CHIPWRIGHT_TESTS_UNIT_MACHINE_DRAMTERMS_H
#define CHIPWRIGHT_TESTS_UNIT_MACHINE_DRAMTERMS_H

#include "tests/unit/machine/Microprograms.h"

namespace chipwright::test {

/// The chip's times in PE cycles. Every time is rounded up to command clocks.
struct Clocks {
  explicit Clocks(const ChipSpec &spec);
  /// Command clocks that cover \p ns, in PE cycles (whole ones on dramChip()).
  Cycle of(double ns) const;
  double tck, cycle;
  Cycle rcd, rcdWrite, rl, wl, rp, rpAll, ras, wr, rtp, burst, ccdShort,
      ccdLong, rrdShort, rrdLong, faw, wtrShort, wtrLong, rtwGap, rfcAll,
      rfcBank, second;
  unsigned bank;
};

inline constexpr unsigned kGranule = 256;

/// Place of a granule of the channel.
struct Place {
  uint64_t bank, row;
};

Place placeOf(const ChipSpec &spec, uint64_t granule);

/// A read of \p rows rows of \p bytes, \p pitch granules apart.
isa::DmaInCommand rowsOf(uint64_t granule, unsigned rows, unsigned bytes,
                         unsigned pitch);
isa::DmaOutCommand writeOf(uint64_t address, unsigned bytes, unsigned cb);

/// E of the last command of \p code so far.
Cycle issued(const ChipSpec &spec, const Micro &micro, const HartCode &code);
/// Way through the controller.
Cycle controller(const ChipSpec &spec);
/// Arrival at the controller of a read that a transfer asks for at \p at.
Cycle readArrives(const ChipSpec &spec, Cycle at);
/// Of a write of \p bytes whose command starts at \p at.
Cycle writeArrives(const ChipSpec &spec, Cycle at, unsigned bytes);
/// Data of \p bytes that the channel delivers at \p at is in local memory.
Cycle delivered(const ChipSpec &spec, Cycle at, unsigned bytes);
/// A command between two accesses: activates of different banks.
Cycle nextActivate(const Clocks &clocks, Cycle arrives, Cycle before,
                   Cycle spacing);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_MACHINE_DRAMTERMS_H
