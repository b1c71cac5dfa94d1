//===- XpeCommands.td - Commands of Xpe --------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Commands to the engines. Offsets of inputs count from the logical read
// pointer of their CB, offsets of outputs from the logical write pointer;
// offsets and pitches are in bytes.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPECOMMANDS_TD
#define CHIPWRIGHT_DIALECTS_ISA_XPECOMMANDS_TD

include "XpeBase.td"
include "XpeEnums.td"

//===----------------------------------------------------------------------===//
// Fields that several commands have
//===----------------------------------------------------------------------===//

class CbSlice<string prefix> : XpeSlice<prefix # "cb", 7, 0, "CB number">;
class OffsetSlice<string prefix>
    : XpeSlice<prefix # "offset", 31, 8, "bytes from the CB's pointer">;
class PitchSlice<string prefix>
    : XpeSlice<prefix # "pitch", 55, 32, "bytes between rows">;
class DtypeSlice<string prefix>
    : XpeEnumSlice<prefix # "dtype", 59, 56, ElementType, "element type">;
class RowsSlice : XpeSlice<"rows", 15, 0, "rows of the tile">;
class ColsSlice : XpeSlice<"cols", 31, 16, "columns of the tile">;
class BankSlice : XpeSlice<"bank", 7, 0, "accumulator bank">;

class PlaceField<int index, string name, string prefix, string doc>
    : XpeField<index, name, doc,
               [CbSlice<prefix>, OffsetSlice<prefix>, PitchSlice<prefix>]>;
class TileField<int index, string name, string prefix, string doc>
    : XpeField<index, name, doc,
               [CbSlice<prefix>, OffsetSlice<prefix>, PitchSlice<prefix>,
                DtypeSlice<prefix>]>;

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

class DmaAddr
    : XpeField<0, "addr", "place in memory",
               [XpeSlice<"addr", 63, 0, "global address of the first row">]>;
class DmaShape
    : XpeField<1, "shape", "size of the block in the CB",
               [XpeSlice<"rows", 15, 0, "rows of the block">,
                XpeSlice<"row_bytes", 39, 16, "bytes of one row">]>;
class DmaPitch
    : XpeField<2, "pitch", "distance in memory",
               [XpeSignedSlice<"pitch", 39, 0,
                               "bytes between rows in memory">]>;
class DmaLocal<string name>
    : XpeField<3, name, "place in local memory",
               [CbSlice<"">,
                XpeSlice<"local_pitch", 31, 8,
                         "bytes between rows in the CB; 0 = `row_bytes`">]>;
class DmaValid<string doc>
    : XpeField<4, "valid", doc,
               [XpeSlice<"valid_rows", 15, 0, "leading rows in memory">,
                XpeSlice<"valid_bytes", 39, 16,
                         "leading bytes of each row in memory">]>;
class DmaIndexed
    : XpeSlice<"indexed", 12, 12, "1: row numbers come from the index CB">;
class DmaIndex
    : XpeField<7, "index", "row numbers of an indexed transfer, int32 each: "
               "row i is at `addr + index[i] * pitch`",
               [XpeSlice<"index_cb", 7, 0, "CB of the row numbers">,
                XpeSlice<"index_offset", 31, 8,
                         "bytes from the CB's read pointer">]>;
defvar dmaWord = [XpeTerm<"addr", 63, 0>];

def Xpe_DmaInOp
    : XpeCommand<"xpe.dma.in", 0x01, FiIn, XpeLayout<"dma_in", [
      DmaAddr<>, DmaShape<>, DmaPitch<>, DmaLocal<"dst">,
      DmaValid<"part that is read; the rest of the block is filled">,
      XpeField<5, "mode", "fill, multicast and cache use", [
        XpeEnumSlice<"fill", 1, 0, FillKind, "value of the filled part">,
        XpeEnumSlice<"fill_dtype", 7, 4, ElementType, "type of the fill">,
        XpeEnumSlice<"mcast", 9, 8, McastKind, "receivers of the data">,
        DmaIndexed<>,
        XpeEnumSlice<"policy", 14, 13, ReadPolicy, "use of the LLC">]>,
      XpeField<6, "mask", "members of the multicast",
               [XpeSlice<"mcast_mask", 63, 0,
                         "bit n: column n (row multicast) or row n (column "
                         "multicast) takes part">]>,
      DmaIndex<>]>, dmaWord> {
  let xpeSummary = "read memory into a CB";
  let xpeDescription = [{
    Reads `valid_rows` rows of `valid_bytes` bytes and writes a block of `rows`
    rows to the CB; what the valid part does not cover is filled. The CB's
    write pointer advances by `rows * local_pitch` on completion. `valid_rows`
    and `valid_bytes` are counts: 0 means that nothing is read.

    With multicast every member issues the same command in one common order;
    the fetch starts when all of them have room.
  }];
}

def Xpe_DmaOutOp
    : XpeCommand<"xpe.dma.out", 0x02, FiOut, XpeLayout<"dma_out", [
      DmaAddr<>, DmaShape<>, DmaPitch<>, DmaLocal<"src">,
      DmaValid<"part that is written; the rest of the block is dropped">,
      XpeField<5, "mode", "cache use", [
        DmaIndexed<>,
        XpeEnumSlice<"policy", 14, 13, WritePolicy, "use of the LLC">]>,
      DmaIndex<>]>, dmaWord> {
  let xpeSummary = "write a CB to memory";
  let xpeDescription = [{
    Writes the valid part of a block of the CB to memory. The CB's read
    pointer advances by `rows * local_pitch` on completion, that is, when the
    destination has acknowledged the writes.
  }];
}

def Xpe_DmaPrefetchOp
    : XpeCommand<"xpe.dma.prefetch", 0x03, FiIn,
                 XpeLayout<"dma_prefetch",
                           [DmaAddr<>, DmaShape<>, DmaPitch<>]>, dmaWord> {
  let xpeSummary = "bring memory into the LLC";
  let xpeDescription = [{
    Reads the rows from memory into the last-level cache and touches no CB.
  }];
}

//===----------------------------------------------------------------------===//
// Matrix products and accumulator banks
//===----------------------------------------------------------------------===//

def Xpe_MmlOp : XpeCommand<"xpe.mml", 0x10, Dpe, XpeLayout<"mml", [
      PlaceField<0, "a", "a_", "streamed operand A">,
      PlaceField<1, "b", "b_", "cached operand B">,
      XpeField<2, "shape", "rows, passes and types", [
        XpeSlice<"a_rows", 15, 0, "rows of A">,
        XpeSlice<"b_rows", 31, 16, "rows of B, columns of the bank">,
        XpeSlice<"passes", 39, 32, "repetitions over K">,
        XpeEnumSlice<"a_dtype", 43, 40, ElementType, "element type of A">,
        XpeEnumSlice<"b_dtype", 47, 44, ElementType, "element type of B">,
        XpeSlice<"b_kn", 48, 48, "1: B is stored K x N instead of N x K">]>,
      XpeField<3, "acc", "accumulator", [
        BankSlice<>,
        XpeSlice<"accumulate", 8, 8, "1: add to the bank, 0: overwrite it">]>,
      XpeField<4, "step", "advance from pass to pass", [
        XpeSlice<"a_step", 31, 0, "bytes per pass in A">,
        XpeSlice<"b_step", 63, 32, "bytes per pass in B">]>,
      XpeField<5, "scale", "reserved for an operand of block scales", []>,
      XpeField<6, "sparse", "reserved for a sparsity index operand", []>]>,
    [XpeTerm<"a_offset", 23, 0>, XpeTerm<"b_offset", 47, 24>,
     XpeTerm<"bank", 55, 48>, XpeTerm<"accumulate", 56, 56>]> {
  let xpeSummary = "matrix multiply";
  let xpeDescription = [{
    `bank[i][j] (+)= sum over k of A[i][k] * B[j][k]`, with the sum taken in
    order of k over all passes. A is streamed, B is held in the operand cache.
  }];
}

def Xpe_BankInitOp
    : XpeCommand<"xpe.bank.init", 0x11, Re, XpeLayout<"bank_init", [
      XpeField<0, "src", "first value", [
        CbSlice<"">, OffsetSlice<"">, PitchSlice<"">, DtypeSlice<"">,
        XpeEnumSlice<"kind", 61, 60, BankInitKind, "source of the value">]>,
      XpeField<1, "shape", "size", [RowsSlice<>, ColsSlice<>]>,
      XpeField<2, "acc", "accumulator", [BankSlice<>]>]>,
    [XpeTerm<"offset", 23, 0>, XpeTerm<"bank", 55, 48>]> {
  let xpeSummary = "set an accumulator bank";
  let xpeDescription = [{
    Sets `rows` x `cols` elements of the bank to zero or to values of a CB.
  }];
}

def Xpe_ReduceOp : XpeCommand<"xpe.reduce", 0x12, Re, XpeLayout<"reduce", [
      XpeField<1, "shape", "size", [RowsSlice<>, ColsSlice<>]>,
      XpeField<2, "acc", "accumulator", [BankSlice<>]>,
      XpeField<3, "mode", "part in the reduction", [
        XpeEnumSlice<"direction", 0, 0, ReduceDirection, "way of travel">,
        XpeSlice<"receive", 1, 1, "1: add what the previous PE sends">,
        XpeSlice<"forward", 2, 2, "1: send the result to the next PE">]>]>,
    [XpeTerm<"bank", 55, 48>]> {
  let xpeSummary = "add a bank across PEs";
  let xpeDescription = [{
    Receives a tile from the previous PE of the chain, adds it to the bank and
    forwards the sum to the next PE, as far as `receive` and `forward` ask.
  }];
}

//===----------------------------------------------------------------------===//
// Element-wise work
//===----------------------------------------------------------------------===//

def SeLayout : XpeLayout<"se", [
  TileField<0, "x", "", "first operand; for `xpe.drain` the slice `cb` is the "
                        "accumulator bank and `dtype` is f32 or i32">,
  XpeField<1, "shape", "size", [
    RowsSlice<>, ColsSlice<>,
    XpeSlice<"swap_pairs", 32, 32, "1: exchange columns 2n and 2n+1 of x">,
    XpeSlice<"segment", 63, 48,
             "columns per segment, of the reduction and of operands of the "
             "kind per_segment; 0 = the whole row">]>,
  TileField<2, "y1", "y1_", "operand of the first operation">,
  TileField<3, "y2", "y2_", "operand of the second operation">,
  XpeField<4, "ops", "the chain", [
    XpeEnumSlice<"y1_kind", 3, 0, OperandKind, "shape of y1">,
    XpeEnumSlice<"op1", 7, 4, AluOp, "first operation">,
    XpeEnumSlice<"f", 15, 8, SeFunction, "function">,
    XpeEnumSlice<"y2_kind", 19, 16, OperandKind, "shape of y2">,
    XpeEnumSlice<"op2", 23, 20, AluOp, "second operation">,
    XpeEnumSlice<"reduce", 27, 24, RowReduction, "row reduction">,
    XpeSlice<"running", 28, 28, "1: combine with the previous values">,
    XpeSlice<"window", 29, 29, "1: apply the column window">,
    XpeSlice<"store", 30, 30, "1: store the tile">,
    XpeSlice<"scale", 31, 31, "1: multiply x by `scale_imm`">]>,
  XpeField<5, "imm", "immediates of the chain, fp32 bits", [
    XpeFloatSlice<"scale_imm", 31, 0, "factor of x">,
    XpeFloatSlice<"fill_imm", 63, 32, "value outside of the window">]>,
  XpeField<6, "yimm", "immediate operands, fp32 bits", [
    XpeFloatSlice<"y1_imm", 31, 0, "y1 where `y1_kind` is immediate">,
    XpeFloatSlice<"y2_imm", 63, 32, "y2 where `y2_kind` is immediate">]>,
  TileField<7, "out", "out_", "stored tile">,
  TileField<8, "red", "red_",
            "results of the reduction: `red_pitch` bytes between rows, "
            "segments of a row adjacent">,
  XpeField<9, "win", "window: two int32 {lo, hi} per row", [
    XpeSlice<"win_cb", 7, 0, "CB number">,
    XpeSlice<"win_offset", 31, 8, "bytes from the CB's pointer">,
    XpeSlice<"win_base", 63, 32, "index of the command's column 0">]>,
  PlaceField<10, "run", "run_",
             "previous values of a running reduction, of type `red_dtype`">]>;

def Xpe_DrainOp : XpeCommand<"xpe.drain", 0x20, Re, SeLayout,
    [XpeTerm<"cb", 7, 0>, XpeTerm<"y1_offset", 41, 21>,
     XpeTerm<"out_offset", 62, 42>]> {
  let xpeDecodeSuffix = "Drain";
  let xpeSummary = "element-wise chain on an accumulator bank";
  let xpeDescription = [{
    As `xpe.se`, with x taken from the accumulator bank that slice `cb` names.
  }];
}

def Xpe_SeOp : XpeCommand<"xpe.se", 0x21, Se, SeLayout,
    [XpeTerm<"offset", 20, 0>, XpeTerm<"y1_offset", 41, 21>,
     XpeTerm<"out_offset", 62, 42>]> {
  let xpeSummary = "element-wise chain on a tile";
  let xpeDescription = [{
    For each element, in fp32:

    1. `v = x`, from the neighbour of the pair if `swap_pairs`
    2. `v = v * scale_imm` if `scale`
    3. `v = v op1 y1` unless `y1_kind` is none
    4. `v = fill_imm` if `window` and `win_base + column` is outside of the
       row's `[lo, hi)`
    5. `v = f(v)`
    6. `v = v op2 y2` unless `y2_kind` is none
    7. `out = v`, rounded once to `out_dtype`, if `store`
    8. the unrounded v takes part in the row reduction unless `reduce` is none
  }];
}

def Xpe_RowTopkOp
    : XpeCommand<"xpe.row_topk", 0x22, Se, XpeLayout<"row_topk", [
      TileField<0, "x", "", "values">,
      XpeField<1, "shape", "size", [
        RowsSlice<>, ColsSlice<>,
        XpeSlice<"k", 39, 32, "values to find in each row">]>,
      TileField<2, "out", "out_", "k values per row, descending">,
      PlaceField<3, "idx", "idx_", "their column numbers, int32">]>,
    [XpeTerm<"offset", 20, 0>, XpeTerm<"out_offset", 62, 42>]> {
  let xpeSummary = "largest values of each row";
  let xpeDescription = [{
    Of equal values the one with the lowest column number comes first.
  }];
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

def MluLayout : XpeLayout<"mlu", [
  PlaceField<0, "src", "", "source">,
  XpeField<1, "shape", "size of the source", [
    RowsSlice<>, ColsSlice<>,
    XpeSlice<"elem_bytes", 39, 32, "bytes of an element">]>,
  PlaceField<2, "dst", "out_", "destination">]>;
defvar mluWord = [XpeTerm<"offset", 20, 0>, XpeTerm<"out_offset", 62, 42>];

def Xpe_MluTransposeOp
    : XpeCommand<"xpe.mlu.transpose", 0x30, Mlu, MluLayout, mluWord> {
  let xpeSummary = "transpose a tile";
  let xpeDescription = [{
    Element (i, j) of the source becomes element (j, i) of the destination.
  }];
}

def Xpe_MluCopyOp : XpeCommand<"xpe.mlu.copy", 0x31, Mlu, MluLayout, mluWord> {
  let xpeSummary = "copy a tile";
  let xpeDescription = [{
    Copies `rows` x `cols` elements from one pitch to another.
  }];
}

#endif // CHIPWRIGHT_DIALECTS_ISA_XPECOMMANDS_TD
