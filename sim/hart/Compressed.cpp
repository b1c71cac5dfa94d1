//===- Compressed.cpp - Expansion of 16-bit instructions ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// RV64C with F and D, from the "C" chapter of the RISC-V unprivileged
// specification 20240411. HINT encodings (such as c.li with rd = x0) expand to
// the base instruction, which then changes nothing; reserved ones to 0.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Instruction.h"

namespace chipwright::sim {

namespace {

constexpr uint32_t bitsOf(uint32_t word, unsigned high, unsigned low) {
  return word >> low & ((1u << (high - low + 1)) - 1);
}
constexpr int32_t signExtend(uint32_t value, unsigned bits) {
  return int32_t(value << (32 - bits)) >> (32 - bits);
}

uint32_t encodeR(uint32_t opcode, uint32_t f3, uint32_t f7, uint32_t rd,
                 uint32_t rs1, uint32_t rs2) {
  return opcode | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25;
}
uint32_t encodeI(uint32_t opcode, uint32_t f3, uint32_t rd, uint32_t rs1,
                 int32_t imm) {
  return opcode | rd << 7 | f3 << 12 | rs1 << 15 | uint32_t(imm) << 20;
}
uint32_t encodeS(uint32_t opcode, uint32_t f3, uint32_t rs1, uint32_t rs2,
                 uint32_t imm) {
  return opcode | (imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 |
         (imm >> 5 & 127) << 25;
}
uint32_t encodeB(uint32_t f3, uint32_t rs1, int32_t offset) {
  uint32_t imm = uint32_t(offset);
  return 0x63 | f3 << 12 | rs1 << 15 | (imm >> 11 & 1) << 7 |
         (imm >> 1 & 15) << 8 | (imm >> 5 & 63) << 25 | (imm >> 12 & 1) << 31;
}
uint32_t encodeJ(uint32_t rd, int32_t offset) {
  uint32_t imm = uint32_t(offset);
  return 0x6f | rd << 7 | (imm >> 12 & 255) << 12 | (imm >> 11 & 1) << 20 |
         (imm >> 1 & 1023) << 21 | (imm >> 20 & 1) << 31;
}

constexpr uint32_t opImm = 0x13, opImm32 = 0x1b, opReg = 0x33, opReg32 = 0x3b;
constexpr uint32_t opLoad = 0x03, opStore = 0x23, opLoadFp = 0x07,
                   opStoreFp = 0x27, opLui = 0x37, opJalr = 0x67;

uint32_t expandQuadrant0(uint32_t c, CForm &form) {
  uint32_t rdShort = bitsOf(c, 4, 2) + 8, rs1Short = bitsOf(c, 9, 7) + 8;
  uint32_t offsetW =
      bitsOf(c, 12, 10) << 3 | bitsOf(c, 6, 6) << 2 | bitsOf(c, 5, 5) << 6;
  uint32_t offsetD = bitsOf(c, 12, 10) << 3 | bitsOf(c, 6, 5) << 6;
  switch (bitsOf(c, 15, 13)) {
  case 0: {
    uint32_t imm = bitsOf(c, 12, 11) << 4 | bitsOf(c, 10, 7) << 6 |
                   bitsOf(c, 6, 6) << 2 | bitsOf(c, 5, 5) << 3;
    form = CForm::Addi4spn;
    return imm ? encodeI(opImm, 0, rdShort, 2, int32_t(imm)) : 0;
  }
  case 1:
    form = CForm::Fld;
    return encodeI(opLoadFp, 3, rdShort, rs1Short, int32_t(offsetD));
  case 2:
    form = CForm::Lw;
    return encodeI(opLoad, 2, rdShort, rs1Short, int32_t(offsetW));
  case 3:
    form = CForm::Ld;
    return encodeI(opLoad, 3, rdShort, rs1Short, int32_t(offsetD));
  case 5:
    form = CForm::Fsd;
    return encodeS(opStoreFp, 3, rs1Short, rdShort, offsetD);
  case 6:
    form = CForm::Sw;
    return encodeS(opStore, 2, rs1Short, rdShort, offsetW);
  case 7:
    form = CForm::Sd;
    return encodeS(opStore, 3, rs1Short, rdShort, offsetD);
  default:
    return 0;
  }
}

uint32_t expandArithmetic(uint32_t c, CForm &form) {
  uint32_t rd = bitsOf(c, 9, 7) + 8, rs2 = bitsOf(c, 4, 2) + 8;
  uint32_t shift = bitsOf(c, 12, 12) << 5 | bitsOf(c, 6, 2);
  int32_t imm = signExtend(shift, 6);
  switch (bitsOf(c, 11, 10)) {
  case 0:
    form = CForm::Srli;
    return encodeI(opImm, 5, rd, rd, int32_t(shift));
  case 1:
    form = CForm::Srai;
    return encodeI(opImm, 5, rd, rd, int32_t(shift | 0x400));
  case 2:
    form = CForm::Andi;
    return encodeI(opImm, 7, rd, rd, imm);
  default:
    break;
  }
  switch (bitsOf(c, 12, 12) << 2 | bitsOf(c, 6, 5)) {
  case 0:
    form = CForm::Sub;
    return encodeR(opReg, 0, 0x20, rd, rd, rs2);
  case 1:
    form = CForm::Xor;
    return encodeR(opReg, 4, 0, rd, rd, rs2);
  case 2:
    form = CForm::Or;
    return encodeR(opReg, 6, 0, rd, rd, rs2);
  case 3:
    form = CForm::And;
    return encodeR(opReg, 7, 0, rd, rd, rs2);
  case 4:
    form = CForm::Subw;
    return encodeR(opReg32, 0, 0x20, rd, rd, rs2);
  case 5:
    form = CForm::Addw;
    return encodeR(opReg32, 0, 0, rd, rd, rs2);
  default:
    return 0;
  }
}

uint32_t expandQuadrant1(uint32_t c, CForm &form) {
  uint32_t rd = bitsOf(c, 11, 7);
  uint32_t imm6 = bitsOf(c, 12, 12) << 5 | bitsOf(c, 6, 2);
  int32_t imm = signExtend(imm6, 6);
  int32_t branch = signExtend(bitsOf(c, 12, 12) << 8 | bitsOf(c, 11, 10) << 3 |
                                  bitsOf(c, 6, 5) << 6 | bitsOf(c, 4, 3) << 1 |
                                  bitsOf(c, 2, 2) << 5,
                              9);
  switch (bitsOf(c, 15, 13)) {
  case 0:
    form = CForm::Addi;
    return encodeI(opImm, 0, rd, rd, imm);
  case 1:
    form = CForm::Addiw;
    return rd ? encodeI(opImm32, 0, rd, rd, imm) : 0;
  case 2:
    form = CForm::Li;
    return encodeI(opImm, 0, rd, 0, imm);
  case 3:
    if (rd == 2) {
      int32_t step = signExtend(bitsOf(c, 12, 12) << 9 | bitsOf(c, 6, 6) << 4 |
                                    bitsOf(c, 5, 5) << 6 |
                                    bitsOf(c, 4, 3) << 7 | bitsOf(c, 2, 2) << 5,
                                10);
      form = CForm::Addi16sp;
      return step ? encodeI(opImm, 0, 2, 2, step) : 0;
    }
    form = CForm::Lui;
    return imm ? opLui | rd << 7 | uint32_t(imm) << 12 : 0;
  case 4:
    return expandArithmetic(c, form);
  case 5: {
    int32_t offset =
        signExtend(bitsOf(c, 12, 12) << 11 | bitsOf(c, 11, 11) << 4 |
                       bitsOf(c, 10, 9) << 8 | bitsOf(c, 8, 8) << 10 |
                       bitsOf(c, 7, 7) << 6 | bitsOf(c, 6, 6) << 7 |
                       bitsOf(c, 5, 3) << 1 | bitsOf(c, 2, 2) << 5,
                   12);
    form = CForm::J;
    return encodeJ(0, offset);
  }
  case 6:
    form = CForm::Beqz;
    return encodeB(0, bitsOf(c, 9, 7) + 8, branch);
  default:
    form = CForm::Bnez;
    return encodeB(1, bitsOf(c, 9, 7) + 8, branch);
  }
}

uint32_t expandQuadrant2(uint32_t c, CForm &form) {
  uint32_t rd = bitsOf(c, 11, 7), rs2 = bitsOf(c, 6, 2);
  uint32_t shift = bitsOf(c, 12, 12) << 5 | bitsOf(c, 6, 2);
  uint32_t loadD =
      bitsOf(c, 12, 12) << 5 | bitsOf(c, 6, 5) << 3 | bitsOf(c, 4, 2) << 6;
  uint32_t loadW =
      bitsOf(c, 12, 12) << 5 | bitsOf(c, 6, 4) << 2 | bitsOf(c, 3, 2) << 6;
  uint32_t storeD = bitsOf(c, 12, 10) << 3 | bitsOf(c, 9, 7) << 6;
  uint32_t storeW = bitsOf(c, 12, 9) << 2 | bitsOf(c, 8, 7) << 6;
  switch (bitsOf(c, 15, 13)) {
  case 0:
    form = CForm::Slli;
    return encodeI(opImm, 1, rd, rd, int32_t(shift));
  case 1:
    form = CForm::Fldsp;
    return encodeI(opLoadFp, 3, rd, 2, int32_t(loadD));
  case 2:
    form = CForm::Lwsp;
    return rd ? encodeI(opLoad, 2, rd, 2, int32_t(loadW)) : 0;
  case 3:
    form = CForm::Ldsp;
    return rd ? encodeI(opLoad, 3, rd, 2, int32_t(loadD)) : 0;
  case 4:
    if (!bitsOf(c, 12, 12)) {
      if (rs2) {
        form = CForm::Mv;
        return encodeR(opReg, 0, 0, rd, 0, rs2);
      }
      form = CForm::Jr;
      return rd ? encodeI(opJalr, 0, 0, rd, 0) : 0;
    }
    if (rs2) {
      form = CForm::Add;
      return encodeR(opReg, 0, 0, rd, rd, rs2);
    }
    if (rd) {
      form = CForm::Jalr;
      return encodeI(opJalr, 0, 1, rd, 0);
    }
    form = CForm::Ebreak;
    return 0x00100073;
  case 5:
    form = CForm::Fsdsp;
    return encodeS(opStoreFp, 3, 2, rs2, storeD);
  case 6:
    form = CForm::Swsp;
    return encodeS(opStore, 2, 2, rs2, storeW);
  default:
    form = CForm::Sdsp;
    return encodeS(opStore, 3, 2, rs2, storeD);
  }
}

} // namespace

uint32_t expandCompressed(uint16_t word, CForm *form) {
  CForm found = CForm::None;
  uint32_t full = 0;
  switch (word & 3) {
  case 0:
    full = expandQuadrant0(word, found);
    break;
  case 1:
    full = expandQuadrant1(word, found);
    break;
  case 2:
    full = expandQuadrant2(word, found);
    break;
  default:
    break;
  }
  if (form) {
    *form = full ? found : CForm::None;
  }
  return full;
}

const char *cFormName(CForm form) {
  static constexpr const char *names[] = {
      "",       "c.addi4spn", "c.fld",   "c.lw",    "c.ld",    "c.fsd",
      "c.sw",   "c.sd",       "c.addi",  "c.addiw", "c.li",    "c.addi16sp",
      "c.lui",  "c.srli",     "c.srai",  "c.andi",  "c.sub",   "c.xor",
      "c.or",   "c.and",      "c.subw",  "c.addw",  "c.j",     "c.beqz",
      "c.bnez", "c.slli",     "c.fldsp", "c.lwsp",  "c.ldsp",  "c.jr",
      "c.mv",   "c.ebreak",   "c.jalr",  "c.add",   "c.fsdsp", "c.swsp",
      "c.sdsp"};
  static_assert(std::size(names) == numCForms);
  return names[unsigned(form)];
}

} // namespace chipwright::sim
