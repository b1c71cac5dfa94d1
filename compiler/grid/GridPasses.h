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

namespace chipwright {

#define GEN_PASS_DECL
#include "compiler/grid/GridPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/grid/GridPasses.h.inc"

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_H
