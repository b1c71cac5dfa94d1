//===- Decoder.cpp - RISC-V instruction decoder ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Instruction.h"

#include <array>

namespace chipwright::sim {

namespace {

struct OpInfo {
  const char *name;
  OpFormat format;
  uint32_t match, mask;
};

constexpr OpInfo opTable[] = {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK)                           \
  {MNEMONIC, OpFormat::FORMAT, MATCH, MASK},
#include "sim/hart/Ops.def"
    {"custom", OpFormat::Custom, 0, 0},
    {"illegal", OpFormat::None, 0, 0},
    {"end-of-image", OpFormat::None, 0, 0},
};
static_assert(std::size(opTable) == numOps);

/// Candidates by bits 6:2, so that one word is matched against a few entries.
using Buckets = std::array<std::vector<Op>, 32>;

const Buckets &opBuckets() {
  static const Buckets buckets = [] {
    Buckets result;
    for (unsigned i = 0; i < unsigned(Op::Custom); ++i) {
      result[opTable[i].match >> 2 & 31].push_back(Op(i));
    }
    return result;
  }();
  return buckets;
}

constexpr int32_t signExtend(uint32_t value, unsigned bits) {
  return int32_t(value << (32 - bits)) >> (32 - bits);
}

constexpr uint32_t bitsOf(uint32_t word, unsigned high, unsigned low) {
  return word >> low & ((1u << (high - low + 1)) - 1);
}

int32_t immI(uint32_t w) { return int32_t(w) >> 20; }
int32_t immS(uint32_t w) {
  return (int32_t(w) >> 25) * 32 + int32_t(bitsOf(w, 11, 7));
}
int32_t immB(uint32_t w) {
  return signExtend(bitsOf(w, 31, 31) << 12 | bitsOf(w, 7, 7) << 11 |
                        bitsOf(w, 30, 25) << 5 | bitsOf(w, 11, 8) << 1,
                    13);
}
int32_t immJ(uint32_t w) {
  return signExtend(bitsOf(w, 31, 31) << 20 | bitsOf(w, 19, 12) << 12 |
                        bitsOf(w, 20, 20) << 11 | bitsOf(w, 30, 21) << 1,
                    21);
}

bool isCustomOpcode(uint32_t word) {
  uint32_t opcode = word & 0x7f;
  return opcode == 0x0b || opcode == 0x2b || opcode == 0x5b || opcode == 0x7b;
}

uint8_t destination(uint32_t reg) {
  return reg ? uint8_t(reg) : discardRegister;
}

/// Fills the operand fields of \p d from \p w as \p format says.
void fillOperands(DecodedOp &d, OpFormat format, uint32_t w) {
  uint32_t rd = bitsOf(w, 11, 7), rs1 = bitsOf(w, 19, 15),
           rs2 = bitsOf(w, 24, 20), rs3 = bitsOf(w, 31, 27);
  auto fp = [](uint32_t reg) { return uint8_t(reg + firstFpRegister); };
  d.rm = uint8_t(bitsOf(w, 14, 12));
  switch (format) {
  case OpFormat::R:
  case OpFormat::Amo:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1), d.rs2 = uint8_t(rs2);
    break;
  case OpFormat::Lr:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1);
    break;
  case OpFormat::I:
  case OpFormat::Load:
  case OpFormat::Jalr:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1), d.imm = immI(w);
    break;
  case OpFormat::Shift6:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1);
    d.imm = int32_t(bitsOf(w, 25, 20));
    break;
  case OpFormat::Shift5:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1), d.imm = int32_t(rs2);
    break;
  case OpFormat::U:
    d.rd = destination(rd), d.imm = int32_t(w & 0xfffff000);
    break;
  case OpFormat::J:
    d.rd = destination(rd), d.imm = immJ(w);
    break;
  case OpFormat::B:
    d.rs1 = uint8_t(rs1), d.rs2 = uint8_t(rs2), d.imm = immB(w);
    break;
  case OpFormat::Store:
    d.rs1 = uint8_t(rs1), d.rs2 = uint8_t(rs2), d.imm = immS(w);
    break;
  case OpFormat::FLoad:
    d.rd = fp(rd), d.rs1 = uint8_t(rs1), d.imm = immI(w);
    break;
  case OpFormat::FStore:
    d.rs1 = uint8_t(rs1), d.rs2 = fp(rs2), d.imm = immS(w);
    break;
  case OpFormat::Csr:
    d.rd = destination(rd), d.rs1 = uint8_t(rs1);
    d.imm = int32_t(w >> 20);
    break;
  case OpFormat::CsrI:
    d.rd = destination(rd), d.rm = uint8_t(rs1), d.imm = int32_t(w >> 20);
    break;
  case OpFormat::FR4:
    d.rd = fp(rd), d.rs1 = fp(rs1), d.rs2 = fp(rs2), d.rs3 = fp(rs3);
    break;
  case OpFormat::FR:
  case OpFormat::FRFixed:
    d.rd = fp(rd), d.rs1 = fp(rs1), d.rs2 = fp(rs2);
    break;
  case OpFormat::FF:
    d.rd = fp(rd), d.rs1 = fp(rs1);
    break;
  case OpFormat::XF:
  case OpFormat::XFFixed:
    d.rd = destination(rd), d.rs1 = fp(rs1);
    break;
  case OpFormat::FX:
  case OpFormat::FXFixed:
    d.rd = fp(rd), d.rs1 = uint8_t(rs1);
    break;
  case OpFormat::FCompare:
    d.rd = destination(rd), d.rs1 = fp(rs1), d.rs2 = fp(rs2);
    break;
  case OpFormat::Fence:
  case OpFormat::None:
  case OpFormat::Custom:
    break;
  }
}

bool hasRoundingMode(OpFormat format) {
  return format == OpFormat::FR4 || format == OpFormat::FR ||
         format == OpFormat::FF || format == OpFormat::XF ||
         format == OpFormat::FX;
}

} // namespace

DecodedOp decode(uint32_t word, CustomDecoder custom) {
  DecodedOp d{};
  d.op = Op::Illegal;
  d.rd = discardRegister;
  d.length = 4;
  d.word = word;
  uint32_t full = word;
  if ((word & 3) != 3) {
    d.length = 2;
    d.word = word & 0xffff;
    full = expandCompressed(uint16_t(word), &d.form);
    if (!full) {
      return d;
    }
  }
  if (isCustomOpcode(full)) {
    CustomOperands use = custom ? custom(full) : CustomOperands();
    if (!use.legal) {
      return d;
    }
    d.op = Op::Custom;
    d.rd = use.writesRd ? destination(bitsOf(full, 11, 7)) : discardRegister;
    d.rs1 = use.readsRs1 ? uint8_t(bitsOf(full, 19, 15)) : 0;
    d.rs2 = use.readsRs2 ? uint8_t(bitsOf(full, 24, 20)) : 0;
    return d;
  }
  for (Op op : opBuckets()[full >> 2 & 31]) {
    const OpInfo &info = opTable[unsigned(op)];
    if ((full & info.mask) != info.match) {
      continue;
    }
    // Rounding modes 5 and 6 are reserved; 7 takes frm at run time.
    uint32_t rm = bitsOf(full, 14, 12);
    if (hasRoundingMode(info.format) && (rm == 5 || rm == 6)) {
      return d;
    }
    d.op = op;
    fillOperands(d, info.format, full);
    return d;
  }
  return d;
}

const char *opName(Op op) { return opTable[unsigned(op)].name; }
OpFormat opFormat(Op op) { return opTable[unsigned(op)].format; }

DecodedImage::DecodedImage(uint64_t base, const std::vector<uint8_t> &bytes,
                           CustomDecoder custom)
    : baseAddress(base & ~uint64_t(1)) {
  size_t count = bytes.size() / 2;
  records.reserve(count + 1);
  auto half = [&](size_t i) {
    return i < count ? uint32_t(bytes[2 * i] | bytes[2 * i + 1] << 8) : 0u;
  };
  for (size_t i = 0; i < count; ++i) {
    uint32_t word = half(i) | half(i + 1) << 16;
    DecodedOp d = decode(word, custom);
    if (i + 1 == count && d.length == 4) {
      // The second half lies outside the image.
      d = DecodedOp{};
      d.op = Op::Illegal;
      d.rd = discardRegister;
      d.length = 4;
      d.word = word;
    }
    records.push_back(d);
  }
  DecodedOp end{};
  end.op = Op::ImageEnd;
  end.rd = discardRegister;
  end.length = 2;
  records.push_back(end);
}

} // namespace chipwright::sim
