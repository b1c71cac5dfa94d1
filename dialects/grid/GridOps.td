//===- GridOps.td - Operations of grid programs ------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRIDOPS_TD
#define CHIPWRIGHT_DIALECTS_GRID_GRIDOPS_TD

include "GridDialect.td"
include "GridEnums.td"
include "GridTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/LoopLikeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Grid_Op<string mnemonic, list<Trait> traits = []>
    : Op<Grid_Dialect, mnemonic, traits>;

// A tile, rows x columns. Sizes are static, or named by #grid.dims in
// operations that are not scheduled yet.
def Grid_Tile : Type<And<[IsRankedTensorTypePred, HasAnyRankOfPred<[2]>]>,
                     "tile (tensor with two dimensions)",
                     "::mlir::RankedTensorType">;
def Grid_Scalar : AnyTypeOf<[Index, I64, I32], "index or integer">;

//===----------------------------------------------------------------------===//
// Programs and control
//===----------------------------------------------------------------------===//

def Grid_ProgramOp : Grid_Op<"program", [
    FunctionOpInterface, IsolatedFromAbove, AutomaticAllocationScope]> {
  let summary = "what every PE executes";
  let description = [{
    Arguments are buffers and scalars (`index`). The argument block of a launch
    holds 64-bit words: the addresses of all buffers, then, in the order of the
    arguments, each size that is `?` and each scalar.

    ```mlir
    grid.program @scale(%x: !grid.buffer<?x256xf16>, %y: !grid.buffer<?x256xf16>) {
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
    ::mlir::Region *getCallableRegion() { return nullptr; }
  }];
}

def Grid_EndOp : Grid_Op<"end", [Terminator, Pure,
    ParentOneOf<["ProgramOp", "ParallelOp", "StepOp"]>]> {
  let summary = "end of a program or of a parallel loop's body";
  let assemblyFormat = "attr-dict";
}

def Grid_ParallelOp : Grid_Op<"parallel", [
    SingleBlockImplicitTerminator<"EndOp">, RecursiveMemoryEffects]> {
  let summary = "iterations that are dealt out to PEs";
  let description = [{
    This PE executes the iterations of 0 .. count-1 that are its own: with
    `row`, those with i mod (rows of the grid) = its row, and likewise with
    `col`; with `all`, those with i mod (number of PEs) = its number. The body
    sees the iteration's number.

    What the body does with a buffer may depend on the iteration's number and
    on nothing else of the PE. A load that does not use the number of a loop on
    `col` (or `row`) is the same for all PEs of a row (column): they can share
    one fetch.
  }];
  let arguments = (ins Index:$count, Grid_Lines:$lines);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$count, "Lines":$lines)>];
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getIteration() { return getBody().getArgument(0); }
    ::mlir::Block *getBlock() { return &getBody().front(); }
  }];
}

def Grid_MembersOp : Grid_Op<"members", [Pure, HasParent<"ParallelOp">]> {
  let summary = "PEs of this line that have an iteration in this round";
  let description = [{
    Bit n: the PE with position n of the same row (of the same column, in a
    loop on rows) executes an iteration together with this one.
  }];
  let results = (outs I64:$mask);
  let assemblyFormat = "attr-dict";
}

def Grid_WriteOp : Grid_Op<"write"> {
  let summary = "write one value of a control buffer";
  let description = [{
    The value may be read by others behind the next barrier or in the next
    launch. An element is written once in a launch.
  }];
  let arguments = (ins Index:$value, Grid_Buffer:$buffer,
                       Variadic<Index>:$indices);
  let assemblyFormat =
    "$value `,` $buffer `[` $indices `]` attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

def Grid_BarrierOp : Grid_Op<"barrier"> {
  let summary = "all PEs meet; what any of them stored before can be loaded";
  let assemblyFormat = "attr-dict";
}

def Grid_DimOp : Grid_Op<"dim", [Pure]> {
  let summary = "size of a buffer";
  let arguments = (ins Grid_Buffer:$buffer, I64Attr:$dim);
  let results = (outs Index:$size);
  let assemblyFormat = "$buffer `,` $dim attr-dict `:` type($buffer)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Grid_ReadOp : Grid_Op<"read"> {
  let summary = "read one value of a control buffer";
  let arguments = (ins Grid_Buffer:$buffer, Variadic<Index>:$indices);
  let results = (outs Index:$value);
  let assemblyFormat = "$buffer `[` $indices `]` attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Between memory and tiles
//===----------------------------------------------------------------------===//

def Grid_LoadOp : Grid_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "bring a tile of a buffer into local memory";
  let description = [{
    The last two indices are the row and the column of the tile's first
    element, those before them choose a matrix. What lies beyond the edge of
    the matrix, and rows from `limit` on, is filled.

    With `gather`, row i of the tile is row `index + gather[i]` of the matrix,
    and `limit` counts rows of the tile.

    With `width`, columns of the tile from that one on are filled as well.

    `multicast` and `mask` are set by `grid-derive-multicast`: the members of
    this PE's row or column that share the fetch.

    ```mlir
    %a = grid.load %x[%i, %k] : !grid.buffer<?x?xf16> -> tensor<32x64xf16>
    ```
  }];
  let arguments = (ins Grid_Buffer:$buffer, Variadic<Index>:$indices,
                       Optional<Index>:$limit, Optional<Grid_Tile>:$gather,
                       Optional<I64>:$mask,
                       OptionalAttr<I64Attr>:$width,
                       DefaultValuedAttr<Grid_Fill, "Fill::zero">:$fill,
                       DefaultValuedAttr<Grid_Multicast,
                                         "Multicast::none">:$multicast,
                       DefaultValuedAttr<Grid_CachePolicy,
                                         "CachePolicy::allocate">:$policy);
  let results = (outs Grid_Tile:$tile);
  let assemblyFormat = [{
    $buffer `[` $indices `]` (`limit` $limit^)?
    (`gather` $gather^ `:` type($gather))? (`mask` $mask^)? attr-dict
    `:` type($buffer) `->` type($tile)
  }];
  let hasVerifier = 1;
}

def Grid_StoreOp : Grid_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "write a tile to a buffer";
  let description = [{
    What lies beyond the edge of the matrix, rows from `limit` on, and columns
    of the tile from `width` on, is not written.
  }];
  let arguments = (ins Grid_Tile:$tile, Grid_Buffer:$buffer,
                       Variadic<Index>:$indices, Optional<Index>:$limit,
                       Optional<Grid_Tile>:$scatter,
                       OptionalAttr<I64Attr>:$width,
                       DefaultValuedAttr<Grid_CachePolicy,
                                         "CachePolicy::allocate">:$policy);
  let assemblyFormat = [{
    $tile `,` $buffer `[` $indices `]` (`limit` $limit^)?
    (`scatter` $scatter^ `:` type($scatter))? attr-dict
    `:` type($tile) `,` type($buffer)
  }];
  let hasVerifier = 1;
}

def Grid_FillOp : Grid_Op<"fill", [Pure]> {
  let summary = "a tile of zeros or of minus infinity";
  let arguments = (ins Grid_Fill:$value);
  let results = (outs Grid_Tile:$tile);
  let assemblyFormat = "$value attr-dict `:` type($tile)";
}

def Grid_CopyOp : Grid_Op<"copy", [Pure, AllTypesMatch<["x", "y"]>]> {
  let summary = "the same tile in a place of its own";
  let arguments = (ins Grid_Tile:$x);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def Grid_MatmulOp : Grid_Op<"matmul", [Pure,
    TypesMatchWith<"sum and accumulator have one type", "acc", "sum", "$_self">]> {
  let summary = "sum = acc + a b^T";
  let description = [{
    a is M x K, b is N x K. The sum lies in accumulator banks. An accumulator
    that is a constant zero costs nothing.
  }];
  let arguments = (ins Grid_Tile:$a, Grid_Tile:$b, Grid_Tile:$acc);
  let results = (outs Grid_Tile:$sum);
  let assemblyFormat = [{
    $a `,` $b `,` $acc attr-dict `:` type($a) `,` type($b) `->` type($acc)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Element-wise work that arith and math lack
//===----------------------------------------------------------------------===//

def Grid_ApplyOp : Grid_Op<"apply", [Pure,
    AllTypesMatch<["x", "y"]>]> {
  let summary = "a function of each element, as the SIMD engine defines it";
  let arguments = (ins Grid_Function:$function, Grid_Tile:$x);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = "$function $x attr-dict `:` type($x)";
}

def Grid_RoundOp : Grid_Op<"round", [Pure]> {
  let summary = "fp32 to integers: to nearest, ties to even, saturating";
  let arguments = (ins Grid_Tile:$x);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}

def Grid_BroadcastOp : Grid_Op<"broadcast", [Pure]> {
  let summary = "repeat a column vector (M x 1) or row vector (1 x N)";
  let description = [{
    With `segment`, the operand has an element for each segment of so many
    columns of each row, which is repeated in them (a last segment may be
    shorter).
  }];
  let arguments = (ins Grid_Tile:$vector, OptionalAttr<I64Attr>:$segment);
  let results = (outs Grid_Tile:$tile);
  let assemblyFormat = [{
    $vector (`segment` $segment^)? attr-dict
    `:` type($vector) `->` type($tile)
  }];
  let hasVerifier = 1;
}

def Grid_SwapPairsOp : Grid_Op<"swap_pairs", [Pure,
    AllTypesMatch<["x", "y"]>]> {
  let summary = "exchange columns 2n and 2n+1";
  let arguments = (ins Grid_Tile:$x);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Grid_WindowOp : Grid_Op<"window", [Pure,
    TypesMatchWith<"x and y have one type", "x", "y", "$_self">]> {
  let summary = "replace what lies outside of each row's column window";
  let description = [{
    Keeps element (i, j) if `bounds[i][0] <= base + j < bounds[i][1]`, and puts
    `fill` in its place otherwise. `bounds` is M x 2, int32.
  }];
  let arguments = (ins Grid_Tile:$x, Grid_Tile:$bounds, Index:$base,
                       F32Attr:$fill);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = [{
    $x `,` $bounds `from` $base `fill` $fill attr-dict
    `:` type($x) `,` type($bounds)
  }];
  let hasVerifier = 1;
}

def Grid_RowReduceOp : Grid_Op<"row_reduce", [Pure]> {
  let summary = "reduce the columns of each row, or of each segment of it";
  let description = [{
    The result has one column for each `segment` columns of x (a last segment
    may be shorter); without `segment`, one.
  }];
  let arguments = (ins Grid_Reduction:$kind, Grid_Tile:$x,
                       OptionalAttr<I64Attr>:$segment);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = [{
    $kind $x (`segment` $segment^)? attr-dict `:` type($x) `->` type($y)
  }];
  let hasVerifier = 1;
}

def Grid_TransposeOp : Grid_Op<"transpose", [Pure]> {
  let summary = "exchange rows and columns";
  let arguments = (ins Grid_Tile:$x);
  let results = (outs Grid_Tile:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}

def Grid_TopKOp : Grid_Op<"topk", [Pure]> {
  let summary = "the largest values of each row and their columns";
  let description = [{
    Values are in descending order; of equal ones the lowest column is first.
  }];
  let arguments = (ins Grid_Tile:$x);
  let results = (outs Grid_Tile:$values, Grid_Tile:$columns);
  let assemblyFormat = [{
    $x attr-dict `:` type($x) `->` type($values) `,` type($columns)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Steps: what is launched in which order
//===----------------------------------------------------------------------===//

def Grid_StepOp : Grid_Op<"step", [Symbol, SingleBlockImplicitTerminator<"EndOp">,
                                   NoRegionArguments]> {
  let summary = "the launches of one step of a model, in order";
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Grid_TensorOp : Grid_Op<"tensor", [HasParent<"StepOp">]> {
  let summary = "a buffer of a step";
  let description = [{
    `symbols` names what decides each size that is `?`, in order. `role` and
    `content` tell the runtime what to put there (package/Package.h).
  }];
  let arguments = (ins StrAttr:$name, StrAttr:$role,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$symbols,
                       DefaultValuedStrAttr<StrAttr, "">:$content,
                       DefaultValuedAttr<I64Attr, "0">:$index,
                       DefaultValuedAttr<I64Attr, "0">:$block);
  let results = (outs Grid_Buffer:$buffer);
  let assemblyFormat = "$role $name attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

def Grid_ViewOp : Grid_Op<"view", [Pure, HasParent<"StepOp">]> {
  let summary = "the same buffer with other sizes";
  let description = [{
    The elements stay where they are, in the same order; the product of the
    sizes stays the same. `symbols` names the sizes that are `?`.
  }];
  let arguments = (ins Grid_Buffer:$source,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$symbols);
  let results = (outs Grid_Buffer:$buffer);
  let assemblyFormat =
    "$source attr-dict `:` type($source) `->` type($buffer)";
  let hasVerifier = 1;
}

def Grid_LaunchOp : Grid_Op<"launch", [HasParent<"StepOp">]> {
  let summary = "run a program on all PEs";
  let description = [{
    `values` maps names of the model's values to positions of arguments: what
    the launch reads (`operands`) and what it writes (`results`).
  }];
  let arguments = (ins FlatSymbolRefAttr:$program,
                       Variadic<Grid_Buffer>:$arguments, StrAttr:$op,
                       DefaultValuedAttr<DictionaryAttr, "{}">:$reads,
                       DefaultValuedAttr<DictionaryAttr, "{}">:$writes);
  let assemblyFormat = [{
    $program `(` ($arguments^ `:` type($arguments))? `)` `for` $op attr-dict
  }];
}

//===----------------------------------------------------------------------===//
// Selected commands
//===----------------------------------------------------------------------===//

def Grid_SimdOp : Grid_Op<"simd", [Pure, AttrSizedOperandSegments,
                                   AttrSizedResultSegments]> {
  let summary = "one element-wise command";
  let description = [{
    What `grid-select-simd` makes of element-wise operations, in this order:
    swap pairs, multiply by `scale`, `alu1` with y1, window, function, `alu2`
    with y2, store as the type of `out`, reduce to `red` (combined with `run`).
    All of it is in fp32 (`xpe.se` in the instruction set's manual). `segment`
    is that of the reduction and of operands of kind `per_segment`.
  }];
  let arguments = (ins Grid_Tile:$x, Optional<Grid_Tile>:$y1,
                       Optional<Grid_Tile>:$y2, Optional<Grid_Tile>:$bounds,
                       Optional<Index>:$base, Optional<Grid_Tile>:$run,
                       UnitAttr:$swap_pairs, OptionalAttr<F32Attr>:$scale,
                       DefaultValuedAttr<Grid_Operand, "Operand::none">:$y1_kind,
                       DefaultValuedAttr<Grid_Alu, "Alu::add">:$alu1,
                       OptionalAttr<F32Attr>:$y1_value,
                       OptionalAttr<F32Attr>:$fill,
                       DefaultValuedAttr<Grid_Function,
                                         "Function::id">:$function,
                       DefaultValuedAttr<Grid_Operand, "Operand::none">:$y2_kind,
                       DefaultValuedAttr<Grid_Alu, "Alu::add">:$alu2,
                       OptionalAttr<F32Attr>:$y2_value,
                       DefaultValuedAttr<Grid_Reduction,
                                         "Reduction::none">:$reduce,
                       OptionalAttr<I64Attr>:$segment);
  let results = (outs Optional<Grid_Tile>:$out, Optional<Grid_Tile>:$red);
  let assemblyFormat = [{
    $x (`y1` $y1^ `:` type($y1))? (`y2` $y2^ `:` type($y2))?
    (`bounds` $bounds^ `:` type($bounds))? (`base` $base^)?
    (`run` $run^ `:` type($run))? attr-dict `:` type($x)
    (`out` type($out)^)? (`red` type($red)^)?
  }];
  let hasVerifier = 1;
}

#endif // CHIPWRIGHT_DIALECTS_GRID_GRIDOPS_TD
