//===- MeshNoc.cpp --------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/MeshNoc.h"

#include <string>

using namespace chipwright;
using namespace chipwright::sim;

MeshNoc::MeshNoc(const ChipSpec &spec) : Noc(spec), hop(spec.noc.hopCycles) {
  const char *names[] = {" north", " east", " south", " west"};
  for (Direction direction : {North, East, South, West}) {
    for (unsigned pe = 0; pe < pes; ++pe) {
      mesh[direction].push_back(addLink("router " + std::to_string(pe / cols) +
                                        "," + std::to_string(pe % cols) +
                                        names[direction]));
    }
  }
  for (unsigned side : {0u, 1u}) {
    for (unsigned row = 0; row < rows; ++row) {
      std::string edge =
          (side ? "east edge row " : "west edge row ") + std::to_string(row);
      edgeIn[side].push_back(addLink(edge + " in"));
      edgeOut[side].push_back(addLink(edge + " out"));
    }
  }

  unsigned perChannel =
      units >= spec.dram.channels ? units / spec.dram.channels : 1;
  for (unsigned unit = 0; unit < units; ++unit) {
    // Consecutive channels alternate between the sides and go down the rows.
    entryOf[unit] = unit / perChannel % (2 * rows);
  }
  setEntries(2 * rows);
  for (unsigned entry = 0; entry < 2 * rows; ++entry) {
    unsigned side = entry % 2, edgeRow = entry / 2;
    Place edge{edgeRow, side ? cols - 1 : 0};
    for (unsigned pe = 0; pe < pes; ++pe) {
      Place place{pe / cols, pe % cols};
      Path down;
      down.legs = {{uint16_t(edgeIn[side][edgeRow]), uint16_t(hop)}};
      unsigned hops = walk(edge, place, /*rowFirst=*/true, down.legs);
      down.tailLatency = uint16_t(hop);
      down.hops = uint16_t(hops + 1);
      toPe[size_t(entry) * pes + pe] = addRoute(down);
      Path up;
      walk(place, edge, /*rowFirst=*/true, up.legs);
      up.legs.push_back({uint16_t(edgeOut[side][edgeRow]), uint16_t(hop)});
      up.tailLatency = uint16_t(hop);
      up.hops = uint16_t(hops + 1);
      toUnit[size_t(entry) * pes + pe] = addRoute(up);
    }
    for (unsigned row = 0; row < rows; ++row) {
      toRow[size_t(entry) * rows + row] = tree(side, edgeRow, Line::Row, row);
    }
    for (unsigned col = 0; col < cols; ++col) {
      toColumn[size_t(entry) * cols + col] =
          tree(side, edgeRow, Line::Column, col);
    }
  }

  for (unsigned from = 0; from < pes; ++from) {
    for (unsigned to = 0; to < pes; ++to) {
      Path path;
      path.hops = uint16_t(walk({from / cols, from % cols},
                                {to / cols, to % cols}, true, path.legs));
      path.tailLatency = uint16_t(from == to ? 0 : hop);
      betweenPes[size_t(from) * pes + to] = addRoute(path);
    }
  }

  // The control subsystem sits at the middle of the north edge.
  for (unsigned pe = 0; pe < pes; ++pe) {
    unsigned col = pe % cols, middle = cols / 2;
    unsigned across = col > middle ? col - middle : middle - col;
    control[pe] = (pe / cols + 1 + across) * hop;
  }
}

unsigned MeshNoc::walk(Place from, Place to, bool rowFirst,
                       std::vector<RouteLeg> &legs) const {
  unsigned steps = 0;
  auto alongRow = [&] {
    while (from.col != to.col) {
      Direction direction = to.col > from.col ? East : West;
      legs.push_back({uint16_t(mesh[direction][from.row * cols + from.col]),
                      uint16_t(hop)});
      from.col += direction == East ? 1 : -1;
      ++steps;
    }
  };
  auto alongColumn = [&] {
    while (from.row != to.row) {
      Direction direction = to.row > from.row ? South : North;
      legs.push_back({uint16_t(mesh[direction][from.row * cols + from.col]),
                      uint16_t(hop)});
      from.row += direction == South ? 1 : -1;
      ++steps;
    }
  };
  if (rowFirst) {
    alongRow();
    alongColumn();
  } else {
    alongColumn();
    alongRow();
  }
  return steps;
}

MulticastRoute MeshNoc::tree(unsigned side, unsigned edgeRow, Line line,
                             unsigned index) const {
  MulticastRoute result;
  Place edge{edgeRow, side ? cols - 1 : 0};
  // A row's tree starts at the row's end on the unit's side; a column's tree
  // where the unit's row meets the column.
  Place start =
      line == Line::Row ? Place{index, edge.col} : Place{edgeRow, index};
  result.trunk.legs = {{uint16_t(edgeIn[side][edgeRow]), uint16_t(hop)}};
  unsigned hops = walk(edge, start, /*rowFirst=*/false, result.trunk.legs);
  result.trunk.hops = uint16_t(hops + 1);
  auto addBranch = [&](Direction direction, bool withStart) {
    MulticastRoute::Branch branch;
    Place place = start;
    auto memberOf = [&](Place at) {
      return uint16_t(line == Line::Row ? at.col : at.row);
    };
    if (withStart) {
      branch.exits.push_back({memberOf(place), 0, uint16_t(hop), 0});
    }
    while (true) {
      bool more = direction == East    ? place.col + 1 < cols
                  : direction == West  ? place.col > 0
                  : direction == South ? place.row + 1 < rows
                                       : place.row > 0;
      if (!more) {
        break;
      }
      branch.legs.push_back(
          {uint16_t(mesh[direction][place.row * cols + place.col]),
           uint16_t(hop)});
      place.col += direction == East ? 1 : direction == West ? -1 : 0;
      place.row += direction == South ? 1 : direction == North ? -1 : 0;
      branch.exits.push_back({memberOf(place), uint16_t(branch.legs.size()),
                              uint16_t(hop), uint16_t(branch.legs.size())});
      ++hops;
    }
    result.branches.push_back(std::move(branch));
  };
  if (line == Line::Row) {
    addBranch(side ? West : East, /*withStart=*/true);
  } else {
    addBranch(South, /*withStart=*/true);
    addBranch(North, /*withStart=*/false);
  }
  result.hops = uint16_t(hops + 1);
  return result;
}
