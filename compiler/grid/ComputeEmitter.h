//===- ComputeEmitter.h - What hart 1 issues --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_COMPUTEEMITTER_H
#define CHIPWRIGHT_COMPILER_GRID_COMPUTEEMITTER_H

#include "compiler/grid/Rings.h"
#include "compiler/grid/RoleEmitter.h"

namespace chipwright {

/// Products, element-wise commands, layout commands and stores.
class ComputeEmitter final : public RoleEmitter {
public:
  ComputeEmitter(grid::ProgramOp program, const LocalPlan &plan,
                 const Target &target, mlir::OpBuilder &builder,
                 mlir::Value block);

protected:
  mlir::LogicalResult issue(mlir::Operation *op) override;
  bool writesControl() const override { return true; }
  void enterLoop(mlir::scf::ForOp loop, mlir::scf::ForOp made) override;
  void leaveLoop(mlir::scf::ForOp loop) override;
  void enterBlock(mlir::Block &block) override { rings.enterBlock(block); }
  void done(mlir::Operation *op) override { rings.done(op); }

private:
  mlir::LogicalResult matmul(grid::MatmulOp op);
  /// What of a sum lies in one bank: its first element and the bank.
  struct Part {
    int64_t row, col, bank;
  };
  /// The parts of the sum of \p op, in an order in which neighbours share an
  /// operand.
  llvm::SmallVector<Part> partsOf(grid::MatmulOp op);
  void multiply(grid::MatmulOp op, llvm::ArrayRef<Part> parts,
                mlir::OpFoldResult first);
  void multiplyStep(grid::MatmulOp op, llvm::ArrayRef<Part> parts,
                    int64_t passes, mlir::Value offset, int64_t constantOffset,
                    mlir::OpFoldResult accumulate);
  void multiplySpilled(grid::MatmulOp op);
  mlir::LogicalResult simd(grid::SimdOp op);
  void drain(grid::SimdOp op);
  void topK(grid::TopKOp op);
  void layout(mlir::Operation *op, mlir::Value x, mlir::Value y);
  void store(grid::StoreOp op);
  /// Loads the banks of \p place with zeros or with the tile \p from.
  void initBanks(mlir::Location loc, const Place &place, mlir::Value from,
                 llvm::StringRef tag);
  void initBank(mlir::Location loc, mlir::RankedTensorType type,
                const Part &part, mlir::Value from, llvm::StringRef tag);

  /// Slices that tell where an input lies: \p prefix with cb, offset, pitch,
  /// dtype. \p row and \p col are the first element.
  void addSource(llvm::SmallVectorImpl<pe::SliceValue> &slices,
                 llvm::ArrayRef<llvm::StringRef> names, mlir::Value tile,
                 int64_t row = 0, int64_t col = 0);
  /// The chain of \p op on rows and columns from (\p row, \p col) on.
  void addChain(llvm::SmallVectorImpl<pe::SliceValue> &slices, grid::SimdOp op,
                int64_t row, int64_t col, int64_t rows, int64_t cols);
  void pushed(mlir::Operation *op, mlir::Value tile);

  Rings rings;
  /// Loops whose first iteration overwrites the banks of a sum: by argument.
  llvm::DenseMap<mlir::Value, mlir::scf::ForOp> startsInLoop;
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_COMPUTEEMITTER_H
