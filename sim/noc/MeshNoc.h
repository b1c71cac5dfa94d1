//===- MeshNoc.h - Two-dimensional router mesh ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One router per PE, a link per direction between neighbours, memory units at
// the east and west ends of the rows behind one edge link per row, side and
// direction. Transfers run along the row first, then along the column.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NOC_MESHNOC_H
#define CHIPWRIGHT_SIM_NOC_MESHNOC_H

#include "sim/noc/Noc.h"

namespace chipwright::sim {

class MeshNoc final : public Noc {
public:
  explicit MeshNoc(const ChipSpec &spec);

private:
  enum Direction : unsigned { North, East, South, West };
  struct Place {
    unsigned row, col;
  };

  /// Appends the links of the way from \p from to \p to: row first if
  /// \p rowFirst, else column first. \returns the number of links.
  unsigned walk(Place from, Place to, bool rowFirst,
                std::vector<RouteLeg> &legs) const;
  MulticastRoute tree(unsigned side, unsigned edgeRow, Line line,
                      unsigned index) const;

  unsigned hop;
  std::vector<unsigned> mesh[4];               // leaving router (row, col)
  std::vector<unsigned> edgeIn[2], edgeOut[2]; // west, east; by row
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NOC_MESHNOC_H
