//===- DmaPrograms.cpp - One PE and the memory around it ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A transfer is cut into pieces of one interleave granule. On a chip with one
// memory unit all pieces take the same way, through stages that serve one
// piece at a time: the requester (a cycle per request), the bank, the link,
// the port. Equal pieces through such stages leave the last one at the pace of
// the slowest, so n pieces take as long as one and (n - 1) times that pace.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;

namespace {

isa::DmaInCommand readOf(uint64_t address, unsigned rows, unsigned rowBytes,
                         int64_t pitch) {
  isa::DmaInCommand dma;
  dma.addr = address;
  dma.rows = dma.validRows = rows;
  dma.rowBytes = dma.validBytes = rowBytes;
  dma.pitch = pitch;
  return dma;
}

/// Binds and issues \p dma as the program's last command. \returns its E.
Cycle transfer(const ChipSpec &spec, Micro &micro,
               const isa::DmaInCommand &dma) {
  HartCode &code = micro.program.main();
  code.cbSetup(dma.cb, 0, dma.rows * dma.rowBytes);
  code.bind(0, dma).go(Opcode::DmaIn, 0);
  return eligible(spec, micro.program.reached(code) -
                            std::max(1u, spec.cp.launchCycles));
}

/// Pace of the pieces of one granule of SRAM, and its requests.
struct Pace {
  explicit Pace(const ChipSpec &spec)
      : granule(spec.memory.interleaveBytes),
        requests(granule / spec.fi.requestBytes),
        bank(divideUp(granule, spec.sram.bankBytes)),
        link(divideUp(granule, spec.noc.linkBytes)),
        port(divideUp(granule, spec.fi.portBytes)),
        linkServes(spec.noc.contention ? link : 0) {}
  uint64_t granule;
  Cycle requests, bank, link, port;
  Cycle linkServes; // ideal links take any number of pieces at once
  Cycle slowest() const { return std::max({requests, bank, linkServes, port}); }
};

} // namespace

Micro test::dmaOnePiece(const ChipSpec &spec) {
  constexpr unsigned kBytes = 64;
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kSramBase, 1, kBytes, 0));
  unsigned unit = sramUnit(spec, kSramBase);
  micro.cycles =
      kernelCycles(spec, start + sramReadLatency(spec, unit, kBytes));
  return micro;
}

Micro test::dmaStream(const ChipSpec &spec) {
  constexpr unsigned kBytes = 16 << 10; // four trains of the default length
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kSramBase, 1, kBytes, 0));
  Pace pace(spec);
  // The window must not bind: see dmaWindow.
  Cycle pieces = kBytes / pace.granule;
  micro.cycles =
      kernelCycles(spec, start + sramReadLatency(spec, 0, pace.granule) +
                             (pieces - 1) * pace.slowest());
  return micro;
}

Micro test::dmaStore(const ChipSpec &spec) {
  constexpr unsigned kBytes = 8 << 10;
  Micro micro(spec);
  HartCode &code = micro.program.main();
  HartClock clock(spec, code);
  code.cbSetup(0, 0, kBytes).cbPush(0, kBytes);
  isa::DmaOutCommand dma;
  dma.addr = kSramBase;
  dma.rows = dma.validRows = 1;
  dma.rowBytes = dma.validBytes = kBytes;
  code.bind(0, dma).go(Opcode::DmaOut, 0);
  Cycle start =
      eligible(spec, clock.now() - std::max(1u, spec.cp.launchCycles));
  // Local memory is read; the port sends; the slower of port and link decides
  // when a piece is at the bank. Its acknowledgement travels back.
  Pace pace(spec);
  Cycle one = spec.ls.latencyCycles + 2 * wayToUnit(spec, 0, 0, 0) +
              std::max(pace.port, pace.link) + spec.sram.latencyCycles;
  Cycle pieces = kBytes / pace.granule;
  Cycle acknowledged = start + one + (pieces - 1) * pace.slowest();
  // The hart waits for it at a fence, and works on.
  code.fence();
  clock.goOn(std::max(clock.now(), acknowledged) + 1);
  code.idle(25);
  micro.cycles = kernelCycles(spec, clock.now() + 1);
  return micro;
}

Micro test::dmaWindow(const ChipSpec &spec) {
  constexpr unsigned kBytes = 8 << 10;
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kSramBase, 1, kBytes, 0));
  Pace pace(spec);
  Cycle round = sramReadLatency(spec, 0, pace.granule);
  Cycle pieces = kBytes / pace.granule;
  // Pieces that fit the window together; the next one leaves when the first of
  // them has been answered.
  Cycle together = spec.fi.outstandingRequests / pace.requests;
  Cycle finish = 0;
  if (round <= together * pace.slowest()) {
    finish = round + (pieces - 1) * pace.slowest();
  } else {
    finish = round * ((pieces - 1) / together + 1) +
             (pieces - 1) % together * pace.slowest();
  }
  micro.cycles = kernelCycles(spec, start + finish);
  return micro;
}

Micro test::dmaShaping(const ChipSpec &spec) {
  constexpr unsigned kBytes = 8 << 10;
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kSramBase, 1, kBytes, 0));
  Pace pace(spec);
  Cycle pieces = kBytes / pace.granule;
  Cycle round = sramReadLatency(spec, 0, pace.granule);
  Cycle unshaped = (pieces - 1) * pace.slowest();
  // A PE may ask for its share of the SRAM's rate, and shaping_burst_bytes in
  // advance: piece i leaves when i granules less the burst have trickled in.
  double share =
      double(spec.sram.banks) * spec.sram.bankBytes / spec.grid.numPes();
  double last =
      (double(pieces - 1) * double(pace.granule) - spec.noc.shapingBurstBytes) /
      share;
  Cycle shaped = spec.noc.shaping && last > 0 ? Cycle(std::ceil(last)) : 0;
  micro.cycles = kernelCycles(spec, start + round + std::max(unshaped, shaped));
  return micro;
}

Micro test::dmaHost(const ChipSpec &spec) {
  // One piece from host memory. Its bytes and the headers of its packets pass
  // the link; the round trip is counted in whole PE cycles each way.
  constexpr unsigned kBytes = 256;
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kHostBase, 1, kBytes, 0));
  uint64_t wire = kBytes + divideUp(kBytes, spec.host.payloadBytes) *
                               spec.host.overheadBytes;
  double perCycle = spec.host.bytesPerSecond / (spec.clockGhz * 1e9);
  Cycle link = Cycle(std::floor(double(wire) / perCycle)) + 1;
  Cycle halfTrip = divideUp(
      uint64_t(std::llround(spec.host.roundTripNs / 2 * 1e6)), spec.periodFs());
  Cycle onChip = controlLatency(spec, 0, 0);
  Cycle port = divideUp(kBytes, spec.fi.portBytes);
  Cycle noc = divideUp(kBytes, spec.noc.linkBytes);
  Cycle into = noc > port ? noc - port : 0; // an FI port waits for its bytes
  micro.cycles =
      kernelCycles(spec, start + onChip + 2 * halfTrip + link + onChip + into +
                             port + spec.ls.latencyCycles);
  return micro;
}

Micro test::dmaStrided(const ChipSpec &spec) {
  // Rows of 256 bytes, 512 bytes apart, on a chip with a few banks behind one
  // channel, each slower than link and port. Which banks the pieces of a row
  // fall into decides the pace.
  constexpr unsigned kRows = 32, kRow = 256, kPitch = 512;
  Micro micro(spec);
  Cycle start = transfer(spec, micro, readOf(kSramBase, kRows, kRow, kPitch));
  uint64_t granule = spec.memory.interleaveBytes;
  uint64_t piece = std::min<uint64_t>(granule, kRow);
  Cycle service = divideUp(piece, spec.sram.bankBytes);
  Cycle requests = std::max<Cycle>(1, piece / spec.fi.requestBytes);
  Cycle asked = start, done = 0;
  std::vector<Cycle> bankFree(spec.sram.banks);
  Cycle linkFree = 0, portFree = 0;
  Cycle way = wayToUnit(spec, 0, 0, 0);
  Cycle link = divideUp(piece, spec.noc.linkBytes);
  Cycle port = divideUp(piece, spec.fi.portBytes);
  for (unsigned row = 0; row < kRows; ++row) {
    for (uint64_t at = 0; at < kRow; at += piece) {
      // Granules go to the banks in turn; the hash permutes each round of the
      // banks by the number of the round.
      uint64_t number = (uint64_t(row) * kPitch + at) / granule;
      unsigned banks = spec.sram.banks,
               width = unsigned(std::bit_width(banks)) - 1;
      uint64_t round = number / banks;
      unsigned bank = number % banks;
      if (spec.memory.interleaveHash && banks > 1) {
        bank ^= (round ^ (round >> width) ^ (round >> 2 * width)) & (banks - 1);
      }
      Cycle atBank = std::max(asked + way, bankFree[bank]);
      bankFree[bank] = atBank + service;
      // All banks stand behind the same side's link.
      Cycle head = std::max(
          atBank + spec.sram.latencyCycles + spec.noc.crossbarCycles, linkFree);
      linkFree = head + link;
      Cycle in = head + way - spec.noc.crossbarCycles;
      in = std::max(in + (link > port ? link - port : 0), portFree);
      portFree = in + port;
      done = std::max(done, portFree + spec.ls.latencyCycles);
      asked += requests;
    }
  }
  micro.cycles = kernelCycles(spec, done);
  return micro;
}
