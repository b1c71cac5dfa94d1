//===- Footprint.cpp ------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/mutation/Footprint.h"

#include <algorithm>
#include <string>
#include <string_view>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using isa::OperandKind;

namespace {

uint64_t span(uint64_t rows, uint64_t pitch, uint64_t rowBytes) {
  return rows == 0 ? 0 : (rows - 1) * pitch + rowBytes;
}

uint64_t width(uint32_t dtype) { return dtypeBytes(static_cast<DType>(dtype)); }

/// Collects the places of one command.
struct Builder {
  const IssuedCommand &command;
  Footprint result;

  void read(uint32_t cb, uint64_t offset, uint64_t bytes) {
    if (cb < command.pointers.size() && bytes != 0) {
      result.reads.push_back({cb, command.pointers[cb].reader + offset, bytes});
    }
  }
  void write(uint32_t cb, uint64_t offset, uint64_t bytes) {
    if (cb < command.pointers.size() && bytes != 0) {
      result.writes.push_back(
          {cb, command.pointers[cb].writer + offset, bytes});
    }
  }
  void bank(unsigned number, bool reads, bool writes, unsigned rows,
            unsigned cols) {
    result.bank = int(number);
    result.readsBank = reads;
    result.writesBank = writes;
    result.bankRows = rows;
    result.bankCols = cols;
  }
  template <typename Dma> void memory(const Dma &dma, bool writes) {
    auto &list = writes ? result.memoryWrites : result.memoryReads;
    for (uint64_t row = 0; row < dma.validRows && dma.validBytes; ++row) {
      list.push_back({dma.addr + uint64_t(dma.pitch) * row, dma.validBytes});
    }
  }
};

void chain(Builder &b, const isa::SeCommand &se, bool drain) {
  uint64_t segments = se.segment ? (se.cols + se.segment - 1) / se.segment : 1;
  if (drain) {
    b.bank(se.cb, true, false, se.rows, se.cols);
  } else {
    b.read(se.cb, se.offset,
           span(se.rows, se.pitch,
                dtypeBytes(static_cast<DType>(se.dtype), se.cols)));
  }
  auto operand = [&](uint32_t kind, uint32_t cb, uint32_t offset,
                     uint32_t pitch, uint32_t dtype) {
    if (OperandKind(kind) == OperandKind::Tile) {
      b.read(cb, offset, span(se.rows, pitch, se.cols * width(dtype)));
    } else if (OperandKind(kind) == OperandKind::PerSegment) {
      b.read(cb, offset, span(se.rows, pitch, segments * width(dtype)));
    } else if (OperandKind(kind) == OperandKind::PerRow) {
      b.read(cb, offset, span(se.rows, pitch, width(dtype)));
    } else if (OperandKind(kind) == OperandKind::PerCol) {
      b.read(cb, offset, se.cols * width(dtype));
    }
  };
  operand(se.y1Kind, se.y1Cb, se.y1Offset, se.y1Pitch, se.y1Dtype);
  operand(se.y2Kind, se.y2Cb, se.y2Offset, se.y2Pitch, se.y2Dtype);
  if (se.window) {
    b.read(se.winCb, se.winOffset, se.rows * 8);
  }
  uint64_t red = span(se.rows, se.redPitch, segments * width(se.redDtype));
  if (se.reduce && se.running) {
    b.read(se.runCb, se.runOffset,
           span(se.rows, se.runPitch, segments * width(se.redDtype)));
  }
  if (se.store) {
    b.write(se.outCb, se.outOffset,
            span(se.rows, se.outPitch, se.cols * width(se.outDtype)));
  }
  if (se.reduce) {
    b.write(se.redCb, se.redOffset, red);
  }
}

template <typename T> bool decodeAs(const IssuedCommand &c, T &out) {
  std::string why;
  return T::decode(c.fields.data(), c.word, out, why);
}

bool decodeChain(const IssuedCommand &c, isa::SeCommand &se) {
  std::string why;
  return c.opcode == Opcode::Drain
             ? isa::SeCommand::decodeDrain(c.fields.data(), c.word, se, why)
             : isa::SeCommand::decode(c.fields.data(), c.word, se, why);
}

} // namespace

Footprint test::footprintOf(const IssuedCommand &c, const ChipSpec &spec) {
  Builder b{c, {}};
  switch (c.opcode) {
  case Opcode::DmaIn: {
    isa::DmaInCommand dma;
    if (!(b.result.legal = decodeAs(c, dma))) {
      break;
    }
    uint64_t pitch = dma.localPitch ? dma.localPitch : dma.rowBytes;
    b.memory(dma, false);
    b.write(dma.cb, 0, dma.rows * pitch);
    b.result.moves.push_back({dma.cb, true, dma.rows * pitch});
    break;
  }
  case Opcode::DmaOut: {
    isa::DmaOutCommand dma;
    if (!(b.result.legal = decodeAs(c, dma))) {
      break;
    }
    uint64_t pitch = dma.localPitch ? dma.localPitch : dma.rowBytes;
    b.memory(dma, true);
    b.read(dma.cb, 0, dma.rows * pitch);
    b.result.moves.push_back({dma.cb, false, dma.rows * pitch});
    break;
  }
  case Opcode::Mml: {
    isa::MmlCommand mml;
    if (!(b.result.legal = decodeAs(c, mml)) || mml.passes == 0) {
      break;
    }
    uint64_t more = mml.passes - 1;
    b.read(mml.aCb, mml.aOffset,
           span(mml.aRows, mml.aPitch, spec.dpe.kBytes) + more * mml.aStep);
    b.read(mml.bCb, mml.bOffset,
           span(mml.bRows, mml.bPitch, spec.dpe.kBytes) + more * mml.bStep);
    b.bank(mml.bank, mml.accumulate, true, mml.aRows, mml.bRows);
    break;
  }
  case Opcode::BankInit: {
    isa::BankInitCommand init;
    if (!(b.result.legal = decodeAs(c, init))) {
      break;
    }
    if (init.kind != 0) {
      b.read(init.cb, init.offset,
             init.kind == 1
                 ? span(init.rows, init.pitch, init.cols * width(init.dtype))
                 : init.cols * width(init.dtype));
    }
    b.bank(init.bank, false, true, init.rows, init.cols);
    break;
  }
  case Opcode::Drain:
  case Opcode::Se: {
    isa::SeCommand se;
    if ((b.result.legal = decodeChain(c, se))) {
      chain(b, se, c.opcode == Opcode::Drain);
    }
    break;
  }
  case Opcode::MluCopy:
  case Opcode::MluTranspose: {
    isa::MluCommand mlu;
    if (!(b.result.legal = decodeAs(c, mlu))) {
      break;
    }
    bool turn = c.opcode == Opcode::MluTranspose;
    uint64_t rows = turn ? mlu.cols : mlu.rows;
    uint64_t cols = turn ? mlu.rows : mlu.cols;
    b.read(mlu.cb, mlu.offset,
           span(mlu.rows, mlu.pitch, mlu.cols * mlu.elemBytes));
    b.write(mlu.outCb, mlu.outOffset,
            span(rows, mlu.outPitch, cols * mlu.elemBytes));
    break;
  }
  default:
    b.result.legal = false; // no shipped kernel issues it
    break;
  }
  return b.result;
}

//===----------------------------------------------------------------------===//
// Dead slices
//===----------------------------------------------------------------------===//

static bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

static const char *deadInDma(const IssuedCommand &c, std::string_view name) {
  // Both DMA directions share the slices that matter here.
  isa::DmaInCommand dma;
  if (c.opcode == Opcode::DmaOut) {
    isa::DmaOutCommand out;
    if (!decodeAs(c, out)) {
      return nullptr;
    }
    dma.addr = out.addr;
    dma.rows = out.rows;
    dma.validRows = out.validRows;
    dma.validBytes = out.validBytes;
    dma.rowBytes = out.rowBytes;
    dma.indexed = out.indexed;
    dma.localPitch = out.localPitch;
  } else if (!decodeAs(c, dma)) {
    return nullptr;
  }
  bool moves = dma.validRows != 0 && dma.validBytes != 0;
  bool fills = dma.validRows < dma.rows || dma.validBytes < dma.rowBytes;
  if (begins(name, "index_") && !dma.indexed) {
    return "no index list";
  }
  if (name == "mcast_mask" && dma.mcast == 0) {
    return "no multicast";
  }
  if ((name == "fill" || name == "fill_dtype") && !fills) {
    return "nothing is filled";
  }
  if (name == "fill_dtype" && dma.fill == 0) {
    return "zero in every type";
  }
  if (name == "pitch" && (!moves || dma.validRows <= 1)) {
    return "one row has no pitch";
  }
  if (name == "row_bytes" && c.opcode == Opcode::DmaOut &&
      dma.localPitch != 0) {
    return "valid bytes move and local_pitch is popped";
  }
  if (name == "addr" && !moves) {
    return "nothing is transferred";
  }
  bool sram = (c.fields[0] + c.word) >> 44 == 2;
  if (name == "policy" && (sram || !moves)) {
    return "the policy is for the cache in front of DRAM";
  }
  return nullptr;
}

static const char *deadInChain(const IssuedCommand &c, std::string_view name) {
  isa::SeCommand se;
  if (!decodeChain(c, se)) {
    return nullptr;
  }
  auto operand = [&](std::string_view prefix, std::string_view op,
                     std::string_view imm, uint32_t kind) -> const char * {
    bool inCb = OperandKind(kind) != OperandKind::None &&
                OperandKind(kind) != OperandKind::Immediate;
    if (name == op && kind == 0) {
      return "no operand of the operation";
    }
    if (name == imm && OperandKind(kind) != OperandKind::Immediate) {
      return "no immediate operand";
    }
    if (begins(name, prefix) && name != imm &&
        name.substr(prefix.size()) != "kind" && !inCb) {
      return "operand not in a CB";
    }
    if (begins(name, prefix) && name.substr(prefix.size()) == "pitch" &&
        (OperandKind(kind) == OperandKind::PerCol || se.rows == 1)) {
      return "one row has no pitch";
    }
    return nullptr;
  };
  if (const char *why = operand("y1_", "op1", "y1_imm", se.y1Kind)) {
    return why;
  }
  if (const char *why = operand("y2_", "op2", "y2_imm", se.y2Kind)) {
    return why;
  }
  // Lanes 2n and 2n+1 of a reduction are exchanged as a whole, and their
  // results meet in one commutative operation.
  auto alikeInPairs = [](uint32_t kind) {
    return OperandKind(kind) != OperandKind::Tile &&
           OperandKind(kind) != OperandKind::PerCol;
  };
  if (name == "swap_pairs" && !se.store && !se.window && se.segment % 2 == 0 &&
      se.cols % 2 == 0 && alikeInPairs(se.y1Kind) && alikeInPairs(se.y2Kind)) {
    return "a reduction does not see the order inside pairs";
  }
  bool drain = c.opcode == Opcode::Drain;
  if (drain && (name == "offset" || name == "pitch")) {
    return "a bank has neither offset nor pitch";
  }
  if (begins(name, "out_") && !se.store) {
    return "nothing is stored";
  }
  const bool hasSegments = OperandKind(se.y1Kind) == OperandKind::PerSegment ||
                           OperandKind(se.y2Kind) == OperandKind::PerSegment;
  if ((begins(name, "red_") || (name == "segment" && !hasSegments) ||
       name == "running") &&
      !se.reduce) {
    return "nothing is reduced";
  }
  if (begins(name, "run_") && !(se.reduce && se.running)) {
    return "no running reduction";
  }
  if ((begins(name, "win_") || name == "fill_imm") && !se.window) {
    return "no window";
  }
  if (name == "scale_imm" && !se.scale) {
    return "no scale";
  }
  if (se.rows == 1 && (name == "pitch" || name == "out_pitch" ||
                       name == "red_pitch" || name == "run_pitch")) {
    return "one row has no pitch";
  }
  return nullptr;
}

const char *test::whyDead(const IssuedCommand &c, const char *slice) {
  std::string_view name = slice;
  switch (c.opcode) {
  case Opcode::DmaIn:
  case Opcode::DmaOut:
    return deadInDma(c, name);
  case Opcode::Drain:
  case Opcode::Se:
    return deadInChain(c, name);
  case Opcode::Mml: {
    isa::MmlCommand mml;
    if (!decodeAs(c, mml)) {
      return nullptr;
    }
    if ((name == "a_step" || name == "b_step") && mml.passes <= 1) {
      return "one pass has no step";
    }
    if ((name == "a_pitch" && mml.aRows == 1) ||
        (name == "b_pitch" && mml.bRows == 1)) {
      return "one row has no pitch";
    }
    return nullptr;
  }
  case Opcode::MluCopy:
  case Opcode::MluTranspose: {
    isa::MluCommand mlu;
    if (!decodeAs(c, mlu)) {
      return nullptr;
    }
    bool turn = c.opcode == Opcode::MluTranspose;
    if ((name == "pitch" && mlu.rows == 1) ||
        (name == "out_pitch" && (turn ? mlu.cols : mlu.rows) == 1)) {
      return "one row has no pitch";
    }
    return nullptr;
  }
  default:
    return nullptr;
  }
}
