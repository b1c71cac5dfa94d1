//===- Roofline.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/physics/Roofline.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::physics;

const char *physics::regimeName(Regime regime) {
  static constexpr const char *names[] = {"DPE", "SE",    "DRAM",   "SRAM",
                                          "NoC", "issue", "latency"};
  return names[static_cast<unsigned>(regime)];
}

/// Cycles in which the links of the busiest side can carry \p bytes of evenly
/// spread traffic of one direction. Memory units go around the four sides
/// (north, east, south, west), the units of one DRAM channel together; a
/// north or south crossbar has a link to each column, an east or west one to
/// each row (chips/mtia-2i.yaml, noc.topology).
static double linkCycles(const ChipSpec &spec, double bytes) {
  unsigned perChannel = std::max(1u, spec.sram.banks / spec.dram.channels);
  std::array<double, 4> units{};
  for (unsigned unit = 0; unit < spec.sram.banks; ++unit) {
    units[unit / perChannel % 4] += 1;
  }
  double longest = 0;
  for (unsigned side = 0; side < 4; ++side) {
    double links = side % 2 == 0 ? spec.grid.cols : spec.grid.rows;
    longest = std::max(longest, bytes * units[side] / spec.sram.banks /
                                    (links * spec.noc.linkBytes));
  }
  return longest;
}

Terms physics::computeTerms(const ChipSpec &spec, const Demand &demand) {
  double clock = spec.clockGhz * 1e9;
  double pes = spec.grid.numPes();
  Terms terms{};
  auto at = [&](Regime regime) -> double & {
    return terms[static_cast<unsigned>(regime)];
  };
  if (demand.macs > 0) {
    at(Regime::Dpe) = 2 * demand.macs / spec.peakFlops(demand.type);
  }
  at(Regime::Se) = demand.seSlots / (spec.se.lanes * pes * clock);
  double code = spec.dram.ecc
                    ? double(spec.dram.accessBytes) / spec.dram.eccDataBytes
                    : 0;
  at(Regime::Dram) =
      demand.dramBytes * (1 + code) / spec.dram.pinBytesPerSecond;
  at(Regime::Sram) = demand.sramBytes / spec.sramBytesPerSecond();
  // What is fetched once for many enters through one link at least.
  double links = 2.0 * (spec.grid.rows + spec.grid.cols);
  at(Regime::Noc) =
      std::max({linkCycles(spec, demand.bytesIn),
                linkCycles(spec, demand.bytesOut),
                demand.multicastBytes / (links * spec.noc.linkBytes)}) /
      clock;
  at(Regime::Issue) = demand.hartCycles / clock;
  at(Regime::Latency) = (launchCycles(spec) + demand.chainCycles) / clock;
  return terms;
}

double physics::bound(const Terms &terms) {
  return *std::max_element(terms.begin(), terms.end());
}

Regime physics::regimeOf(const Terms &terms) {
  return static_cast<Regime>(std::max_element(terms.begin(), terms.end()) -
                             terms.begin());
}

double physics::secondShare(const Terms &terms) {
  Terms sorted = terms;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  return sorted[1] / sorted[0];
}

double physics::launchCycles(const ChipSpec &spec) {
  // Descriptor there, message back, each over the crossbar and along row and
  // column to the far corner.
  double travel =
      spec.noc.crossbarCycles +
      double(spec.grid.rows + spec.grid.cols - 1) * spec.noc.hopCycles;
  return spec.control.dispatchCycles + 2 * travel +
         std::ceil(double(spec.control.descriptorBytes) / spec.noc.linkBytes) +
         spec.control.wqeCycles + spec.control.completionCycles;
}

double physics::memoryTripCycles(const ChipSpec &spec) {
  unsigned hops = 0;
  for (unsigned row = 0; row < spec.grid.rows; ++row) {
    for (unsigned col = 0; col < spec.grid.cols; ++col) {
      hops = std::max(hops, std::min({row + 1, spec.grid.rows - row, col + 1,
                                      spec.grid.cols - col}));
    }
  }
  return 2.0 * (spec.noc.crossbarCycles + double(hops) * spec.noc.hopCycles);
}

double physics::commandCycles(const ChipSpec &spec, double writes) {
  return writes * std::max(1u, spec.cp.writeCycles) +
         std::max(1u, spec.cp.launchCycles);
}
