//===- RingSharing.h - Tiles that can follow each other in a ring -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Tiles with the same producer and the same consumer hart may share a ring if
// they leave it in the order in which they came, and if every loop leaves the
// ring as it found it: then offsets are the same in every iteration, and the
// number of tiles in the ring, in the order of the program, is bounded. Slots
// of a ring are as large as its largest tile.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_RINGSHARING_H
#define CHIPWRIGHT_COMPILER_GRID_RINGSHARING_H

#include "compiler/grid/LocalPlan.h"

#include <optional>

namespace chipwright {

/// What happens to tiles in rings while a program runs.
class RingTrace {
public:
  /// \p placeOf numbers the place of a tile that lies in a ring, none for one
  /// in banks.
  RingTrace(grid::ProgramOp program,
            std::function<std::optional<unsigned>(mlir::Value)> placeOf);

  /// The largest number of tiles in a ring of \p places (by number: is it one
  /// of them?), or nothing if they cannot share one.
  std::optional<int64_t> occupancy(const std::vector<bool> &places) const;

private:
  enum class Kind { Push, Release, Take, Rename, Enter, Leave };
  struct Event {
    Kind kind;
    unsigned place;
    void *tile, *renamed;
    mlir::Operation *op;
  };

  void walk(mlir::Block &block);
  void visit(mlir::Operation *op);
  void add(Kind kind, mlir::Operation *op, mlir::Value tile = {},
           mlir::Value renamed = {});

  std::function<std::optional<unsigned>(mlir::Value)> placeOf;
  std::vector<Event> events;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_RINGSHARING_H
