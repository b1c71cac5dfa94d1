//===- DramTerms.cpp - Times and commands of DRAM programs ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/DramTerms.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::test;
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

Clocks::Clocks(const ChipSpec &spec)
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

Cycle Clocks::of(double ns) const {
  double clocks = std::ceil(ns / tck - 1e-6);
  return Cycle(std::llround(clocks * tck / cycle));
}

Place test::placeOf(const ChipSpec &spec, uint64_t granule) {
  uint64_t banks = spec.dram.bankGroups * spec.dram.banksPerGroup;
  uint64_t turn = granule / banks;
  uint64_t row = turn / (spec.dram.rowBytes / kGranule);
  return {(granule + row) % banks, row};
}

isa::DmaInCommand test::rowsOf(uint64_t granule, unsigned rows, unsigned bytes,
                               unsigned pitch) {
  isa::DmaInCommand dma;
  dma.addr = kDramBase + granule * kGranule;
  dma.rows = dma.validRows = rows;
  dma.rowBytes = dma.validBytes = bytes;
  dma.pitch = int64_t(pitch) * kGranule;
  return dma;
}

isa::DmaOutCommand test::writeOf(uint64_t address, unsigned bytes,
                                 unsigned cb) {
  isa::DmaOutCommand dma;
  dma.addr = kDramBase + address;
  dma.rows = dma.validRows = 1;
  dma.rowBytes = dma.validBytes = bytes;
  dma.cb = cb;
  return dma;
}

Cycle test::issued(const ChipSpec &spec, const Micro &micro,
                   const HartCode &code) {
  return eligible(spec, micro.program.reached(code) -
                            std::max(1u, spec.cp.launchCycles));
}

Cycle test::controller(const ChipSpec &spec) {
  return Cycle(std::llround(spec.dram.controllerNs * spec.clockGhz));
}

Cycle test::readArrives(const ChipSpec &spec, Cycle at) {
  return at + wayToUnit(spec, 0, 0, 0) + controller(spec);
}

Cycle test::writeArrives(const ChipSpec &spec, Cycle at, unsigned bytes) {
  return at + spec.ls.latencyCycles + wayToUnit(spec, 0, 0, 0) +
         std::max(divideUp(bytes, spec.fi.portBytes),
                  divideUp(bytes, spec.noc.linkBytes)) +
         controller(spec);
}

Cycle test::delivered(const ChipSpec &spec, Cycle at, unsigned bytes) {
  return at + wayToUnit(spec, 0, 0, 0) +
         std::max(divideUp(bytes, spec.fi.portBytes),
                  divideUp(bytes, spec.noc.linkBytes)) +
         spec.ls.latencyCycles;
}

Cycle test::nextActivate(const Clocks &clocks, Cycle arrives, Cycle before,
                         Cycle spacing) {
  // Its first part fits between, two clocks ahead.
  return std::max(arrives + clocks.second, before + spacing);
}
