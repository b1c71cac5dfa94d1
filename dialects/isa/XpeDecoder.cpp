//===- XpeDecoder.cpp - Instruction words ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/Xpe.h"

#include <cstdio>

namespace chipwright::isa {

const char *registerName(unsigned number) {
  // RISC-V ABIs Specification, integer register convention.
  static const char *const names[32] = {
      "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
      "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
      "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
  return number < 32 ? names[number] : "?";
}

static std::string illegalText(uint32_t word) {
  char text[24];
  std::snprintf(text, sizeof(text), ".word 0x%08x",
                static_cast<unsigned>(word));
  return text;
}

#include "dialects/isa/XpeDecoder.cpp.inc"

std::optional<Opcode> opcodeFromMnemonic(std::string_view mnemonic) {
  for (unsigned i = 0; i < opcodeCount; ++i) {
    if (mnemonic == instTable[i].mnemonic) {
      return static_cast<Opcode>(i);
    }
  }
  return std::nullopt;
}

} // namespace chipwright::isa
