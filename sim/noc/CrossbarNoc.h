//===- CrossbarNoc.h - Grid between four memory crossbars -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Memory units sit behind a non-blocking crossbar on each side of the grid.
// Each PE row has one link per direction to the east and to the west crossbar,
// each column to the north and to the south. A row's or column's wires are one
// shared resource per direction.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NOC_CROSSBARNOC_H
#define CHIPWRIGHT_SIM_NOC_CROSSBARNOC_H

#include "sim/noc/Noc.h"

namespace chipwright::sim {

class CrossbarNoc final : public Noc {
public:
  explicit CrossbarNoc(const ChipSpec &spec);

private:
  enum Side : unsigned { North, East, South, West };

  void addRoutes(Side side);
  MulticastRoute rowTree(Side side, unsigned row) const;
  MulticastRoute columnTree(Side side, unsigned col) const;
  unsigned distance(Side side, unsigned row, unsigned col) const;
  unsigned inbound(Side side, unsigned row, unsigned col) const;
  unsigned outbound(Side side, unsigned row, unsigned col) const;

  unsigned hop, crossbar;
  std::vector<unsigned> in[4], out[4]; // by side, then row or column
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NOC_CROSSBARNOC_H
