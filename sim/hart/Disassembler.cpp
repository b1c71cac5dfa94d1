//===- Disassembler.cpp - Assembly text of an instruction -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Csr.h"
#include "sim/hart/Instruction.h"

#include <fmt/format.h>

namespace chipwright::sim {

const char *registerName(unsigned reg) {
  static constexpr const char *names[] = {
      "zero", "ra",  "sp",   "gp",  "tp",  "t0",  "t1",  "t2",  "s0",   "s1",
      "a0",   "a1",  "a2",   "a3",  "a4",  "a5",  "a6",  "a7",  "s2",   "s3",
      "s4",   "s5",  "s6",   "s7",  "s8",  "s9",  "s10", "s11", "t3",   "t4",
      "t5",   "t6",  "ft0",  "ft1", "ft2", "ft3", "ft4", "ft5", "ft6",  "ft7",
      "fs0",  "fs1", "fa0",  "fa1", "fa2", "fa3", "fa4", "fa5", "fa6",  "fa7",
      "fs2",  "fs3", "fs4",  "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11",
      "ft8",  "ft9", "ft10", "ft11"};
  return reg < 64 ? names[reg] : "zero";
}

namespace {

const char *roundingName(unsigned rm) {
  static constexpr const char *names[] = {"rne", "rtz", "rdn", "rup",
                                          "rmm", "?",   "?",   "dyn"};
  return names[rm & 7];
}

std::string csrText(uint32_t csr) {
  const char *name = csrName(csr);
  return name ? std::string(name) : fmt::format("{:#x}", csr);
}

std::string fenceSet(uint32_t bits) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i) {
    if (bits >> (3 - i) & 1) {
      text += "iorw"[i];
    }
  }
  return text.empty() ? "0" : text;
}

} // namespace

std::string disassemble(uint32_t word, uint64_t pc) {
  DecodedOp d = decode(word);
  uint32_t full = d.length == 2 ? expandCompressed(uint16_t(word)) : word;
  auto r = [](unsigned reg) { return registerName(reg); };
  std::string name = opName(d.op);
  uint64_t target = pc + uint64_t(int64_t(d.imm));
  switch (opFormat(d.op)) {
  case OpFormat::R:
  case OpFormat::FRFixed:
  case OpFormat::FCompare:
    return fmt::format("{} {}, {}, {}", name, r(d.rd), r(d.rs1), r(d.rs2));
  case OpFormat::I:
  case OpFormat::Shift6:
  case OpFormat::Shift5:
    return fmt::format("{} {}, {}, {}", name, r(d.rd), r(d.rs1), d.imm);
  case OpFormat::U:
    return fmt::format("{} {}, {:#x}", name, r(d.rd), full >> 12);
  case OpFormat::J:
    return fmt::format("{} {}, {:#x}", name, r(d.rd), target);
  case OpFormat::B:
    return fmt::format("{} {}, {}, {:#x}", name, r(d.rs1), r(d.rs2), target);
  case OpFormat::Jalr:
  case OpFormat::Load:
  case OpFormat::FLoad:
    return fmt::format("{} {}, {}({})", name, r(d.rd), d.imm, r(d.rs1));
  case OpFormat::Store:
  case OpFormat::FStore:
    return fmt::format("{} {}, {}({})", name, r(d.rs2), d.imm, r(d.rs1));
  case OpFormat::Fence:
    if (full == 0x8330000f) {
      return "fence.tso";
    }
    return fmt::format("{} {}, {}", name, fenceSet(full >> 24 & 15),
                       fenceSet(full >> 20 & 15));
  case OpFormat::Csr:
    return fmt::format("{} {}, {}, {}", name, r(d.rd), csrText(uint32_t(d.imm)),
                       r(d.rs1));
  case OpFormat::CsrI:
    return fmt::format("{} {}, {}, {}", name, r(d.rd), csrText(uint32_t(d.imm)),
                       d.rm);
  case OpFormat::Lr:
  case OpFormat::Amo: {
    static constexpr const char *suffixes[] = {"", ".rl", ".aq", ".aqrl"};
    const char *order = suffixes[full >> 25 & 3];
    if (opFormat(d.op) == OpFormat::Lr) {
      return fmt::format("{}{} {}, ({})", name, order, r(d.rd), r(d.rs1));
    }
    return fmt::format("{}{} {}, {}, ({})", name, order, r(d.rd), r(d.rs2),
                       r(d.rs1));
  }
  case OpFormat::FR4:
    return fmt::format("{} {}, {}, {}, {}, {}", name, r(d.rd), r(d.rs1),
                       r(d.rs2), r(d.rs3), roundingName(d.rm));
  case OpFormat::FR:
    return fmt::format("{} {}, {}, {}, {}", name, r(d.rd), r(d.rs1), r(d.rs2),
                       roundingName(d.rm));
  case OpFormat::FF:
  case OpFormat::XF:
  case OpFormat::FX: {
    // Widening conversions are exact; objdump prints their mode only if it is
    // not the canonical rne.
    bool exact =
        d.op == Op::FcvtDS || d.op == Op::FcvtDW || d.op == Op::FcvtDWu;
    if (exact && d.rm == 0) {
      return fmt::format("{} {}, {}", name, r(d.rd), r(d.rs1));
    }
    return fmt::format("{} {}, {}, {}", name, r(d.rd), r(d.rs1),
                       roundingName(d.rm));
  }
  case OpFormat::XFFixed:
  case OpFormat::FXFixed:
    return fmt::format("{} {}, {}", name, r(d.rd), r(d.rs1));
  case OpFormat::Custom:
    return fmt::format("custom-{} {:#010x}",
                       (word >> 5 & 1) + (word >> 6 & 1) * 2, word);
  case OpFormat::None:
    break;
  }
  if (d.op == Op::Illegal) {
    return fmt::format("illegal {:#0{}x}", d.word, d.length == 2 ? 6 : 10);
  }
  return name;
}

} // namespace chipwright::sim
