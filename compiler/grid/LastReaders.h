//===- LastReaders.h - Where tiles are read last ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_LASTREADERS_H
#define CHIPWRIGHT_COMPILER_GRID_LASTREADERS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <functional>

namespace chipwright {

/// Says, while a program is gone through in order, when a tile is read no more.
class LastReaders {
public:
  /// \p follows chooses tiles, \p release is told of them.
  LastReaders(std::function<bool(mlir::Value)> follows,
              std::function<void(mlir::Value)> release)
      : follows(std::move(follows)), release(std::move(release)) {}

  /// Finds out where the tiles that \p block makes (or gets) are read last,
  /// and releases those it gets and never reads.
  void enterBlock(mlir::Block &block);
  /// Releases the tiles that \p op was the last one to read.
  void done(mlir::Operation *op);

private:
  bool isFollowed(mlir::Value tile) const;

  std::function<bool(mlir::Value)> follows;
  std::function<void(mlir::Value)> release;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value, 2>> deaths;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_LASTREADERS_H
