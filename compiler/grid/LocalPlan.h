//===- LocalPlan.h - Where tiles of a program lie ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every tile lies in a circular buffer (CB) of local memory or, if it is a sum
// of products, in accumulator banks. Tiles that are one state carried around a
// loop (initial value, loop argument, yielded value, result) share a place:
// the new value enters the ring behind the old one, which then leaves.
//
// A ring holds tiles of one shape in slots of exactly their size, so that no
// tile crosses the wrap. It is written by one hart and read by hart 1. In the
// order of the program the number of tiles in a ring never exceeds its depth:
// together with the rules of the command processor this excludes deadlock for
// every trip count.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H
#define CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H

#include "compiler/Target.h"
#include "dialects/grid/Grid.h"

#include "llvm/ADT/EquivalenceClasses.h"

#include <vector>

namespace chipwright {

/// Columns of one SIMD command; wider tiles take several.
inline constexpr int64_t kMaxColumns = 32768;

struct Place {
  bool inBanks = false;
  mlir::RankedTensorType type;
  /// Ring: its number, offset in local memory, and number of slots.
  int64_t cb = 0, base = 0, depth = 1;
  /// Banks: the first one, and how the tile is cut into banks.
  int64_t firstBank = 0, rowParts = 1, colParts = 1;
  /// For messages: an operation that makes such a tile.
  mlir::Operation *maker = nullptr;
  bool filledByLoad = false;  // by hart 0
  bool isGatherIndex = false; // read by loads, that is, by hart 0
  bool isStored = false;      // a store reads it
  bool isCarried = false;     // around a loop
  bool isInParts = false;     // a reduction that takes several commands

  int64_t slotBytes() const {
    return type.getDimSize(0) * type.getDimSize(1) *
           grid::bytesOf(type.getElementType());
  }
  int64_t pitch() const {
    return type.getDimSize(1) * grid::bytesOf(type.getElementType());
  }
};

class LocalPlan {
public:
  /// Plans local memory for \p program, which must be normal
  /// (grid-normalize).
  /// \returns failure after a diagnostic with the memory map if it does not
  /// fit.
  static mlir::FailureOr<LocalPlan> make(grid::ProgramOp program,
                                         const Target &target);

  const Place &of(mlir::Value tile) const;
  const std::vector<Place> &places() const { return all; }

private:
  LocalPlan() = default;
  void classify(grid::ProgramOp program, const Target &target);
  mlir::LogicalResult assignBanks(grid::ProgramOp program,
                                  const Target &target);
  mlir::LogicalResult assignRings(grid::ProgramOp program,
                                  const Target &target);

  std::vector<Place> all;
  llvm::DenseMap<mlir::Value, unsigned> index;
};

/// The tile that \p value is a part of, after slices.
mlir::Value wholeOf(mlir::Value value);

/// Does \p value lie in accumulator banks: is it a sum of products, or a state
/// that a loop ends with such a sum?
bool liesInBanks(mlir::Value value);

/// Values carried around \p loop by position: initial value, argument of the
/// body, yielded value, result.
struct Carried {
  mlir::Value init, argument, yielded, result;
};
llvm::SmallVector<Carried> carriedTiles(mlir::Operation *forOp);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H
