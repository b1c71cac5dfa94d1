//===- LoadEmitter.h - What hart 0 issues -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_LOADEMITTER_H
#define CHIPWRIGHT_COMPILER_GRID_LOADEMITTER_H

#include "compiler/grid/Rings.h"
#include "compiler/grid/RoleEmitter.h"

namespace chipwright {

/// Transfers into local memory.
class LoadEmitter final : public RoleEmitter {
public:
  LoadEmitter(grid::ProgramOp program, const LocalPlan &plan,
              const Target &target, mlir::OpBuilder &builder,
              mlir::Value block);

protected:
  mlir::LogicalResult issue(mlir::Operation *op) override;
  void enterBlock(mlir::Block &block) override { rings.enterBlock(block); }
  void done(mlir::Operation *op) override { rings.done(op); }

private:
  void load(grid::LoadOp op);
  void fill(grid::FillOp op);
  void fillSlot(mlir::Location loc, const Place &place);

  Rings rings; // of row numbers for gathers
};

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_LOADEMITTER_H
