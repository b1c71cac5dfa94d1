//===- ReductionNetwork.h - Accumulators between neighbours -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One link per PE and direction (down a column, right along a row) carries a
// block of accumulators at a time. The receiver may start once the head has
// arrived; since it works at the link's rate it never waits afterwards. The
// link is free again when the receiver has taken the block.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_REDUCTIONNETWORK_H
#define CHIPWRIGHT_SIM_PE_REDUCTIONNETWORK_H

#include "chips/ChipSpec.h"
#include "dialects/isa/Xpe.h"
#include "sim/core/Time.h"

#include <cstdint>
#include <vector>

namespace chipwright::sim {

class ReductionNetwork {
public:
  explicit ReductionNetwork(const ChipSpec &spec)
      : rows(spec.grid.rows), cols(spec.grid.cols),
        links(size_t(spec.grid.numPes()) * 2) {}

  /// PE that sends to \p pe in \p direction, or -1 at the edge.
  int sender(unsigned pe, isa::ReduceDirection direction) const {
    if (direction == isa::ReduceDirection::Down) {
      return pe < cols ? -1 : static_cast<int>(pe - cols);
    }
    return pe % cols == 0 ? -1 : static_cast<int>(pe - 1);
  }
  int receiver(unsigned pe, isa::ReduceDirection direction) const {
    if (direction == isa::ReduceDirection::Down) {
      return pe + cols >= rows * cols ? -1 : static_cast<int>(pe + cols);
    }
    return pe % cols + 1 == cols ? -1 : static_cast<int>(pe + 1);
  }

  /// A block on its way to a PE.
  struct Inbox {
    bool full = false;
    Cycle headArrives = 0;
    Cycle freeFrom = 0; // sender may use the link from here on
    uint32_t rows = 0, cols = 0;
    std::vector<uint32_t> data; // functional mode
  };
  Inbox &inbox(unsigned pe, isa::ReduceDirection direction) {
    return links[size_t(pe) * 2 + static_cast<unsigned>(direction)];
  }
  const Inbox &inbox(unsigned pe, isa::ReduceDirection direction) const {
    return links[size_t(pe) * 2 + static_cast<unsigned>(direction)];
  }

private:
  unsigned rows, cols;
  std::vector<Inbox> links;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_REDUCTIONNETWORK_H
