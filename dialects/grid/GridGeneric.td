//===- GridGeneric.td - Declared operations on tiles -------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRIDGENERIC_TD
#define CHIPWRIGHT_DIALECTS_GRID_GRIDGENERIC_TD

include "GridOps.td"
include "mlir/IR/BuiltinAttributes.td"

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Grid_Dim : AttrDef<Grid_Dialect, "Dim"> {
  let mnemonic = "dim";
  let summary = "a dimension of a declared operation";
  let parameters = (ins StringRefParameter<"its name">:$name,
                        "::chipwright::grid::DimKind":$kind);
  let hasCustomAssemblyFormat = 1;
}

def Grid_Dims : AttrDef<Grid_Dialect, "Dims"> {
  let mnemonic = "dims";
  let summary = "names of a tile's sizes";
  let description = [{
    Encoding of a tile's type: the size that is `?` is the block of this
    dimension, as the schedule will choose it, or with `k / 32` a 32nd of it:
    one element for each 32 of the dimension. Sizes that are known have the
    name `_`.

    ```mlir
    tensor<?x128xf32, #grid.dims<m, _>>
    tensor<?x?xbf16, #grid.dims<n, k / 32>>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$names,
                        ArrayRefParameter<"int64_t">:$divisors);
  let hasCustomAssemblyFormat = 1;
}

def Grid_Schedule : AttrDef<Grid_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how a declared operation is cut up and dealt out";
  let description = [{
    For each dimension the size of a block and the PEs that blocks go to, in
    the order of the dimensions. `order` lists the dimensions from the
    outermost loop inwards; reductions come last.

    ```mlir
    #grid.schedule<tile = [128, 64, 256], on = [row, col, seq]>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$tile,
                        ArrayRefParameter<"::chipwright::grid::PlaceOfDim">:$on);
  let hasCustomAssemblyFormat = 1;
}

//===----------------------------------------------------------------------===//
// grid.generic
//===----------------------------------------------------------------------===//

def Grid_GenericOp : Grid_Op<"generic", [AttrSizedOperandSegments]> {
  let summary = "an operation on tiles, declared";
  let description = [{
    Says what is computed for one block of the dimensions, and leaves open how
    large blocks are and which PE computes them (`schedule`).

    An operand is a buffer with an affine map from the dimensions to the
    indices of the first element of its tile. In each of the last two results
    at most one dimension has the factor 1 and is larger than one element: it
    is the tile's rows or columns. Operands of `step` are loaded where the
    dimensions that they depend on are known, so a tile that does not depend on
    a reduction stays while the reduction runs.

    `step` is run for each block of the reductions, in order. It gets the tiles
    of its operands and the state, and yields the next state; `init` are the
    elements that the state starts with. `finish` gets the tiles of its own
    operands and the state, and yields the tiles of the results, which are
    stored. An operation without a reduction has no `step`.

    With `gather`, rows of an operand are chosen by numbers: the operand of
    that position (a column of i32 in `step` or `finish`, counted over both)
    holds them. `scatter` does the same for results. `limits` has a map for
    each operand and result: rows from its value on are filled, or not written.
    A row that is chosen by number counts from the start of the tile. `widths`
    does the same for columns, counted from the tile's first one (0: none).

    A work list is a control buffer with one row of fields for each entry of
    the dimension of kind `list`. Fields are the symbols of all maps. `bounds`
    gives dimensions a range that depends on them, by name: two maps, of which
    the second one is exclusive. Blocks of a reduction stay multiples of the
    block from 0 on, so that sums do not depend on where a range begins.

    Two attributes without a name of their own guide the compiler: `stream`
    (array of i64) lists operands whose elements are read once, so that they
    take no place in the cache, and `size_hints` (array of i64, one for each
    dimension, -1: none) tells `grid-schedule` of sizes that are no constants.

    ```mlir
    grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>,
                  #grid.dim<k, reduction>] sizes(%m, %n, %k)
        step(%x, %w : !grid.buffer<?x512xf16>, !grid.buffer<?x512xf16>)
        finish()
        results(%y : !grid.buffer<?x?xf16>)
        maps = [(m, n, k) -> (m, k), (m, n, k) -> (n, k), (m, n, k) -> (m, n)]
        init = [0.0]
    ```
  }];
  let arguments = (ins ArrayAttr:$dims, Variadic<Index>:$sizes,
                       Variadic<Grid_Buffer>:$step_buffers,
                       Variadic<Grid_Buffer>:$finish_buffers,
                       Variadic<Grid_Buffer>:$result_buffers,
                       Optional<Grid_Buffer>:$list,
                       AffineMapArrayAttr:$maps,
                       DefaultValuedAttr<F64ArrayAttr, "{}">:$init,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$gather,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$scatter,
                       OptionalAttr<ArrayAttr>:$limits,
                       OptionalAttr<DictionaryAttr>:$bounds,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$widths,
                       OptionalAttr<Grid_Schedule>:$schedule);
  let regions = (region MaxSizedRegion<1>:$step, SizedRegion<1>:$finish);
  let assemblyFormat = [{
    $dims `sizes` `(` $sizes `)`
    `step` `(` ($step_buffers^ `:` type($step_buffers))? `)`
    `finish` `(` ($finish_buffers^ `:` type($finish_buffers))? `)`
    `results` `(` $result_buffers `:` type($result_buffers) `)`
    (`list` `(` $list^ `:` type($list) `)`)?
    `maps` $maps attr-dict-with-keyword $step $finish
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned getNumDims() { return static_cast<unsigned>(getDims().size()); }
    DimAttr getDim(unsigned i) { return ::mlir::cast<DimAttr>(getDims()[i]); }
    ::mlir::AffineMap getMap(unsigned operand) {
      return ::mlir::cast<::mlir::AffineMapAttr>(getMaps()[operand]).getValue();
    }
    /// All buffers: of step, of finish, of results.
    ::llvm::SmallVector<::mlir::Value> getBuffers();
    /// The position of the dimension that makes up the rows (which = 0) or
    /// columns (1) of the tile of an operand, or -1 if there is one of them.
    int getTileDim(unsigned operand, unsigned which);
    /// How many indices of that dimension one element of the tile stands for.
    int64_t getTileDivisor(unsigned operand, unsigned which);
    /// Are the rows of the operand or result chosen by number?
    bool hasRowNumbers(unsigned operand);
    /// The operand or result's end of rows, or none.
    std::optional<::mlir::AffineMap> getLimit(unsigned operand);
    /// The range of a dimension that depends on the work list, or none.
    std::optional<std::pair<::mlir::AffineMap, ::mlir::AffineMap>>
    getBoundsOf(unsigned dim);
    unsigned getNumFields();
  }];
}

def Grid_YieldOp : Grid_Op<"yield", [Terminator, Pure, ParentOneOf<["GenericOp"]>]> {
  let summary = "the next state, or the tiles of the results";
  let arguments = (ins Variadic<AnyRankedTensor>:$tiles);
  let assemblyFormat = "($tiles^ `:` type($tiles))? attr-dict";
}

def Grid_OffsetOp : Grid_Op<"offset", [Pure]> {
  let summary = "first index of the present block of a dimension";
  let arguments = (ins StrAttr:$dim);
  let results = (outs Index:$index);
  let assemblyFormat = "$dim attr-dict";
}

def Grid_SplatOp : Grid_Op<"splat", [Pure]> {
  let summary = "a tile of equal elements whose size the schedule chooses";
  let arguments = (ins F64Attr:$value);
  let results = (outs Grid_Tile:$tile);
  let assemblyFormat = "$value attr-dict `:` type($tile)";
}

#endif // CHIPWRIGHT_DIALECTS_GRID_GRIDGENERIC_TD
