//===- GridPasses.h - Passes on tile programs -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_H
#define CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_H

#include "dialects/grid/Grid.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
}

namespace chipwright {

#define GEN_PASS_DECL
#include "compiler/grid/GridPasses.h.inc"

/// Tile programs, declared or written out, to structured commands of `pe`
/// (`grid-to-commands` of chipwright-opt). The module's attribute `pe.chip`
/// names the chip.
void buildGridToCommandsPipeline(mlir::OpPassManager &passes);

/// Registers the passes and the pipeline.
void registerGridPasses();

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_H
