//===- OpModel.h - What a schedule of an operation costs --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A declared operation reduced to what its time depends on: sizes of its
// dimensions, tiles that are moved, products and element-wise passes. The
// cost of a schedule is the largest demand on one resource plus what nothing
// overlaps with. It ranks schedules; it is no prediction.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_SCHEDULE_OPMODEL_H
#define CHIPWRIGHT_COMPILER_SCHEDULE_OPMODEL_H

#include "compiler/Target.h"
#include "dialects/grid/Grid.h"

#include <vector>

namespace chipwright {

/// Blocks of the dimensions and the PEs they go to, as in #grid.schedule.
struct Schedule {
  llvm::SmallVector<int64_t, 4> tile;
  llvm::SmallVector<grid::PlaceOfDim, 4> on;
  double cost = 0;  // cycles of the slowest PE
  double bytes = 0; // that memory sends and receives
};

/// A size of a tile: the block of a dimension, or a number.
struct TileSize {
  int dim = -1;
  int64_t fixed = 1;
  int64_t divisor = 1; // indices of the dimension that an element stands for
  int64_t of(llvm::ArrayRef<int64_t> tile) const {
    return dim < 0 ? fixed
                   : (tile[static_cast<size_t>(dim)] + divisor - 1) / divisor;
  }
};

class OpModel {
public:
  /// Sizes come from constants, from buffers, or from the attribute
  /// `size_hints` (one number for each dimension, -1: none).
  /// \returns failure after a diagnostic: a wrong `size_hints`, or a dimension
  /// of kind full whose size is not known.
  static mlir::FailureOr<OpModel> of(grid::GenericOp op, const Target &target);

  struct Product {
    TileSize m, n, k;
    int64_t elementBytes = 2;
    bool inStep = false;
  };
  /// A tile between memory and local memory.
  struct Transfer {
    TileSize rows, cols;
    int64_t elementBits = 32;
    llvm::SmallVector<bool, 4> dependsOn; // by dimension
    bool isStore = false;

    /// Bytes of the tile.
    int64_t bytes(llvm::ArrayRef<int64_t> tile) const {
      return rows.of(tile) * ((cols.of(tile) * elementBits + 7) / 8);
    }
  };
  /// An element-wise command.
  struct Pass {
    TileSize rows, cols;
    bool inStep = false;
    bool ofSum = false; // reads accumulator banks
    bool turns = false; // goes through the layout unit twice
  };

  /// Fills in cost and bytes.
  void evaluate(Schedule &schedule) const;

  /// Is the size of dimension \p dim a constant?
  bool isKnown(unsigned dim) const { return known[dim]; }
  int64_t size(unsigned dim) const { return sizes[dim]; }
  unsigned numDims() const { return static_cast<unsigned>(sizes.size()); }
  grid::DimKind kind(unsigned dim) const { return kinds[dim]; }
  /// May blocks of \p dim go to several PEs?
  bool isDealtOut(unsigned dim) const;
  const std::vector<Product> &allProducts() const { return products; }
  const std::vector<Transfer> &allTransfers() const { return transfers; }
  const Target &chip() const { return *target; }

private:
  struct Loop;
  std::vector<Loop> loopsOf(const Schedule &schedule) const;
  double productCycles(const Product &product,
                       llvm::ArrayRef<int64_t> tile) const;

  const Target *target = nullptr;
  llvm::SmallVector<int64_t, 4> sizes;
  llvm::SmallVector<bool, 4> known, bounded;
  llvm::SmallVector<grid::DimKind, 4> kinds;
  std::vector<Product> products;
  std::vector<Transfer> transfers;
  std::vector<Pass> passes;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_SCHEDULE_OPMODEL_H
