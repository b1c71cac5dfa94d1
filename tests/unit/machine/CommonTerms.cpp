//===- CommonTerms.cpp - Terms that several derivations share -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include "sim/memory/AddressMap.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::test;

// One LPDDR5 channel of 12.8 GB/s and one SRAM bank.
Sets test::oneUnit() {
  return {"dram.channels=1", "dram.pin_bytes_per_second=12.8e9",
          "sram.banks=1"};
}

Sets test::oneUnitMesh() {
  return oneUnit() + Sets{"noc.topology=mesh", "noc.crossbar_cycles=0"};
}

Cycle test::controlLatency(const ChipSpec &spec, unsigned row, unsigned col) {
  Cycle hop = spec.noc.hopCycles;
  if (spec.noc.topology == NocTopology::Crossbar) {
    // The control core is at the north-west corner, behind the crossbar.
    return spec.noc.crossbarCycles + (row + 1 + col) * hop;
  }
  // At the middle of the north edge.
  unsigned middle = spec.grid.cols / 2;
  return (row + 1 + (col > middle ? col - middle : middle - col)) * hop;
}

Cycle test::kernelCycles(const ChipSpec &spec,
                         const std::vector<PeFinish> &pes) {
  Cycle first = sim::kNever, last = 0;
  for (const PeFinish &pe : pes) {
    Cycle way = controlLatency(spec, pe.row, pe.col);
    first = std::min(first, way);
    last = std::max(last, way + pe.at + std::max<Cycle>(way, 1));
  }
  return last - first;
}

Cycle test::kernelCycles(const ChipSpec &spec, Cycle finish) {
  return kernelCycles(spec, {{0, 0, finish}});
}

Cycle test::eligible(const ChipSpec &spec, Cycle issue) {
  return issue + spec.cp.launchCycles + spec.cp.dispatchCycles;
}

Cycle test::wayToUnit(const ChipSpec &spec, unsigned unit, unsigned row,
                      unsigned col) {
  unsigned perChannel = std::max(1u, spec.sram.banks / spec.dram.channels);
  Cycle hop = spec.noc.hopCycles;
  if (spec.noc.topology == NocTopology::Crossbar) {
    // Channels go round the four sides: north, east, south, west.
    unsigned side = unit / perChannel % 4;
    unsigned hops = side == 0   ? row + 1
                    : side == 1 ? spec.grid.cols - col
                    : side == 2 ? spec.grid.rows - row
                                : col + 1;
    return hops * hop + spec.noc.crossbarCycles;
  }
  // Channels alternate between west and east edge and go down the rows; one
  // hop more leaves the edge router.
  unsigned side = unit / perChannel % 2;
  unsigned edgeRow = unit / perChannel / 2 % spec.grid.rows;
  unsigned across = side ? spec.grid.cols - 1 - col : col;
  unsigned along = edgeRow > row ? edgeRow - row : row - edgeRow;
  return (across + along + 2) * hop;
}

Cycle test::wayBetween(const ChipSpec &spec, unsigned rows, unsigned cols) {
  Cycle hop = spec.noc.hopCycles;
  // On a mesh the last router's exit is one more.
  Cycle exit = spec.noc.topology == NocTopology::Mesh && rows + cols ? hop : 0;
  return (rows + cols) * hop + exit;
}

unsigned test::sramUnit(const ChipSpec &spec, uint64_t address) {
  return sim::Interleave(spec).sram(sim::offsetOf(address)).unit;
}

Cycle test::sramReadLatency(const ChipSpec &spec, unsigned unit,
                            uint64_t bytes) {
  // The request travels, the bank answers after its latency, the head of the
  // reply travels back, the slower of link and port passes the bytes through,
  // and local memory takes the last of them.
  Cycle link = sim::divideUp(bytes, spec.noc.linkBytes);
  Cycle port = sim::divideUp(bytes, spec.fi.portBytes);
  return 2 * wayToUnit(spec, unit, 0, 0) + spec.sram.latencyCycles +
         std::max(link, port) + spec.ls.latencyCycles;
}

Cycle test::bounded(const ChipSpec &spec, Cycle duration, uint64_t bytes) {
  uint64_t rate = uint64_t(spec.ls.banks) * spec.ls.bankBytes;
  return std::max(duration, sim::divideUp(bytes, rate));
}
