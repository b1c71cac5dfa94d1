//===- RandomProgram.cpp - Random RISC-V programs -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/RandomProgram.h"

#include "sim/hart/Csr.h"
#include "sim/hart/Hart.h"

#include <elf.h>

#include <cstring>
#include <random>

namespace chipwright::test {

using namespace sim;

namespace {

// Registers that a body does not change: sp and s0 point into the arena (s0 at
// any alignment), gp into the table, tp to the dump area.
constexpr unsigned sp = 2, gp = 3, tp = 4, s0 = 8;

uint32_t matchOf(Op op) {
  static constexpr uint32_t table[] = {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK) MATCH,
#include "sim/hart/Ops.def"
  };
  return table[unsigned(op)];
}

class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}

  RandomProgram generate(unsigned sequences, unsigned bodyItems);

private:
  uint64_t below(uint64_t bound) { return random() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  uint32_t bits(unsigned count) { return uint32_t(random() >> (64 - count)); }
  int32_t between(int32_t low, int32_t high) {
    return low + int32_t(below(uint64_t(high - low) + 1));
  }

  // Values.
  uint64_t specialInteger();
  uint64_t specialFloat();
  template <typename T, unsigned exponentBits, unsigned mantissaBits>
  T specialPattern();

  // Emission; words and halfwords are appended to the text.
  void half(uint32_t value) {
    text.push_back(uint8_t(value));
    text.push_back(uint8_t(value >> 8));
    ++emitted;
  }
  void word(uint32_t value) {
    half(value & 0xffff);
    half(value >> 16);
    --emitted;
  }
  void patchWord(size_t at, uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) {
      text[at + i] = uint8_t(value >> (8 * i));
    }
  }
  void patchHalf(size_t at, uint32_t value) {
    text[at] = uint8_t(value);
    text[at + 1] = uint8_t(value >> 8);
  }
  static uint32_t iType(Op op, unsigned rd, unsigned rs1, int32_t imm) {
    return matchOf(op) | rd << 7 | rs1 << 15 | uint32_t(imm) << 20;
  }
  static uint32_t sType(Op op, unsigned rs1, unsigned rs2, int32_t imm) {
    return matchOf(op) | rs1 << 15 | rs2 << 20 | (uint32_t(imm) & 31) << 7 |
           uint32_t(imm) >> 5 << 25;
  }
  static uint32_t bType(Op op, unsigned rs1, unsigned rs2, uint32_t imm) {
    return matchOf(op) | rs1 << 15 | rs2 << 20 | (imm >> 11 & 1) << 7 |
           (imm >> 1 & 15) << 8 | (imm >> 5 & 63) << 25 | (imm >> 12 & 1) << 31;
  }
  static uint32_t jType(unsigned rd, uint32_t imm) {
    return matchOf(Op::Jal) | rd << 7 | (imm >> 12 & 255) << 12 |
           (imm >> 11 & 1) << 20 | (imm >> 1 & 1023) << 21 |
           (imm >> 20 & 1) << 31;
  }
  void loadAddress(unsigned rd, uint64_t address) {
    uint32_t low = address & 0xfff;
    uint32_t high = uint32_t(address + 0x800) >> 12;
    word(matchOf(Op::Lui) | rd << 7 | high << 12);
    word(iType(Op::Addi, rd, rd, int32_t(low << 20) >> 20));
  }

  // Register choices.
  unsigned anyX() { return unsigned(below(32)); }
  bool fixed(unsigned reg) {
    return reg == sp || reg == gp || reg == tp || reg == s0;
  }
  unsigned destX() {
    for (;;) {
      if (unsigned reg = anyX(); !fixed(reg)) {
        return reg;
      }
    }
  }
  unsigned destNonzero() {
    for (;;) {
      if (unsigned reg = destX()) {
        return reg;
      }
    }
  }
  /// x8..x15 by their 3-bit number, without s0.
  unsigned destShort() { return unsigned(1 + below(7)); }
  unsigned anyShort() { return unsigned(below(8)); }
  /// f0..f15 hold mostly binary32 and f16..f31 mostly binary64 values, so that
  /// operations often meet operands of their own format.
  unsigned fpReg(bool isDouble) {
    unsigned reg = unsigned(below(16));
    return isDouble != chance(12) ? reg + 16 : reg;
  }

  void item();
  void baseItem(Op op);
  void memoryItem(Op op);
  void atomicItem(Op op);
  void controlItem(Op op);
  void csrItem(Op op);
  void floatItem(Op op);
  void compressedItem(CForm form);
  void compressedControl(CForm form);
  void reload();
  void skipped();
  unsigned roundingMode() {
    unsigned mode = unsigned(below(8));
    return mode > 4 ? 7 : mode;
  }
  void subroutines();

  std::mt19937_64 random;
  std::vector<uint8_t> text;
  uint64_t emitted = 0;
  unsigned depth = 0;
  uint64_t loadRoutine = 0, dumpRoutine = 0;
};

uint64_t Generator::specialInteger() {
  static constexpr uint64_t edges[] = {0,
                                       1,
                                       ~uint64_t(0),
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x100000000,
                                       0xffffffff80000000,
                                       0xffffffff7fffffff,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0x8000000000000001};
  switch (below(6)) {
  case 0:
    return edges[below(std::size(edges))];
  case 1:
    return edges[below(std::size(edges))] + below(5) - 2;
  case 2:
    return (uint64_t(1) << below(64)) + below(3) - 1;
  case 3:
    return below(128) - 64;
  case 4:
    return uint64_t(int64_t(int32_t(random())));
  default:
    return random();
  }
}

template <typename T, unsigned exponentBits, unsigned mantissaBits>
T Generator::specialPattern() {
  constexpr T maxExponent = (T(1) << exponentBits) - 1;
  constexpr T bias = maxExponent >> 1;
  constexpr T mantissaMask = (T(1) << mantissaBits) - 1;
  T sign = T(below(2)) << (exponentBits + mantissaBits);
  T mantissa = T(random()) & mantissaMask;
  // Sparse mantissas make exact results and ties.
  switch (below(4)) {
  case 0:
    mantissa &= T(~T(0)) << below(mantissaBits);
    break;
  case 1:
    mantissa |= mantissaMask >> below(mantissaBits);
    break;
  case 2:
    mantissa = chance(50) ? 0 : mantissaMask - T(below(3));
    break;
  default:
    break;
  }
  T exponent = 0;
  switch (below(12)) {
  case 0: // zero
    return sign;
  case 1: // subnormal, often near the ends
    return sign | mantissa >> below(mantissaBits);
  case 2: // infinity
    return sign | maxExponent << mantissaBits;
  case 3: // NaN of both kinds (or infinity)
    return sign | maxExponent << mantissaBits | mantissa;
  case 4: // smallest normal numbers
    exponent = T(1 + below(3));
    break;
  case 5: // largest
    exponent = maxExponent - 1 - T(below(3));
    break;
  case 6: // around the ranges of 32-bit and 64-bit integers
    exponent = bias + T(chance(50) ? 29 + below(5) : 61 + below(5));
    break;
  case 7: // products and quotients near the ends of the range
    exponent = (chance(50) ? bias / 2 : bias + bias / 2) + T(below(9)) - 4;
    break;
  case 8: // any
    exponent = T(random()) & maxExponent;
    break;
  default: // close to each other: cancellation, ties
    exponent = bias + T(below(9)) - 4;
    break;
  }
  return sign | exponent << mantissaBits | mantissa;
}

uint64_t Generator::specialFloat() {
  uint64_t boxed = 0xffffffff00000000;
  switch (below(16)) {
  case 0: // badly boxed
    return specialPattern<uint32_t, 8, 23>() | (random() << 32);
  case 1: // boxed but for one bit
    return specialPattern<uint32_t, 8, 23>() |
           (boxed ^ uint64_t(1) << (32 + below(32)));
  case 2: // binary64 values at the edges of binary32's range
    return uint64_t(below(2)) << 63 |
           (uint64_t(chance(50) ? 1023 + 126 + below(4)
                                : 1023 - 152 + below(30))
            << 52) |
           (random() >> 12 &
            (chance(50) ? ~uint64_t(0) : ~uint64_t(0) << below(30)));
  default:
    return chance(50) ? specialPattern<uint32_t, 8, 23>() | boxed
                      : specialPattern<uint64_t, 11, 52>();
  }
}

void Generator::reload() {
  // The table holds integers in even entries; odd ones hold floats. gp is a
  // multiple of 16.
  unsigned kind = unsigned(below(3));
  int32_t offset = between(-127, 126) * 16;
  if (kind == 0) {
    word(iType(Op::Ld, destNonzero(), gp, offset));
  } else {
    bool isDouble = kind == 2;
    word(iType(isDouble || chance(50) ? Op::Fld : Op::Flw, fpReg(isDouble), gp,
               offset + 8));
  }
}

void Generator::skipped() {
  // What a taken branch jumps over.
  ++depth;
  for (unsigned i = 0, count = unsigned(below(4)); i < count; ++i) {
    item();
  }
  --depth;
}

void Generator::memoryItem(Op op) {
  OpFormat format = opFormat(op);
  bool isDouble = op == Op::Fld || op == Op::Fsd;
  unsigned base = chance(50) ? sp : s0;
  // Few addresses, so that loads meet stores, and any alignment.
  int32_t offset = chance(70) ? between(-64, 64) : between(-2040, 2030);
  switch (format) {
  case OpFormat::Load:
    word(iType(op, destX(), base, offset));
    break;
  case OpFormat::FLoad:
    word(iType(op, fpReg(isDouble), base, offset));
    break;
  case OpFormat::Store:
    word(sType(op, base, anyX(), offset));
    break;
  default:
    word(sType(op, base, fpReg(isDouble), offset));
    break;
  }
}

void Generator::atomicItem(Op op) {
  unsigned size = atomicBytes(op);
  auto address = [&](unsigned reg) {
    word(iType(Op::Addi, reg, sp, between(-8, 8) * int32_t(size)));
  };
  unsigned pointer = destNonzero();
  uint32_t order = uint32_t(below(4)) << 25;
  address(pointer);
  if (opFormat(op) == OpFormat::Amo) {
    word(matchOf(op) | order | destX() << 7 | pointer << 15 | anyX() << 20);
    return;
  }
  // LR with an SC of the same size: to the same address, possibly with a
  // changed value in between, or to another one.
  unsigned read = destX();
  while (read == pointer) {
    read = destX();
  }
  word(matchOf(op) | order | read << 7 | pointer << 15);
  switch (below(4)) {
  case 0:
    word(sType(size == 4 ? Op::Sw : Op::Sd, pointer, anyX(), 0));
    break;
  case 1:
    address(pointer);
    break;
  default:
    break;
  }
  word(matchOf(size == 4 ? Op::ScW : Op::ScD) | order | destX() << 7 |
       pointer << 15 | anyX() << 20);
}

void Generator::controlItem(Op op) {
  size_t at = text.size();
  if (op == Op::Jal) {
    unsigned rd = destX();
    word(0);
    skipped();
    patchWord(at, jType(rd, uint32_t(text.size() - at)));
    return;
  }
  if (op == Op::Jalr) {
    unsigned pointer = destNonzero(), rd = destX();
    // Bit 0 of the sum is ignored, whether pointer, offset or both are odd.
    bool odd = chance(50);
    word(matchOf(Op::Auipc) | pointer << 7);
    word(iType(Op::Addi, pointer, pointer, odd));
    word(0);
    skipped();
    int32_t distance = int32_t(text.size() - at) - odd + int32_t(below(2));
    patchWord(at + 8, iType(Op::Jalr, rd, pointer, distance));
    return;
  }
  unsigned rs1 = anyX(), rs2 = chance(30) ? rs1 : anyX();
  word(0);
  skipped();
  patchWord(at, bType(op, rs1, rs2, uint32_t(text.size() - at)));
}

void Generator::csrItem(Op op) {
  static constexpr uint32_t csrs[] = {CsrFflags, CsrFrm, CsrFcsr};
  uint32_t csr = csrs[below(3)];
  word(matchOf(op) | destX() << 7 | anyX() << 15 | csr << 20);
  if (csr != CsrFflags) {
    // Leave a rounding mode that exists.
    word(matchOf(Op::Csrrwi) | uint32_t(below(5)) << 15 |
         uint32_t(CsrFrm) << 20);
  }
}

void Generator::floatItem(Op op) {
  const char *name = opName(op);
  bool isDouble = name[std::strlen(name) - 1] == 'd';
  bool fromDouble = isDouble, toDouble = isDouble;
  if (op == Op::FcvtSD) {
    fromDouble = true, toDouble = false;
  } else if (op == Op::FcvtDS) {
    fromDouble = false, toDouble = true;
  } else if (opFormat(op) == OpFormat::FX ||
             opFormat(op) == OpFormat::FXFixed) {
    toDouble = std::strncmp(name, "fcvt.d", 6) == 0 || op == Op::FmvDX;
  }
  uint32_t rm = roundingMode() << 12;
  uint32_t match = matchOf(op);
  uint32_t rs1 = fpReg(fromDouble) << 15, rs2 = fpReg(fromDouble) << 20;
  switch (opFormat(op)) {
  case OpFormat::FR4:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2 | fpReg(fromDouble) << 27 |
         rm);
    break;
  case OpFormat::FR:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2 | rm);
    break;
  case OpFormat::FRFixed:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2);
    break;
  case OpFormat::FF:
    word(match | fpReg(toDouble) << 7 | rs1 | rm);
    break;
  case OpFormat::XF:
    word(match | destX() << 7 | rs1 | rm);
    break;
  case OpFormat::XFFixed:
    word(match | destX() << 7 | rs1);
    break;
  case OpFormat::FX:
    word(match | fpReg(toDouble) << 7 | anyX() << 15 | rm);
    break;
  case OpFormat::FXFixed:
    word(match | fpReg(toDouble) << 7 | anyX() << 15);
    break;
  default:
    word(match | destX() << 7 | rs1 | rs2);
    break;
  }
}

void Generator::baseItem(Op op) {
  switch (opFormat(op)) {
  case OpFormat::R:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | anyX() << 20);
    break;
  case OpFormat::I:
    word(iType(op, destX(), anyX(), between(-2048, 2047)));
    break;
  case OpFormat::Shift6:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | bits(6) << 20);
    break;
  case OpFormat::Shift5:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | bits(5) << 20);
    break;
  case OpFormat::U:
    word(matchOf(op) | destX() << 7 | bits(20) << 12);
    break;
  case OpFormat::J:
  case OpFormat::Jalr:
  case OpFormat::B:
    controlItem(op);
    break;
  case OpFormat::Load:
  case OpFormat::Store:
  case OpFormat::FLoad:
  case OpFormat::FStore:
    memoryItem(op);
    break;
  case OpFormat::Fence:
    word(matchOf(op) | bits(8) << 20);
    break;
  case OpFormat::None:
    // Of ecall, ebreak, mret, wfi and fence.i only the last can stand alone;
    // ecall ends every sequence.
    if (op == Op::FenceI) {
      word(matchOf(op));
    }
    break;
  case OpFormat::Csr:
  case OpFormat::CsrI:
    csrItem(op);
    break;
  case OpFormat::Lr:
  case OpFormat::Amo:
    atomicItem(op);
    break;
  default:
    floatItem(op);
    break;
  }
}

void Generator::compressedControl(CForm form) {
  size_t at = text.size();
  if (form == CForm::Jr || form == CForm::Jalr) {
    unsigned pointer = destNonzero();
    word(matchOf(Op::Auipc) | pointer << 7);
    word(0);
    half((form == CForm::Jr ? 0x8002 : 0x9002) | pointer << 7);
    skipped();
    patchWord(at + 4, iType(Op::Addi, pointer, pointer,
                            int32_t(text.size() - at) + int32_t(below(2))));
    return;
  }
  unsigned source = anyShort();
  half(0);
  skipped();
  uint32_t d = uint32_t(text.size() - at);
  auto bit = [&](unsigned from, unsigned to) { return (d >> from & 1) << to; };
  if (form == CForm::J) {
    patchHalf(at, 0xa001 | bit(11, 12) | bit(4, 11) | (d >> 8 & 3) << 9 |
                      bit(10, 8) | bit(6, 7) | bit(7, 6) | (d >> 1 & 7) << 3 |
                      bit(5, 2));
    return;
  }
  if (d > 254) { // out of reach of a compressed branch: a nop instead
    patchHalf(at, 0x0001);
    return;
  }
  patchHalf(at, (form == CForm::Beqz ? 0xc001 : 0xe001) | bit(8, 12) |
                    (d >> 3 & 3) << 10 | source << 7 | (d >> 6 & 3) << 5 |
                    (d >> 1 & 3) << 3 | bit(5, 2));
}

void Generator::compressedItem(CForm form) {
  // Fields at random; what would be reserved or change a fixed register is
  // avoided.
  uint32_t high = bits(1) << 12, low = bits(5) << 2;
  while (!(high | low)) {
    high = bits(1) << 12, low = bits(5) << 2;
  }
  auto arithmetic = [&](uint32_t base) {
    half(base | destShort() << 7 | anyShort() << 2);
  };
  auto nonzeroX = [&] { return unsigned(1 + below(31)); };
  switch (form) {
  case CForm::None:
  case CForm::Ebreak:
    break;
  case CForm::Addi4spn:
    half(uint32_t(1 + below(255)) << 5 | destShort() << 2);
    break;
  case CForm::Fld:
  case CForm::Lw:
  case CForm::Ld: {
    uint32_t f3 = form == CForm::Fld ? 1 : form == CForm::Lw ? 2 : 3;
    unsigned rd = form == CForm::Fld ? anyShort() : destShort();
    half(f3 << 13 | bits(3) << 10 | bits(2) << 5 | rd << 2); // base s0
    break;
  }
  case CForm::Fsd:
  case CForm::Sw:
  case CForm::Sd: {
    uint32_t f3 = form == CForm::Fsd ? 5 : form == CForm::Sw ? 6 : 7;
    half(f3 << 13 | bits(3) << 10 | bits(2) << 5 | anyShort() << 2);
    break;
  }
  case CForm::Addi:
    half(0x0001 | high | low | destX() << 7);
    break;
  case CForm::Addiw:
    half(0x2001 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Li:
    half(0x4001 | bits(1) << 12 | bits(5) << 2 | destX() << 7);
    break;
  case CForm::Addi16sp: {
    // There and back, with a look at sp in between.
    uint32_t step = uint32_t(between(1, 31)); // times 16
    auto encode = [](uint32_t d) {
      return 0x6101 | (d >> 9 & 1) << 12 | (d >> 4 & 1) << 6 |
             (d >> 6 & 1) << 5 | (d >> 7 & 3) << 3 | (d >> 5 & 1) << 2;
    };
    half(encode(step * 16));
    half(0x8002 | destNonzero() << 7 | sp << 2); // c.mv
    half(encode(uint32_t(-int32_t(step * 16))));
    break;
  }
  case CForm::Lui:
    half(0x6001 | high | low | destX() << 7);
    break;
  case CForm::Srli:
    half(0x8001 | high | low | destShort() << 7);
    break;
  case CForm::Srai:
    half(0x8401 | high | low | destShort() << 7);
    break;
  case CForm::Andi:
    half(0x8801 | high | low | destShort() << 7);
    break;
  case CForm::Sub:
    arithmetic(0x8c01);
    break;
  case CForm::Xor:
    arithmetic(0x8c21);
    break;
  case CForm::Or:
    arithmetic(0x8c41);
    break;
  case CForm::And:
    arithmetic(0x8c61);
    break;
  case CForm::Subw:
    arithmetic(0x9c01);
    break;
  case CForm::Addw:
    arithmetic(0x9c21);
    break;
  case CForm::J:
  case CForm::Beqz:
  case CForm::Bnez:
  case CForm::Jr:
  case CForm::Jalr:
    compressedControl(form);
    break;
  case CForm::Slli:
    half(0x0002 | high | low | destX() << 7);
    break;
  case CForm::Fldsp:
    half(0x2002 | bits(1) << 12 | bits(5) << 2 | bits(5) << 7);
    break;
  case CForm::Lwsp:
    half(0x4002 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Ldsp:
    half(0x6002 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Mv:
    half(0x8002 | destX() << 7 | nonzeroX() << 2);
    break;
  case CForm::Add:
    half(0x9002 | destX() << 7 | nonzeroX() << 2);
    break;
  case CForm::Fsdsp:
    half(0xa002 | bits(6) << 7 | bits(5) << 2);
    break;
  case CForm::Swsp:
    half(0xc002 | bits(6) << 7 | bits(5) << 2);
    break;
  case CForm::Sdsp:
    half(0xe002 | bits(6) << 7 | bits(5) << 2);
    break;
  }
}

void Generator::item() {
  if (chance(18)) {
    reload();
    return;
  }
  constexpr unsigned numBase = unsigned(Op::Custom);
  for (;;) {
    unsigned pick = unsigned(below(numBase + numCForms));
    // Control flow in skipped code would only make bodies long.
    if (pick < numBase) {
      OpFormat format = opFormat(Op(pick));
      bool control = format == OpFormat::J || format == OpFormat::Jalr ||
                     format == OpFormat::B;
      if (depth && control) {
        continue;
      }
      baseItem(Op(pick));
    } else {
      CForm form = CForm(pick - numBase);
      bool control = form == CForm::J || form == CForm::Jr ||
                     form == CForm::Jalr || form == CForm::Beqz ||
                     form == CForm::Bnez;
      if (depth && control) {
        continue;
      }
      compressedItem(form);
    }
    return;
  }
}

void Generator::subroutines() {
  // Loads every register that is not fixed, and fcsr from x5, which the caller
  // has set; x1 holds the return address.
  loadRoutine = textBase + text.size();
  word(matchOf(Op::Csrrw) | 5 << 15 | uint32_t(CsrFcsr) << 20);
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(iType(Op::Fld, reg, gp, int32_t(reg) * 16 + 8));
  }
  for (unsigned reg = 5; reg < 32; ++reg) {
    if (!fixed(reg)) {
      word(iType(Op::Ld, reg, gp, int32_t(reg) * 16 - 512));
    }
  }
  word(iType(Op::Jalr, 0, 1, 0));
  // Stores every register and fcsr in the dump area.
  dumpRoutine = textBase + text.size();
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(sType(Op::Sd, tp, reg, int32_t(reg) * 8));
  }
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(sType(Op::Fsd, tp, reg, 256 + int32_t(reg) * 8));
  }
  word(matchOf(Op::Csrrs) | 5 << 7 | uint32_t(CsrFcsr) << 20);
  word(sType(Op::Sd, tp, 5, 512));
  word(iType(Op::Jalr, 0, 1, 0));
}

RandomProgram Generator::generate(unsigned sequences, unsigned bodyItems) {
  RandomProgram program;
  // Entry: jump over the subroutines.
  word(0);
  subroutines();
  patchWord(0, jType(0, uint32_t(text.size())));
  // A jal would not reach from the end of a long program.
  auto call = [&](uint64_t routine) {
    loadAddress(1, routine);
    word(iType(Op::Jalr, 1, 1, 0));
  };
  uint64_t output = 0;
  for (unsigned s = 0; s < sequences; ++s) {
    loadAddress(sp, arenaBase + arenaBytes / 2);
    loadAddress(s0, arenaBase + arenaBytes / 2 + below(8));
    loadAddress(gp, dataBase + 2048 + below((tableBytes - 4096) / 16) * 16);
    loadAddress(tp, dumpBase);
    word(iType(Op::Addi, 5, 0, int32_t(below(5) << 5 | below(32))));
    call(loadRoutine);
    SequenceInfo info;
    info.firstPc = textBase + text.size();
    emitted = 0;
    for (unsigned i = 0; i < bodyItems; ++i) {
      item();
    }
    program.bodyInstructions += emitted;
    info.endPc = textBase + text.size();
    call(dumpRoutine);
    bool withArena = s % 8 == 7 || s + 1 == sequences;
    info.outputOffset = output;
    info.outputBytes = stateBytes + (withArena ? arenaBytes : 0);
    output += info.outputBytes;
    // write(1, dump area, bytes)
    word(iType(Op::Addi, 10, 0, 1));
    word(iType(Op::Addi, 11, tp, 0));
    loadAddress(12, info.outputBytes);
    word(iType(Op::Addi, 17, 0, 64));
    word(matchOf(Op::Ecall));
    program.sequences.push_back(info);
  }
  // exit(0)
  word(iType(Op::Addi, 10, 0, 0));
  word(iType(Op::Addi, 17, 0, 93));
  word(matchOf(Op::Ecall));

  program.text = text;
  program.data.resize(dataBytes);
  for (unsigned i = 0; i < tableEntries; ++i) {
    uint64_t value = i % 2 ? specialFloat() : specialInteger();
    std::memcpy(&program.data[i * 8], &value, 8);
  }
  for (unsigned i = 0; i < arenaBytes; i += 8) {
    uint64_t value = chance(50) ? specialFloat() : specialInteger();
    std::memcpy(&program.data[tableBytes + stateBytes + i], &value, 8);
  }
  return program;
}

} // namespace

RandomProgram generateProgram(uint64_t seed, unsigned sequences,
                              unsigned bodyItems) {
  return Generator(seed).generate(sequences, bodyItems);
}

std::vector<uint8_t> RandomProgram::elf() const {
  constexpr uint64_t page = 4096;
  uint64_t textOffset = page;
  uint64_t dataOffset = textOffset + (text.size() + page - 1) / page * page;
  std::vector<uint8_t> file(dataOffset + data.size());
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_RISCV;
  header.e_version = EV_CURRENT;
  header.e_entry = textBase;
  header.e_phoff = sizeof(header);
  header.e_flags = EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE;
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr segments[2]{};
  segments[0] = {PT_LOAD,  PF_R | PF_X, textOffset,  textBase,
                 textBase, text.size(), text.size(), page};
  segments[1] = {PT_LOAD,  PF_R | PF_W, dataOffset,  dataBase,
                 dataBase, data.size(), data.size(), page};
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), segments, sizeof(segments));
  std::memcpy(file.data() + textOffset, text.data(), text.size());
  std::memcpy(file.data() + dataOffset, data.data(), data.size());
  return file;
}

} // namespace chipwright::test
