//===- CheckRings.h - What pe-check-rings knows of rings --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_CHECKRINGS_H
#define CHIPWRIGHT_COMPILER_PE_CHECKRINGS_H

#include "compiler/pe/CheckTree.h"
#include "dialects/pe/Pe.h"

#include <set>
#include <string>

namespace chipwright::compiler {

/// A CB.
struct Ring {
  mlir::Operation *setup = nullptr;
  std::optional<int64_t> capacity;
  /// Not set up twice, nor in a loop or branch.
  bool isPlain = true;
  /// By hart: does it push, does it pop?
  bool pushes[2] = {}, pops[2] = {};
};

/// "'pe.dma_in' of \"layers.0.wq\"".
std::string describe(mlir::Operation *op);

class RingChecker {
public:
  explicit RingChecker(mlir::ModuleOp module) : module(module) {}

  /// \returns false after a diagnostic.
  bool run();

  /// A remark for each CB: is its balance known, and its fill?
  void report();

private:
  void findRings(mlir::func::FuncOp function);
  /// The ring, if it is the same during the whole program.
  const Ring *find(int cb) const {
    auto at = rings.find(cb);
    return at == rings.end() || !at->second.isPlain ? nullptr : &at->second;
  }
  void checkSizes(mlir::func::FuncOp function);
  void checkCommand(pe::CommandOpInterface command);
  void checkTile(pe::CommandOpInterface command, llvm::StringRef prefix,
                 mlir::OpFoldResult rows);
  void tooLarge(mlir::Operation *op, int cb, const Ring &ring, int64_t bytes,
                llvm::StringRef what);

  void checkBalance(int cb, const Ring &ring);
  bool compare(int cb, mlir::Operation *scope, const CheckRegion &producer,
               const CheckRegion &consumer);
  bool isHarmless(int cb, mlir::Operation *scope, const Amount &more,
                  const CheckRegion &producer) const;
  void sayUnbalanced(int cb, mlir::Operation *scope, const Amount &more,
                     const CheckRegion &producer, const CheckRegion &consumer);

  /// Bytes in a CB, if they are known.
  using Fill = std::optional<int64_t>;
  using Fills = std::map<int, Fill>;
  Fill follow(int cb, const CheckRegion &region, Fill fill);
  Fill followLoop(int cb, const CheckItem &loop, int64_t fill);
  void followBoth(const CheckRegion &load, const CheckRegion &compute,
                  Fills &fills);
  bool overflows(int cb, mlir::Operation *where, int64_t fill,
                 const llvm::Twine &what);

  mlir::ModuleOp module;
  mlir::func::FuncOp functions[2]; // by hart
  std::unique_ptr<CheckRegion> trees[2];
  std::map<int, Ring> rings;
  /// CBs of which something was said or nothing can be; those whose balance
  /// is not known.
  std::set<int> isDone, isUnclear;
  /// CBs with known balance; whose fill is known all the way.
  std::set<int> balanced, followed;
  /// Loops around that are followed for their last iteration.
  unsigned repeated = 0;
  bool hasError = false;
};

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PE_CHECKRINGS_H
