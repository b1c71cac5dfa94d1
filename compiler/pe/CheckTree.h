//===- CheckTree.h - What a hart does to circular buffers -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A kernel function reduced to what pe-check-rings needs: pushes and pops in
// order, and the loops and branches around them. Amounts are linear forms of
// symbols (trip counts, conditions, byte counts known at run time) that have
// the same number in both functions if they are the same expression of
// arguments, constants and loop variables. All symbols are at least 0.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_CHECKTREE_H
#define CHIPWRIGHT_COMPILER_PE_CHECKTREE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace chipwright::compiler {

// Numbers of a program may be anything: sums and products are modulo 2^64.
inline int64_t wrappingSum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}
inline int64_t wrappingProduct(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) *
                              static_cast<uint64_t>(b));
}

/// constant + sum of factor * symbol, in bytes.
struct Amount {
  int64_t constant = 0;
  std::map<unsigned, int64_t> terms; // by symbol, no factor is 0

  bool operator==(const Amount &) const = default;
  bool isConstant() const { return terms.empty(); }
  /// 1 or -1 if the amount is that side of 0 whatever the symbols are, and 0
  /// only if all of its symbols are; 0 if that is not known, or it is 0.
  int sign() const;
  void add(const Amount &other, int64_t factor = 1);
};

/// Numbers for expressions: equal numbers are equal values.
class Numbering {
public:
  using Key = std::vector<uintptr_t>;

  unsigned of(const Key &key);
  unsigned of(mlir::Value value);
  void set(mlir::Value value, unsigned number) { values[value] = number; }
  unsigned fresh() { return next++; }
  /// Gives the results of \p op, which has no regions, their numbers.
  void visit(mlir::Operation &op);

  /// Barriers that the walk has passed in the text: what is loaded from
  /// memory may differ behind one.
  unsigned barriers = 0;
  /// Of the function that is walked.
  unsigned hart = 0;

private:
  unsigned next = 0;
  std::map<Key, unsigned> numbers;
  llvm::DenseMap<mlir::Value, unsigned> values;
};

/// What a region does to a CB.
struct RingEffect {
  Amount push, pop;
};

struct CheckRegion;

/// A push, a pop, a loop or a branch.
struct CheckItem {
  mlir::Operation *op = nullptr;
  /// -1 for a loop or branch.
  int cb = -1;
  /// Effect of a push or pop by its own CB; of a loop or branch, for all CBs.
  std::map<int, RingEffect> effects;
  /// Number of a loop's bounds or of a branch's condition.
  unsigned key = 0;
  /// Trips of a loop, if constant.
  std::optional<int64_t> trips;
  /// The loop's body; the branch's two sides, null for one that is absent.
  std::vector<std::unique_ptr<CheckRegion>> regions;

  bool isLoop() const { return llvm::isa<mlir::scf::ForOp>(op); }
};

struct CheckRegion {
  std::vector<CheckItem> items;
  std::map<int, RingEffect> effects;
};

/// Makes the trees of both functions, with common numbers.
class TreeBuilder {
public:
  /// \returns nothing if it cannot be told which CBs the function moves: loops
  /// other than scf.for around pushes, commands with a CB known at run time,
  /// or commands that are issued by hand.
  std::unique_ptr<CheckRegion> build(mlir::func::FuncOp function,
                                     unsigned hart);

private:
  std::unique_ptr<CheckRegion> walk(mlir::Block &block);
  void visitLoop(mlir::scf::ForOp loop, CheckRegion &into);
  void visitBranch(mlir::scf::IfOp branch, CheckRegion &into);
  void visitEffect(mlir::Operation &op, CheckRegion &into);
  Amount amountOf(mlir::OpFoldResult value);
  Amount product(const Amount &a, const Amount &b);
  /// \p inner scaled by a symbol made of \p kind and \p key.
  Amount scaled(const Amount &inner, uintptr_t kind, unsigned key);

  Numbering numbers;
  /// Keys of the loops around.
  std::vector<unsigned> around;
  bool isDecided = true;
};

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PE_CHECKTREE_H
