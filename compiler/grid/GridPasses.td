//===- GridPasses.td - Passes on tile programs -------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_TD
#define CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_TD

include "mlir/Pass/PassBase.td"

def AttachChipPass : Pass<"attach-chip", "::mlir::ModuleOp"> {
  let summary = "a chip's parameters to the module";
  let description = [{
    Loads a chip (`chips/`, or a YAML file) with changes and writes what
    machine code depends on to the module's attribute `pe.chip`, from which
    all later passes take it.
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"mtia-2i\"",
           "name of a chip, or a YAML file">,
    ListOption<"set", "set", "std::string", "changes PATH=VALUE">];
}

def SchedulePass : Pass<"grid-schedule", "::mlir::ModuleOp"> {
  let summary = "tile sizes and places for declared operations";
  let description = [{
    Gives every `grid.generic` without a schedule the one with the least
    estimated time among those that fit the chip of `pe.chip`. Sizes that are
    no constants are taken from the operation's attribute `size_hints`, one
    number for each dimension (-1: none). Hints guide the choice, nothing else:
    code is right for all sizes.

    ```mlir
    {size_hints = array<i64: 64, 4096, 4096>}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::chipwright::grid::GridDialect"];
}

def ExpandPass : Pass<"grid-expand", "::chipwright::grid::ProgramOp"> {
  let summary = "declared operations to loops over tiles";
  let description = [{
    Writes each scheduled `grid.generic` out: loops that deal blocks out to
    PEs, loads as far outside as their indices allow, the reduction with its
    state, stores. Operations that follow each other are separated by a
    barrier.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def SelectSimdPass : Pass<"grid-select-simd", "::chipwright::grid::ProgramOp"> {
  let summary = "element-wise operations on tiles to SIMD commands";
  let description = [{
    Gathers chains of `arith`, `math` and `grid` operations on tiles into
    `grid.simd`, one command each: swap pairs, scale, an operation, column
    window, function, another operation, conversion, row reduction. A value
    with one use is part of its user's command where the order of the parts
    allows it; widening is free on every operand.
  }];
  let dependentDialects = ["::chipwright::grid::GridDialect"];
}

def NormalizePass : Pass<"grid-normalize", "::chipwright::grid::ProgramOp"> {
  let summary = "every tile where its readers can read it";
  let description = [{
    Inserts what the machine needs between operations that the program leaves
    open: sums are drained before anything but a product or a drain reads them,
    constants become tiles, a tile that is stored is not read afterwards, and
    the values of a loop-carried tile can share one ring.
  }];
  let dependentDialects = ["::chipwright::grid::GridDialect"];
}

def DeriveMulticastPass
    : Pass<"grid-derive-multicast", "::chipwright::grid::ProgramOp"> {
  let summary = "loads that a row or column of PEs can share";
  let description = [{
    A load inside of a `grid.parallel` on columns (rows) that does not depend
    on the loop's iteration is the same for all PEs of a row (column) that have
    an iteration of this round: it becomes one fetch for all of them, with the
    mask of those PEs. Control flow between the loop and the load must not
    depend on the iteration either, since all members issue the same sequence.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::chipwright::grid::GridDialect"];
}

def GridToPePass : Pass<"grid-to-pe", "::mlir::ModuleOp"> {
  let summary = "tile programs to commands of the two harts of a PE";
  let description = [{
    Plans circular buffers and accumulator banks and clones the program's
    control flow for both harts: hart 0 issues loads, hart 1 everything else.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect",
                           "::chipwright::pe::PeDialect"];
}

#endif // CHIPWRIGHT_COMPILER_GRID_GRIDPASSES_TD
