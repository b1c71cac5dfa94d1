//===- GridEnums.td - Named choices of grid operations -----*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Cases carry the names and codes of the machine's enumerations (dialects/isa/
// XpeEnums.td), so that lowering is a cast. Change both together.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_GRID_GRIDENUMS_TD
#define CHIPWRIGHT_DIALECTS_GRID_GRIDENUMS_TD

include "GridDialect.td"
include "mlir/IR/EnumAttr.td"

class Grid_Enum<string name, string summary, list<I32EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::chipwright::grid";
}

def Grid_LinesEnum : Grid_Enum<"Lines", "PEs that share out iterations", [
  I32EnumCase<"row", 0>,  // iteration i to the PEs of row i mod rows
  I32EnumCase<"col", 1>,  // iteration i to the PEs of column i mod columns
  I32EnumCase<"all", 2>]>; // iteration i to PE i mod (rows * columns)

def Grid_DimKindEnum : Grid_Enum<"DimKind", "part of a dimension in an operation", [
  I32EnumCase<"parallel", 0>,  // blocks are independent of each other
  I32EnumCase<"reduction", 1>, // blocks in order, tile state is carried
  I32EnumCase<"full", 2>,      // one block
  I32EnumCase<"list", 3>]>;    // entries of a work list, independent as blocks

def Grid_PlaceEnum : Grid_Enum<"PlaceOfDim", "PEs that a dimension's blocks go to", [
  I32EnumCase<"seq", 0>, // a loop of every PE
  I32EnumCase<"row", 1>, I32EnumCase<"col", 2>, I32EnumCase<"all", 3>]>;

def Grid_FillEnum : Grid_Enum<"Fill", "what a load writes beyond the edge", [
  I32EnumCase<"zero", 0>, I32EnumCase<"neg_inf", 1>]>;

def Grid_MulticastEnum : Grid_Enum<"Multicast", "receivers of one fetch", [
  I32EnumCase<"none", 0>, I32EnumCase<"row", 1>, I32EnumCase<"column", 2>]>;

def Grid_CachePolicyEnum : Grid_Enum<"CachePolicy", "use of the LLC", [
  I32EnumCase<"allocate", 0>, I32EnumCase<"stream", 1>,
  I32EnumCase<"no_writeback", 2>]>;

def Grid_ReductionEnum : Grid_Enum<"Reduction", "reduction over columns", [
  I32EnumCase<"none", 0>, I32EnumCase<"sum", 1>, I32EnumCase<"max", 2>,
  I32EnumCase<"absmax", 3>, I32EnumCase<"sumsq", 4>]>;

def Grid_FunctionEnum : Grid_Enum<"Function", "function of one value", [
  I32EnumCase<"id", 0>, I32EnumCase<"exp", 1>, I32EnumCase<"recip", 2>,
  I32EnumCase<"rsqrt", 3>, I32EnumCase<"sigmoid", 4>, I32EnumCase<"silu", 5>,
  I32EnumCase<"tanh", 6>, I32EnumCase<"gelu", 7>, I32EnumCase<"log", 8>,
  I32EnumCase<"abs", 9>]>;

def Grid_AluEnum : Grid_Enum<"Alu", "operation on a chain's value and an operand", [
  I32EnumCase<"add", 0>, I32EnumCase<"sub", 1>, I32EnumCase<"mul", 2>,
  I32EnumCase<"min", 3>, I32EnumCase<"max", 4>, I32EnumCase<"rsub", 5>]>;

def Grid_OperandEnum : Grid_Enum<"Operand", "shape of a chain's second operand", [
  I32EnumCase<"none", 0>, I32EnumCase<"tile", 1>, I32EnumCase<"per_row", 2>,
  I32EnumCase<"per_col", 3>, I32EnumCase<"immediate", 4>,
  I32EnumCase<"per_segment", 5>]>;

def Grid_Lines : EnumAttr<Grid_Dialect, Grid_LinesEnum, "lines">;
def Grid_DimKind : EnumAttr<Grid_Dialect, Grid_DimKindEnum, "dim_kind">;
def Grid_PlaceOfDim : EnumAttr<Grid_Dialect, Grid_PlaceEnum, "place">;
def Grid_Fill : EnumAttr<Grid_Dialect, Grid_FillEnum, "fill">;
def Grid_Multicast : EnumAttr<Grid_Dialect, Grid_MulticastEnum, "multicast">;
def Grid_CachePolicy : EnumAttr<Grid_Dialect, Grid_CachePolicyEnum, "cache_policy">;
def Grid_Reduction : EnumAttr<Grid_Dialect, Grid_ReductionEnum, "reduction">;
def Grid_Function : EnumAttr<Grid_Dialect, Grid_FunctionEnum, "function">;
def Grid_Alu : EnumAttr<Grid_Dialect, Grid_AluEnum, "alu">;
def Grid_Operand : EnumAttr<Grid_Dialect, Grid_OperandEnum, "operand">;

#endif // CHIPWRIGHT_DIALECTS_GRID_GRIDENUMS_TD
