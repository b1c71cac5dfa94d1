//===- GridDialect.td - The tile-program dialect -----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRIDDIALECT_TD
#define CHIPWRIGHT_DIALECTS_GRID_GRIDDIALECT_TD

include "mlir/IR/OpBase.td"

def Grid_Dialect : Dialect {
  let name = "grid";
  let cppNamespace = "::chipwright::grid";
  let summary = "programs over tiles on a grid of processing elements";
  let description = [{
    A `grid.program` is written for one processing element (PE) and runs on
    all of them. It is sequential: loads bring tiles of global buffers into
    local memory, products and element-wise operations make tiles of tiles,
    stores write them back. Which hart issues what, where tiles lie, and how
    far loads run ahead is decided by the passes that lower it to `pe`.

    Tiles are ranked tensors of static shape, rows before columns. Element-wise
    work on them is `arith` and `math`; what these dialects lack (row
    reductions, broadcasts, column windows, a few functions) is here. Control
    is `scf.for` and `scf.if` on scalars, and `grid.parallel`, which deals
    iterations out to PEs.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

#endif // CHIPWRIGHT_DIALECTS_GRID_GRIDDIALECT_TD
