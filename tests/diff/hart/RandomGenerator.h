//===- RandomGenerator.h - State of the program generator -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_HART_RANDOMGENERATOR_H
#define CHIPWRIGHT_TESTS_DIFF_HART_RANDOMGENERATOR_H

#include "sim/hart/Csr.h"
#include "sim/hart/Hart.h"
#include "tests/diff/hart/RandomProgram.h"

#include <random>

namespace chipwright::test {

using namespace sim;

// Registers that a body does not change: sp and s0 point into the arena (s0 at
// any alignment), gp into the table, tp to the dump area.
constexpr unsigned sp = 2, gp = 3, tp = 4, s0 = 8;

inline uint32_t matchOf(Op op) {
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

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_HART_RANDOMGENERATOR_H
