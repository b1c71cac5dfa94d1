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
// tile crosses the wrap. It is written by one hart and read by one. In the
// order of the program the number of tiles in a ring never exceeds its depth:
// together with the rules of the command processor this excludes deadlock for
// every trip count.
//
// Each tile has a ring, and each sum banks, of its own as long as there are
// enough. Otherwise sums with disjoint lives share banks (Banks.h), and tiles
// that follow each other share rings (RingSharing.h): the plan is tight, and
// less overlaps.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H
#define CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H

#include "compiler/Target.h"
#include "dialects/grid/Grid.h"

#include "llvm/ADT/EquivalenceClasses.h"

#include <optional>
#include <vector>

namespace chipwright {

/// Columns of one SIMD command; wider tiles take several.
inline constexpr int64_t kMaxColumns = 32768;

struct Place {
  bool inBanks = false;
  mlir::RankedTensorType type;
  /// Ring: its number, offset in local memory, number and bytes of slots.
  int64_t cb = 0, base = 0, depth = 1, slot = 0;
  /// Banks, row by row of the parts into which the tile is cut for them.
  std::vector<int64_t> banks;
  int64_t rowParts = 1, colParts = 1;
  /// For messages: an operation that makes such a tile.
  mlir::Operation *maker = nullptr;
  bool filledByLoad = false;  // by hart 0
  bool isGatherIndex = false; // read by loads, that is, by hart 0
  bool isStored = false;      // a store reads it
  bool isCarried = false;     // around a loop
  bool isInParts = false;     // a reduction that takes several commands

  int64_t bankOf(int64_t rowPart, int64_t colPart) const {
    return banks[static_cast<size_t>(rowPart * colParts + colPart)];
  }
  int64_t tileBytes() const { return type.getDimSize(0) * pitch(); }
  int64_t pitch() const {
    return grid::bytesOf(type.getElementType(), type.getDimSize(1));
  }
};

/// A circular buffer and the places that share it, in order of the program.
struct Ring {
  std::vector<unsigned> places;
  int64_t slot = 0, depth = 1;
  bool isShared() const { return places.size() > 1; }
};

class RingTrace;

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
  const std::vector<Ring> &rings() const { return allRings; }
  /// The banks that the product of a spilled sum borrows, for its parts in
  /// turn.
  const std::vector<int64_t> &borrowedBanks(grid::MatmulOp product) const {
    return borrowed.find(product)->second;
  }
  /// Do tiles share rings or sums share banks, or is a sum spilled?
  bool isTight() const { return tight; }

private:
  LocalPlan() = default;
  void classify(grid::ProgramOp program, const Target &target);
  mlir::LogicalResult assignBanks(grid::ProgramOp program,
                                  const Target &target);
  mlir::LogicalResult assignRings(grid::ProgramOp program,
                                  const Target &target);
  void shareRings(const Target &target, const RingTrace &trace);
  void fillRings(std::vector<Ring> own, const RingTrace &trace);
  /// The ring of tiles that are in \p a or \p b, if they can share one.
  std::optional<Ring> merged(const Ring &a, const Ring &b,
                             const RingTrace &trace) const;
  void deepenRings(const Target &target);
  int64_t bytesOfRings() const;

  std::vector<Place> all;
  std::vector<Ring> allRings;
  llvm::DenseMap<mlir::Value, unsigned> index;
  llvm::DenseMap<mlir::Operation *, std::vector<int64_t>> borrowed;
  bool tight = false;
};

/// The tile that \p value is a part of, after slices.
mlir::Value wholeOf(mlir::Value value);

/// Does \p value lie in accumulator banks: is it a sum of products that is not
/// spilled, or a state that a loop ends with such a sum?
bool liesInBanks(mlir::Value value);

/// Values carried around \p loop by position: initial value, argument of the
/// body, yielded value, result.
struct Carried {
  mlir::Value init, argument, yielded, result;
};
llvm::SmallVector<Carried> carriedTiles(mlir::Operation *forOp);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_LOCALPLAN_H
