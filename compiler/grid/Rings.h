//===- Rings.h - Tiles in rings in the order of a program -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Follows the contents of rings while a program is emitted: what lies in
// front of a tile gives its distance from the ring's read pointer, and a tile
// leaves when its last reader is issued.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_RINGS_H
#define CHIPWRIGHT_COMPILER_GRID_RINGS_H

#include "compiler/grid/LastReaders.h"
#include "compiler/grid/LocalPlan.h"

#include "llvm/ADT/SmallVector.h"

#include <functional>

namespace chipwright {

class Rings {
public:
  /// Follows the rings that hart 0 reads (\p ofLoads) or those of hart 1.
  /// \p popped is called when a tile leaves its ring by its reader.
  Rings(const LocalPlan &plan, bool ofLoads,
        std::function<void(const Place &)> popped)
      : plan(plan), ofLoads(ofLoads), popped(std::move(popped)),
        readers([this](mlir::Value tile) { return follows(tile); },
                [this](mlir::Value tile) { release(tile); }) {}
  Rings(const Rings &) = delete;

  /// \p tile has been put behind the others of its ring.
  void push(mlir::Value tile);
  /// Nobody reads \p tile any more.
  void release(mlir::Value tile);
  /// A command has taken \p tile out itself; it is the oldest of its ring.
  void taken(mlir::Value tile);
  /// From here on \p to names what \p from names.
  void rename(mlir::Value from, mlir::Value to);
  /// Bytes from the ring's read pointer to the first element of \p tile,
  /// which may be a slice.
  int64_t offsetOf(mlir::Value tile) const;

  void enterBlock(mlir::Block &block) { readers.enterBlock(block); }
  void done(mlir::Operation *op) { readers.done(op); }

private:
  struct Entry {
    mlir::Value tile;
    bool dead = false;
  };
  llvm::SmallVector<Entry, 2> &ringOf(mlir::Value tile) {
    return rings[plan.of(tile).cb];
  }

  bool follows(mlir::Value tile) const;

  const LocalPlan &plan;
  const bool ofLoads;
  std::function<void(const Place &)> popped;
  llvm::DenseMap<int64_t, llvm::SmallVector<Entry, 2>> rings; // by CB
  LastReaders readers;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_RINGS_H
