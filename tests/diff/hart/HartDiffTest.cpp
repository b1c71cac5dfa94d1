//===- HartDiffTest.cpp - The hart against qemu-riscv64 -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Random programs run on our hart and under QEMU's user-mode emulation; every
// register, fcsr and the data area must agree after every sequence. ebreak,
// mret and wfi are left out, because a user-mode emulator cannot execute them
// to an end; unit tests cover them.
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/LinuxUser.h"
#include "tests/diff/hart/RandomProgram.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

namespace chipwright::test {
namespace {

using namespace sim;

constexpr unsigned sequencesPerProgram = 1000, itemsPerSequence = 100;
/// The project's bound for every opcode and compressed form.
constexpr uint64_t minExecutions = 1000;

uint64_t wordAt(const std::string &bytes, uint64_t offset) {
  uint64_t value = 0;
  if (offset + 8 <= bytes.size()) {
    std::memcpy(&value, bytes.data() + offset, 8);
  }
  return value;
}

/// Lists what differs in a record and what our hart executed for it.
std::string explain(const ElfImage &image, const SequenceInfo &sequence,
                    const std::string &ours, const std::string &qemus) {
  std::string text;
  for (uint64_t i = 0; i < sequence.outputBytes / 8; ++i) {
    uint64_t a = wordAt(ours, sequence.outputOffset + i * 8);
    uint64_t b = wordAt(qemus, sequence.outputOffset + i * 8);
    if (a == b) {
      continue;
    }
    std::string name =
        i < 64    ? fmt::format("{} ({}{})", registerName(unsigned(i)),
                                i < 32 ? 'x' : 'f', i % 32)
        : i == 64 ? "fcsr"
                  : fmt::format("arena+{:#x}", i * 8 - stateBytes);
    text += fmt::format("  {}: hart {:016x}, qemu {:016x}\n", name, a, b);
  }
  std::string trace;
  uint64_t lastPc = 0;
  auto decoded = image.decodeText();
  runOnHart(image, nullptr, 100000000, 0, [&](const Hart &hart) {
    auto show = [&](uint64_t pc) {
      return pc >= sequence.firstPc && pc < sequence.endPc;
    };
    if (show(lastPc)) {
      const DecodedOp &op = decoded->ops()[(lastPc - decoded->base()) / 2];
      if (op.rd != discardRegister) {
        trace += fmt::format("  -> {:016x} fcsr {:02x}", hart.reg(op.rd),
                             hart.fcsr());
      }
      trace += "\n";
    }
    if (show(hart.pc())) {
      const DecodedOp &op = decoded->ops()[(hart.pc() - decoded->base()) / 2];
      trace += fmt::format("  {:x}: {:<36} {:016x} {:016x} {:016x}", hart.pc(),
                           disassemble(op.word, hart.pc()), hart.reg(op.rs1),
                           hart.reg(op.rs2), hart.reg(op.rs3));
    }
    lastPc = hart.pc();
  });
  return text + trace;
}

/// \returns "" if both agree on all records.
std::string compareProgram(uint64_t seed, OpCounts &counts,
                           uint64_t &bodyInstructions) {
  RandomProgram program =
      generateProgram(seed, sequencesPerProgram, itemsPerSequence);
  bodyInstructions += program.bodyInstructions;
  std::vector<uint8_t> elf = program.elf();
  ElfImage image;
  std::string error;
  if (!ElfImage::parse(elf, "random program", {}, image, error)) {
    return error;
  }
  OpCounts programCounts;
  UserRun ours = runOnHart(image, &programCounts, 100000000);
  UserRun qemus = runOnQemu(elf);
  for (unsigned i = 0; i < numOps; ++i) {
    counts.ops[i] += programCounts.ops[i];
  }
  for (unsigned i = 0; i < numCForms; ++i) {
    counts.compressed[i] += programCounts.compressed[i];
  }
  for (const SequenceInfo &sequence : program.sequences) {
    uint64_t end = sequence.outputOffset + sequence.outputBytes;
    if (ours.output.size() < end || qemus.output.size() < end ||
        ours.output.compare(sequence.outputOffset, sequence.outputBytes,
                            qemus.output, sequence.outputOffset,
                            sequence.outputBytes) != 0) {
      return fmt::format("program seed {}, sequence at pc {:#x} differs (hart: "
                         "{} qemu: {})\n",
                         seed, sequence.firstPc, ours.error, qemus.error) +
             explain(image, sequence, ours.output, qemus.output);
    }
  }
  if (!ours.exited || !qemus.exited || ours.exitCode != qemus.exitCode) {
    return fmt::format("program seed {}: hart: exit {} {}, qemu: exit {} {}",
                       seed, ours.exitCode, ours.error, qemus.exitCode,
                       qemus.error);
  }
  return "";
}

TEST(HartDiff, RandomInstructions) {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed =
      given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  bool longRun = std::getenv("CHIPWRIGHT_LONG") != nullptr;
  uint64_t wanted = longRun ? 10000000 : 1000000;
  fmt::print("CHIPWRIGHT_SEED={}\n", seed);
  OpCounts counts;
  uint64_t generated = 0;
  for (uint64_t program = 0; generated < wanted; ++program) {
    std::string difference = compareProgram(seed + program, counts, generated);
    ASSERT_EQ(difference, "") << "CHIPWRIGHT_SEED=" << seed;
  }
  uint64_t executed = 0;
  std::string tooFew;
  auto count = [&](const char *name, uint64_t times) {
    fmt::print("{:<12} {}\n", name, times);
    if (times < minExecutions) {
      tooFew += fmt::format("{} {}\n", name, times);
    }
  };
  for (unsigned i = 0; i < unsigned(Op::Custom); ++i) {
    executed += counts.ops[i];
    if (Op(i) != Op::Ebreak && Op(i) != Op::Mret && Op(i) != Op::Wfi) {
      count(opName(Op(i)), counts.ops[i]);
    }
  }
  for (unsigned i = 1; i < numCForms; ++i) {
    if (CForm(i) != CForm::Ebreak) {
      count(cFormName(CForm(i)), counts.compressed[i]);
    }
  }
  fmt::print("{} random instructions generated, {} executed in all\n",
             generated, executed);
  EXPECT_EQ(tooFew, "") << "executed less than " << minExecutions << " times";
}

} // namespace
} // namespace chipwright::test
