//===- Assembler.h - Instruction words for hart tests -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_HART_ASSEMBLER_H
#define CHIPWRIGHT_TESTS_UNIT_HART_ASSEMBLER_H

#include "sim/hart/Hart.h"

#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

namespace chipwright::test {

// ABI names of the registers that tests use.
enum XReg : unsigned {
  zero = 0,
  ra = 1,
  sp = 2,
  t0 = 5,
  t1 = 6,
  t2 = 7,
  a0 = 10,
  a1 = 11,
  a2 = 12,
  a3 = 13,
};

inline uint32_t matchOf(sim::Op op) {
  static constexpr uint32_t table[] = {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK) MATCH,
#include "sim/hart/Ops.def"
  };
  return table[unsigned(op)];
}

/// R-type and floating-point words; \p rm as encoded (7: dynamic).
inline uint32_t rType(sim::Op op, unsigned rd, unsigned rs1, unsigned rs2,
                      unsigned rm = 0) {
  return matchOf(op) | rd << 7 | rs1 << 15 | rs2 << 20 | rm << 12;
}
/// I-type, loads, shifts and CSR words (imm is the shift amount or the CSR).
inline uint32_t iType(sim::Op op, unsigned rd, unsigned rs1, int32_t imm) {
  return matchOf(op) | rd << 7 | rs1 << 15 | uint32_t(imm) << 20;
}
inline uint32_t sType(sim::Op op, unsigned rs2, int32_t imm, unsigned rs1) {
  return matchOf(op) | rs1 << 15 | rs2 << 20 | (uint32_t(imm) & 31) << 7 |
         uint32_t(imm) >> 5 << 25;
}
inline uint32_t bType(sim::Op op, unsigned rs1, unsigned rs2, int32_t offset) {
  uint32_t imm = uint32_t(offset);
  return matchOf(op) | rs1 << 15 | rs2 << 20 | (imm >> 11 & 1) << 7 |
         (imm >> 1 & 15) << 8 | (imm >> 5 & 63) << 25 | (imm >> 12 & 1) << 31;
}
inline uint32_t jal(unsigned rd, int32_t offset) {
  uint32_t imm = uint32_t(offset);
  return 0x6f | rd << 7 | (imm >> 12 & 255) << 12 | (imm >> 11 & 1) << 20 |
         (imm >> 1 & 1023) << 21 | (imm >> 20 & 1) << 31;
}
inline uint32_t uType(sim::Op op, unsigned rd, uint32_t imm20) {
  return matchOf(op) | rd << 7 | imm20 << 12;
}
inline uint32_t addi(unsigned rd, unsigned rs1, int32_t imm) {
  return iType(sim::Op::Addi, rd, rs1, imm);
}
/// custom-0 with the given register fields.
inline uint32_t custom0(unsigned rd, unsigned rs1, unsigned rs2) {
  return 0x0b | rd << 7 | rs1 << 15 | rs2 << 20;
}
constexpr uint32_t nop = 0x13;

/// Latencies that differ from each other, so that a mix-up shows.
inline HartSpec testSpec() {
  HartSpec spec{};
  spec.isa = "rv64imafdc_zba";
  spec.loadCycles = 3;
  spec.mulCycles = 4;
  spec.divCycles = 21;
  spec.branchCycles = 2;
  spec.fpCycles = 5;
  spec.fpDivCycles = 17;
  spec.icacheBytes = 1024;
  spec.dcacheBytes = 256;
  spec.cacheLineBytes = 64;
  spec.cacheWays = 2;
  return spec;
}

constexpr uint64_t textBase = 0x1000, memoryBase = 0x20000;

/// A hart with 4 KB of text at textBase at most and 4 KB of local memory.
template <typename Env = sim::HartEnv> struct Rig {
  explicit Rig(std::initializer_list<uint32_t> words,
               HartSpec spec = testSpec(), sim::CustomDecoder custom = nullptr)
      : memory(4096), taint(4096), hart(spec, env, 3) {
    std::vector<uint8_t> text(words.size() * 4);
    std::memcpy(text.data(), words.begin(), text.size());
    hart.addWindow({memoryBase, memory.size(), memory.data(), taint.data()});
    hart.setImage(std::make_shared<sim::DecodedImage>(textBase, text, custom));
    hart.reset(textBase);
    hart.setReg(sp, memoryBase + 2048);
  }
  sim::HartStop run(uint64_t instructions) {
    return hart.run(~uint64_t(0), instructions);
  }
  uint64_t read(uint64_t offset) const {
    uint64_t value;
    std::memcpy(&value, &memory[offset], 8);
    return value;
  }
  void write(uint64_t offset, uint64_t value) {
    std::memcpy(&memory[offset], &value, 8);
  }

  Env env;
  std::vector<uint8_t> memory, taint;
  sim::Hart hart;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_HART_ASSEMBLER_H
