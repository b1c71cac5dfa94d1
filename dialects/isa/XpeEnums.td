//===- XpeEnums.td - Named codes of Xpe --------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPEENUMS_TD
#define CHIPWRIGHT_DIALECTS_ISA_XPEENUMS_TD

include "XpeBase.td"

def ElementType : XpeEnum<"ElementType", "DTYPE",
    "Type of one element in memory.", [
  XpeCase<"f32", "IEEE binary32">,
  XpeCase<"f16", "IEEE binary16">,
  XpeCase<"bf16", "upper half of binary32">,
  XpeCase<"i8", "two's complement, 8 bits">,
  XpeCase<"i32", "two's complement, 32 bits">,
  XpeCase<"f8e4m3", "OCP 8-bit float, 4 exponent bits">,
  XpeCase<"f8e5m2", "OCP 8-bit float, 5 exponent bits">,
  XpeCase<"tf32", "stored as f32, multiplied with a 10-bit mantissa">,
  XpeCase<"i4", "two's complement, 4 bits, the even element in the low half of "
                "a byte; only as x of `xpe.se`">,
  XpeCase<"f4e2m1", "OCP 4-bit float, packed as i4; only as x of `xpe.se`">,
  XpeCase<"f8e8m0", "OCP power of two; only as operand of `xpe.se` and "
                    "`xpe.drain`">]>;

def FillKind : XpeEnum<"FillKind", "FILL",
    "What a transfer writes beyond the valid part.", [
  XpeCase<"zero", "all bits zero">,
  XpeCase<"neg_inf", "minus infinity of `fill_dtype`">]>;

def McastKind : XpeEnum<"McastKind", "MCAST",
    "Which PEs receive one fetch.", [
  XpeCase<"none", "only this PE">,
  XpeCase<"row", "PEs of this row, chosen by column number">,
  XpeCase<"column", "PEs of this column, chosen by row number">]>;

def ReadPolicy : XpeEnum<"ReadPolicy", "READ",
    "Use of the last-level cache (LLC) by a read.", [
  XpeCase<"allocate", "lines read are kept in the LLC">,
  XpeCase<"stream", "no line is allocated">]>;

def WritePolicy : XpeEnum<"WritePolicy", "WRITE",
    "Use of the last-level cache (LLC) by a write.", [
  XpeCase<"allocate", "lines written stay in the LLC and are written back">,
  XpeCase<"stream", "written around the LLC">,
  XpeCase<"no_writeback", "lines are dropped instead of written back">]>;

def BankInitKind : XpeEnum<"BankInitKind", "BANK_INIT",
    "Source of the first value of an accumulator bank.", [
  XpeCase<"zero", "all elements zero">,
  XpeCase<"tile", "a tile of the bank's shape">,
  XpeCase<"per_col", "one value per column, repeated in every row">]>;

def ReduceDirection : XpeEnum<"ReduceDirection", "REDUCE_DIR",
    "Direction of travel on the reduction network.", [
  XpeCase<"down", "from a PE to the one in the next row">,
  XpeCase<"right", "from a PE to the one in the next column">]>;

def OperandKind : XpeEnum<"OperandKind", "OPERAND",
    "Shape of a second operand of an element-wise command.", [
  XpeCase<"none", "no operand: the operation is skipped">,
  XpeCase<"tile", "one value per element">,
  XpeCase<"per_row", "one value per row">,
  XpeCase<"per_col", "one value per column">,
  XpeCase<"immediate", "one value, from the command">,
  XpeCase<"per_segment", "one value per segment of a row">]>;

def AluOp : XpeEnum<"AluOp", "ALU",
    "Operation on the chain's value v and an operand y.", [
  XpeCase<"add", "v + y">,
  XpeCase<"sub", "v - y">,
  XpeCase<"mul", "v * y">,
  XpeCase<"min", "the smaller of v and y">,
  XpeCase<"max", "the larger of v and y">,
  XpeCase<"rsub", "y - v">]>;

def SeFunction : XpeEnum<"SeFunction", "F",
    "Function of one value.", [
  XpeCase<"id", "v">,
  XpeCase<"exp", "e to the power v">,
  XpeCase<"recip", "1 / v">,
  XpeCase<"rsqrt", "1 / sqrt(v)">,
  XpeCase<"sigmoid", "1 / (1 + exp(-v))">,
  XpeCase<"silu", "v * sigmoid(v)">,
  XpeCase<"tanh", "hyperbolic tangent">,
  XpeCase<"gelu", "Gaussian error linear unit">,
  XpeCase<"log", "natural logarithm">,
  XpeCase<"abs", "magnitude">]>;

def RowReduction : XpeEnum<"RowReduction", "ROW",
    "Reduction over the columns of a row or of a segment of it.", [
  XpeCase<"none", "no reduction">,
  XpeCase<"sum", "sum of v">,
  XpeCase<"max", "largest v">,
  XpeCase<"absmax", "largest magnitude of v">,
  XpeCase<"sumsq", "sum of v * v">]>;

def InfoItem : XpeEnum<"InfoItem", "INFO",
    "Constants of a PE that `xpe.info` reads.", [
  XpeCase<"row", "row of this PE">,
  XpeCase<"col", "column of this PE">,
  XpeCase<"rows", "rows of the grid">,
  XpeCase<"cols", "columns of the grid">,
  XpeCase<"hart", "number of this hart in its PE">,
  XpeCase<"pe", "number of this PE">,
  XpeCase<"ls_bytes", "size of the local memory in bytes">,
  XpeCase<"ls_base", "global address of this PE's local memory">,
  XpeCase<"sem_base", "global address of this PE's semaphore 0">,
  XpeCase<"pe_stride", "bytes between the same location of one PE and of the "
                       "PE with the next number">]>;

def CounterItem : XpeEnum<"CounterItem", "COUNTER",
    "Counters that `xpe.counter` reads.", [
  XpeCase<"cycle", "cycles of the PE's clock">,
  XpeCase<"commands", "commands issued by this hart">,
  XpeCase<"dpe_busy", "busy cycles of the dot-product engine">,
  XpeCase<"re_busy", "busy cycles of the reduction engine">,
  XpeCase<"se_busy", "busy cycles of the SIMD engine">,
  XpeCase<"mlu_busy", "busy cycles of the memory layout unit">,
  XpeCase<"fi_in_busy", "busy cycles of the fabric interface, inwards">,
  XpeCase<"fi_out_busy", "busy cycles of the fabric interface, outwards">]>;

#endif // CHIPWRIGHT_DIALECTS_ISA_XPEENUMS_TD
