//===- CrossbarNoc.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/CrossbarNoc.h"

#include <string>

using namespace chipwright;
using namespace chipwright::sim;

CrossbarNoc::CrossbarNoc(const ChipSpec &spec)
    : Noc(spec), hop(spec.noc.hopCycles), crossbar(spec.noc.crossbarCycles) {
  const char *names[] = {"north", "east", "south", "west"};
  for (Side side : {North, East, South, West}) {
    bool isRow = side == East || side == West;
    for (unsigned i = 0, e = isRow ? rows : cols; i < e; ++i) {
      std::string line =
          (isRow ? "row " : "col ") + std::to_string(i) + " " + names[side];
      in[side].push_back(addLink(line + " in"));
      out[side].push_back(addLink(line + " out"));
    }
  }

  // Consecutive DRAM channels go around the die, so that any run of granules
  // uses all four sides.
  unsigned perChannel =
      units >= spec.dram.channels ? units / spec.dram.channels : 1;
  for (unsigned unit = 0; unit < units; ++unit) {
    entryOf[unit] = unit / perChannel % 4;
  }
  setEntries(4);
  for (Side side : {North, East, South, West}) {
    addRoutes(side);
  }

  for (unsigned from = 0; from < pes; ++from) {
    for (unsigned to = 0; to < pes; ++to) {
      unsigned r0 = from / cols, c0 = from % cols;
      unsigned r1 = to / cols, c1 = to % cols;
      Path route;
      // Along the row first, then along the column. Eastbound wires of a row
      // are those of its west crossbar's inbound link, and so on.
      if (c0 != c1) {
        unsigned link = c1 > c0 ? in[West][r0] : in[East][r0];
        route.legs.push_back({uint16_t(link), 0});
      }
      unsigned across = (c1 > c0 ? c1 - c0 : c0 - c1) * hop;
      if (r0 != r1) {
        unsigned link = r1 > r0 ? in[North][c1] : in[South][c1];
        route.legs.push_back({uint16_t(link), uint16_t(across)});
        across = 0;
      }
      unsigned down = (r1 > r0 ? r1 - r0 : r0 - r1) * hop;
      route.tailLatency = uint16_t(across + down);
      route.hops = uint16_t((c1 > c0 ? c1 - c0 : c0 - c1) +
                            (r1 > r0 ? r1 - r0 : r0 - r1));
      betweenPes[size_t(from) * pes + to] = addRoute(route);
    }
  }

  // The control subsystem sits at the north-west corner.
  for (unsigned pe = 0; pe < pes; ++pe) {
    control[pe] = crossbar + (pe / cols + 1 + pe % cols) * hop;
  }
}

unsigned CrossbarNoc::distance(Side side, unsigned row, unsigned col) const {
  switch (side) {
  case North:
    return row + 1;
  case South:
    return rows - row;
  case West:
    return col + 1;
  case East:
    return cols - col;
  }
  return 0;
}

unsigned CrossbarNoc::inbound(Side side, unsigned row, unsigned col) const {
  return in[side][side == East || side == West ? row : col];
}

unsigned CrossbarNoc::outbound(Side side, unsigned row, unsigned col) const {
  return out[side][side == East || side == West ? row : col];
}

void CrossbarNoc::addRoutes(Side side) {
  for (unsigned pe = 0; pe < pes; ++pe) {
    unsigned row = pe / cols, col = pe % cols;
    uint16_t wire = uint16_t(distance(side, row, col) * hop);
    uint16_t hops = uint16_t(distance(side, row, col));
    Path down;
    down.legs = {{uint16_t(inbound(side, row, col)), uint16_t(crossbar)}};
    down.tailLatency = wire;
    down.hops = hops;
    toPe[size_t(side) * pes + pe] = addRoute(down);
    Path up;
    up.legs = {{uint16_t(outbound(side, row, col)), wire}};
    up.tailLatency = uint16_t(crossbar);
    up.hops = hops;
    toUnit[size_t(side) * pes + pe] = addRoute(up);
  }
  for (unsigned row = 0; row < rows; ++row) {
    toRow[size_t(side) * rows + row] = rowTree(side, row);
  }
  for (unsigned col = 0; col < cols; ++col) {
    toColumn[size_t(side) * cols + col] = columnTree(side, col);
  }
}

MulticastRoute CrossbarNoc::rowTree(Side side, unsigned row) const {
  MulticastRoute tree;
  if (side == East || side == West) {
    // The row's own link passes every member.
    MulticastRoute::Branch branch;
    branch.legs = {{uint16_t(in[side][row]), uint16_t(crossbar)}};
    for (unsigned col = 0; col < cols; ++col) {
      branch.exits.push_back({uint16_t(col), 1,
                              uint16_t(distance(side, row, col) * hop),
                              uint16_t(distance(side, row, col))});
    }
    tree.branches.push_back(std::move(branch));
    tree.hops = uint16_t(cols);
    return tree;
  }
  // Down the master's column, then along the row both ways.
  unsigned master = row % cols;
  tree.trunk.legs = {{uint16_t(in[side][master]), uint16_t(crossbar)}};
  tree.trunk.tailLatency = uint16_t(distance(side, row, master) * hop);
  tree.trunk.hops = uint16_t(distance(side, row, master));
  MulticastRoute::Branch east, west;
  east.legs = {{uint16_t(in[West][row]), 0}};
  west.legs = {{uint16_t(in[East][row]), 0}};
  east.exits.push_back({uint16_t(master), 0, 0, 0});
  for (unsigned col = master + 1; col < cols; ++col) {
    east.exits.push_back({uint16_t(col), 1, uint16_t((col - master) * hop),
                          uint16_t(col - master)});
  }
  for (unsigned col = master; col-- > 0;) {
    west.exits.push_back({uint16_t(col), 1, uint16_t((master - col) * hop),
                          uint16_t(master - col)});
  }
  tree.branches = {std::move(east), std::move(west)};
  tree.hops = uint16_t(distance(side, row, master) + cols - 1);
  return tree;
}

MulticastRoute CrossbarNoc::columnTree(Side side, unsigned col) const {
  MulticastRoute tree;
  if (side == North || side == South) {
    MulticastRoute::Branch branch;
    branch.legs = {{uint16_t(in[side][col]), uint16_t(crossbar)}};
    for (unsigned row = 0; row < rows; ++row) {
      branch.exits.push_back({uint16_t(row), 1,
                              uint16_t(distance(side, row, col) * hop),
                              uint16_t(distance(side, row, col))});
    }
    tree.branches.push_back(std::move(branch));
    tree.hops = uint16_t(rows);
    return tree;
  }
  unsigned master = col % rows;
  tree.trunk.legs = {{uint16_t(in[side][master]), uint16_t(crossbar)}};
  tree.trunk.tailLatency = uint16_t(distance(side, master, col) * hop);
  tree.trunk.hops = uint16_t(distance(side, master, col));
  MulticastRoute::Branch south, north;
  south.legs = {{uint16_t(in[North][col]), 0}};
  north.legs = {{uint16_t(in[South][col]), 0}};
  south.exits.push_back({uint16_t(master), 0, 0, 0});
  for (unsigned row = master + 1; row < rows; ++row) {
    south.exits.push_back({uint16_t(row), 1, uint16_t((row - master) * hop),
                           uint16_t(row - master)});
  }
  for (unsigned row = master; row-- > 0;) {
    north.exits.push_back({uint16_t(row), 1, uint16_t((master - row) * hop),
                           uint16_t(master - row)});
  }
  tree.branches = {std::move(south), std::move(north)};
  tree.hops = uint16_t(distance(side, master, col) + rows - 1);
  return tree;
}
