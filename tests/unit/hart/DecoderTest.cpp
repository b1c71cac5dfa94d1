//===- DecoderTest.cpp - Decoder and disassembler -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/hart/Assembler.h"

#include <gtest/gtest.h>

#include <set>

namespace chipwright::test {
namespace {

using namespace sim;

// Words of the RISC-V toolchain: assembled with llvm-mc 22, printed by it.
struct Known {
  uint32_t word;
  const char *text;
};
const Known known[] = {
    {0x00c58533, "add a0, a1, a2"},
    {0xff010113, "addi sp, sp, -16"},
    {0x02a5d593, "srli a1, a1, 42"},
    {0x42a5d593, "srai a1, a1, 42"},
    {0x00813083, "ld ra, 8(sp)"},
    {0xfe113c23, "sd ra, -8(sp)"},
    {0x00008067, "jalr zero, 0(ra)"},
    {0x12345537, "lui a0, 0x12345"},
    {0xfffff517, "auipc a0, 0xfffff"},
    {0x02c58533, "mul a0, a1, a2"},
    {0x20c5a533, "sh1add a0, a1, a2"},
    {0x08c5853b, "add.uw a0, a1, a2"},
    {0x0805951b, "slli.uw a0, a1, 0"},
    {0x1005a52f, "lr.w a0, (a1)"},
    {0x1ec5b52f, "sc.d.aqrl a0, a2, (a1)"},
    {0x00c5f553, "fadd.s fa0, fa1, fa2, dyn"},
    {0x6ac5f543, "fmadd.d fa0, fa1, fa2, fa3, dyn"},
    {0xc2259553, "fcvt.l.d a0, fa1, rtz"},
    {0x42058553, "fcvt.d.s fa0, fa1"},
    {0x30529073, "csrrw zero, mtvec, t0"},
    {0x0330000f, "fence rw, rw"},
    {0x0000100f, "fence.i"},
    {0x00000073, "ecall"},
};

TEST(Decoder, DisassemblesKnownWords) {
  for (const Known &k : known) {
    EXPECT_EQ(disassemble(k.word, 0), k.text) << std::hex << k.word;
  }
  // Targets are absolute.
  EXPECT_EQ(disassemble(0xfe0518e3, 0x1000), "bne a0, zero, 0xff0");
  EXPECT_EQ(disassemble(0x0100006f, 0x1000), "jal zero, 0x1010");
  EXPECT_EQ(disassemble(0x00000000, 0), "illegal 0x0000");
  EXPECT_EQ(disassemble(0xffffffff, 0), "illegal 0xffffffff");
}

TEST(Decoder, EveryOpDecodesToItself) {
  std::set<std::string> names;
  for (unsigned i = 0; i < unsigned(Op::Custom); ++i) {
    EXPECT_EQ(decode(matchOf(Op(i))).op, Op(i)) << opName(Op(i));
    EXPECT_TRUE(names.insert(opName(Op(i))).second) << opName(Op(i));
  }
}

TEST(Decoder, EncodingsDoNotOverlap) {
  struct Entry {
    uint32_t match, mask;
  };
  const Entry table[] = {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK) {MATCH, MASK},
#include "sim/hart/Ops.def"
  };
  for (unsigned i = 0; i < std::size(table); ++i) {
    EXPECT_EQ(table[i].match & ~table[i].mask, 0u) << opName(Op(i));
    for (unsigned j = 0; j < i; ++j) {
      uint32_t common = table[i].mask & table[j].mask;
      EXPECT_NE(table[i].match & common, table[j].match & common)
          << opName(Op(i)) << " and " << opName(Op(j));
    }
  }
}

TEST(Decoder, OperandsOfFormats) {
  DecodedOp d = decode(sType(Op::Fsd, 9, -40, sp));
  EXPECT_EQ(d.rs1, sp);
  EXPECT_EQ(d.rs2, firstFpRegister + 9);
  EXPECT_EQ(d.imm, -40);
  EXPECT_EQ(d.rd, discardRegister);
  d = decode(bType(Op::Bltu, a0, a1, -4096));
  EXPECT_EQ(d.imm, -4096);
  d = decode(jal(zero, -1048576));
  EXPECT_EQ(d.imm, -1048576);
  EXPECT_EQ(d.rd, discardRegister);
  d = decode(rType(Op::FmaddS, 1, 2, 3) | 31u << 27);
  EXPECT_EQ(d.rs3, firstFpRegister + 31);
  d = decode(iType(Op::Csrrwi, a0, 31, 0xc00));
  EXPECT_EQ(d.rm, 31);
  EXPECT_EQ(d.rs1, 0);
  EXPECT_EQ(d.imm, 0xc00);
}

TEST(Decoder, ReservedRoundingModesAreIllegal) {
  for (unsigned rm = 0; rm < 8; ++rm) {
    bool legal = rm != 5 && rm != 6;
    EXPECT_EQ(decode(rType(Op::FaddD, 1, 2, 3, rm)).op,
              legal ? Op::FaddD : Op::Illegal);
  }
}

TEST(Decoder, CompressedExpansions) {
  struct Case {
    uint16_t half;
    const char *text;
  };
  // Encodings as llvm-mc 22 assembles them.
  const Case cases[] = {
      {0x1141, "addi sp, sp, -16"},
      {0x717d, "addi sp, sp, -16"},
      {0x0808, "addi a0, sp, 16"},
      {0x4501, "addi a0, zero, 0"},
      {0x852e, "add a0, zero, a1"},
      {0x952e, "add a0, a0, a1"},
      {0x8d0d, "sub a0, a0, a1"},
      {0x9d2d, "addw a0, a0, a1"},
      {0x6505, "lui a0, 0x1"},
      {0x757d, "lui a0, 0xfffff"},
      {0x8082, "jalr zero, 0(ra)"},
      {0x9502, "jalr ra, 0(a0)"},
      {0x60a2, "ld ra, 8(sp)"},
      {0xe406, "sd ra, 8(sp)"},
      {0x4188, "lw a0, 0(a1)"},
      {0x6588, "ld a0, 8(a1)"},
      {0x2588, "fld fa0, 8(a1)"},
      {0xa588, "fsd fa0, 8(a1)"},
      {0x0516, "slli a0, a0, 5"},
      {0x8115, "srli a0, a0, 5"},
      {0x8515, "srai a0, a0, 5"},
      {0x8915, "andi a0, a0, 5"},
      {0x9002, "ebreak"},
      {0x0001, "addi zero, zero, 0"},
      {0xa001, "jal zero, 0x1000"},
      {0xc105, "beq a0, zero, 0x1020"},
      {0xfd7d, "bne a0, zero, 0xffe"},
  };
  for (const Case &c : cases) {
    EXPECT_EQ(disassemble(c.half, 0x1000), c.text) << std::hex << c.half;
    EXPECT_EQ(decode(c.half).length, 2);
    EXPECT_NE(decode(c.half).form, CForm::None);
  }
  // Reserved: all zeros, addi4spn 0, addiw x0, lui 0, addi16sp 0, lwsp x0,
  // ldsp x0, jr x0, and the holes in quadrants 0 and 1.
  for (uint16_t half : {0x0000, 0x0004, 0x2001, 0x6501, 0x6101, 0x4002, 0x6002,
                        0x8002, 0x8000, 0x9c41, 0x9c61}) {
    EXPECT_EQ(expandCompressed(half), 0u) << std::hex << half;
    EXPECT_EQ(decode(half).op, Op::Illegal) << std::hex << half;
  }
}

TEST(Decoder, CustomWordsAskTheExtension) {
  EXPECT_EQ(decode(custom0(a0, a1, a2)).op, Op::Custom);
  for (uint32_t opcode : {0x0b, 0x2b, 0x5b, 0x7b}) {
    EXPECT_EQ(decode(opcode).op, Op::Custom);
  }
  auto rs1Only = [](uint32_t word) {
    return CustomOperands{word >> 25 == 0, true, false, false};
  };
  DecodedOp d = decode(custom0(a0, a1, a2), rs1Only);
  EXPECT_EQ(d.rs1, a1);
  EXPECT_EQ(d.rs2, 0);
  EXPECT_EQ(d.rd, discardRegister);
  EXPECT_EQ(decode(custom0(a0, a1, a2) | 1u << 25, rs1Only).op, Op::Illegal);
}

TEST(Decoder, ImageEndsAtItsLastHalfword) {
  // A 32-bit instruction whose second half is missing is no instruction.
  DecodedImage image(0x2000, {0x13, 0x00, 0x00, 0x00, 0x13, 0x00});
  EXPECT_EQ(image.halfwords(), 3u);
  EXPECT_EQ(image.ops()[0].op, Op::Addi);
  EXPECT_EQ(image.ops()[2].op, Op::Illegal);
  EXPECT_EQ(image.ops()[3].op, Op::ImageEnd);
  EXPECT_TRUE(image.contains(0x2004));
  EXPECT_FALSE(image.contains(0x2006));
  EXPECT_FALSE(image.contains(0x2001));
  EXPECT_FALSE(image.contains(0x1ffe));
}

} // namespace
} // namespace chipwright::test
