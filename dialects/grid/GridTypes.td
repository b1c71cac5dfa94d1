//===- GridTypes.td - Types of grid programs ---------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRIDTYPES_TD
#define CHIPWRIGHT_DIALECTS_GRID_GRIDTYPES_TD

include "GridDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Grid_Buffer : TypeDef<Grid_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "a tensor in global memory";
  let description = [{
    Row-major, without gaps; two elements of `i4` or `f4E2M1FN` share a byte,
    the even one in its low half. Sizes that are `?` are known at launch only. A
    `control` buffer holds values that decide what a program does (indices,
    counts, lengths): harts may read it, and it keeps its contents in timing
    mode. All others are bulk: only tiles of them can be loaded.

    ```mlir
    !grid.buffer<?x2048xf16>
    !grid.buffer<?x4xi32, control>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType, "bool":$control);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    unsigned getRank() const { return static_cast<unsigned>(getShape().size()); }
    bool isDynamic(unsigned dim) const;
    unsigned getElementBytes() const;
  }];
}

#endif // CHIPWRIGHT_DIALECTS_GRID_GRIDTYPES_TD
