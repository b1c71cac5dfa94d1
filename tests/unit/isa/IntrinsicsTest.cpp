//===- IntrinsicsTest.cpp - Tests of the C header for kernels -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/isa/KernelRun.h"
#include "tests/unit/isa/TestSupport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace chipwright::isa;
using namespace chipwright::isa::test;
using testing::HasSubstr;

/// "xpe.dma.in" to "xpe_dma_in".
static std::string cName(Opcode opcode) {
  std::string name = instInfo(opcode).mnemonic;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

static std::string structName(Opcode opcode) {
  switch (opcode) {
  case Opcode::Drain:
    return "struct xpe_se";
  case Opcode::MluTranspose:
  case Opcode::MluCopy:
    return "struct xpe_mlu";
  default:
    return "struct " + cName(opcode);
  }
}

static std::string number(uint64_t value, bool isSigned = false) {
  return isSigned ? "(int64_t)" + std::to_string(value) + "ULL"
                  : std::to_string(value) + "ULL";
}

/// C text that issues one command with the given slices, once with an explicit
/// word.
static std::string issueText(Opcode opcode, const uint64_t *values,
                             uint64_t word, unsigned context) {
  std::string text = "{ const " + structName(opcode) + " c = {";
  std::string terms;
  // Arguments of the packer stand in the order of the word's bits.
  std::vector<std::pair<int, std::string>> arguments;
  for (const SliceInfo &slice : slices(opcode)) {
    const uint64_t mask =
        slice.width == 64 ? ~uint64_t(0) : (uint64_t(1) << slice.width) - 1;
    uint64_t value = values[slice.field] >> slice.lo & mask;
    if (slice.isSigned) {
      const unsigned up = 64u - slice.width;
      value = static_cast<uint64_t>(static_cast<int64_t>(value << up) >> up);
    }
    text += "." + std::string(slice.name) + " = " +
            number(value, slice.isSigned) + ", ";
    if (slice.termLo >= 0) {
      const uint64_t termMask = slice.termWidth == 64
                                    ? ~uint64_t(0)
                                    : (uint64_t(1) << slice.termWidth) - 1;
      arguments.push_back(
          {slice.termLo, number(word >> slice.termLo & termMask)});
    }
  }
  std::sort(arguments.begin(), arguments.end());
  for (const auto &[lo, argument] : arguments) {
    terms += (terms.empty() ? "" : ", ") + argument;
  }
  const std::string name = cName(opcode);
  const std::string ctx = std::to_string(context);
  return text + "};\n  " + name + "_bind(" + ctx + ", &c);\n  " + name +
         "_go(" + ctx + ", &c, " + name + "_word(" + terms + ")); }\n";
}

static std::string kernelOf(const std::string &body) {
  return "void kernel(uint64_t a, uint64_t b);\n"
         "void kernel(uint64_t a, uint64_t b) {\n  (void)a; (void)b;\n" +
         body + "}\n";
}

/// Every slice and term of every command, random values, with and without
/// contexts.
TEST(Intrinsics, CommandsArriveAsWritten) {
  std::mt19937_64 random = makeRandom();
  for (unsigned contexts : {0u, 16u}) {
    for (int round = 0; round < 3; ++round) {
      std::string body;
      std::vector<std::array<uint64_t, fieldCount>> expectedFields;
      std::vector<uint64_t> expectedWords;
      for (Opcode opcode : allCommands()) {
        uint64_t values[fieldCount];
        uint64_t word = 0;
        randomCommand(opcode, random, values, word);
        // Zeros take another path in the header: have many in one round.
        for (uint64_t &value : values) {
          value = round == 1 && random() % 2 ? 0 : value;
        }
        word = round == 2 ? 0 : word;
        body += issueText(opcode, values, word, 3);
        expectedFields.push_back({});
        std::copy(values, values + fieldCount, expectedFields.back().begin());
        expectedWords.push_back(word);
      }
      const KernelRun run = runKernel(kernelOf(body), contexts);
      ASSERT_EQ(run.error, "");
      ASSERT_EQ(run.executed.size(), expectedWords.size());
      for (size_t i = 0; i < run.executed.size(); ++i) {
        const Executed &entry = run.executed[i];
        const Opcode opcode = allCommands()[i];
        EXPECT_EQ(entry.inst.opcode, opcode);
        EXPECT_EQ(entry.inst.ctx, contexts == 0 ? 0 : 3);
        EXPECT_NE(entry.inst.rs1, 0) << "a word of 0 is not `auto`";
        EXPECT_EQ(entry.word, expectedWords[i]) << instInfo(opcode).mnemonic;
        for (unsigned field = 0; field < fieldCount; ++field) {
          if (fieldMask(opcode) >> field & 1) {
            EXPECT_EQ(entry.fields[field], expectedFields[i][field])
                << instInfo(opcode).mnemonic << " field " << field
                << " contexts " << contexts;
          }
        }
        EXPECT_EQ(explainCommand(opcode, entry.fields.data(), entry.word), "");
      }
    }
  }
}

TEST(Intrinsics, HartInstructions) {
  const std::string source = kernelOf(R"(
  uint64_t p = xpe_cb_wait(1, a);
  uint64_t q = xpe_cb_reserve(2, b);
  xpe_cb_push(3, p);
  xpe_cb_pop(4, q);
  xpe_cb_setup(5, 0);
  xpe_sem_post(a, b);
  xpe_sem_wait(6, a);
  xpe_sem_take(7, b);
  xpe_barrier(8, a);
  xpe_barrier_hart(9, b);
  xpe_fence();
  xpe_inval(a, 64);
  xpe_sem_wait(10, xpe_info(XPE_INFO_PE_STRIDE));
  xpe_sem_wait(11, xpe_counter(XPE_COUNTER_SE_BUSY));
  xpe_halt();
)");
  for (unsigned contexts : {0u, 16u}) {
    const KernelRun run = runKernel(source, contexts, 100, 200);
    ASSERT_EQ(run.error, "");
    struct Expected {
      Opcode opcode;
      unsigned immediate;
      uint64_t rs1Value;
      uint64_t rs2Value;
    };
    const Expected expected[] = {
        {Opcode::CbWait, 1, 100, 0},  {Opcode::CbReserve, 2, 200, 0},
        {Opcode::CbPush, 3, 1001, 0}, {Opcode::CbPop, 4, 1002, 0},
        {Opcode::CbSetup, 5, 0, 0},   {Opcode::SemPost, 0, 100, 200},
        {Opcode::SemWait, 6, 100, 0}, {Opcode::SemTake, 7, 200, 0},
        {Opcode::Barrier, 8, 100, 0}, {Opcode::BarrierHart, 9, 200, 0},
        {Opcode::Fence, 0, 0, 0},     {Opcode::Inval, 0, 100, 64},
        {Opcode::Info, 9, 0, 0},      {Opcode::SemWait, 10, 1009, 0},
        {Opcode::Counter, 4, 0, 0},   {Opcode::SemWait, 11, 1004, 0},
        {Opcode::Halt, 0, 0, 0}};
    // xpe.info is pure and may move: look at it apart.
    std::vector<Executed> rest;
    unsigned infos = 0;
    for (const Executed &entry : run.executed) {
      if (entry.inst.opcode == Opcode::Info) {
        ++infos;
      } else {
        rest.push_back(entry);
      }
    }
    EXPECT_EQ(infos, 1u);
    size_t i = 0;
    for (const Expected &item : expected) {
      if (item.opcode == Opcode::Info) {
        continue;
      }
      ASSERT_LT(i, rest.size());
      const Executed &entry = rest[i++];
      const DecodedXpe &inst = entry.inst;
      EXPECT_EQ(inst.opcode, item.opcode) << instInfo(item.opcode).mnemonic;
      EXPECT_EQ(inst.cb + inst.sem + inst.id + inst.which, item.immediate)
          << instInfo(item.opcode).mnemonic;
      EXPECT_EQ(entry.rs1Value, item.rs1Value)
          << instInfo(item.opcode).mnemonic;
      EXPECT_EQ(entry.rs2Value, item.rs2Value)
          << instInfo(item.opcode).mnemonic;
    }
    EXPECT_EQ(i, rest.size());
  }
}

TEST(Intrinsics, AutoIncrement) {
  const std::string source = kernelOf(R"(
  const struct xpe_se c = {.rows = 4, .cols = 8, .store = 1};
  xpe_se_bind(2, &c);
  xpe_set_auto(2, xpe_se_word(64, 0, 128));
  xpe_set_step(2, xpe_se_word(32, 0, 16));
  for (uint64_t i = 0; i < a; ++i) {
    xpe_se_auto(2);
  }
)");
  const KernelRun run = runKernel(source, 16, 5);
  ASSERT_EQ(run.error, "");
  ASSERT_EQ(run.executed.size(), 5u);
  for (unsigned i = 0; i < 5; ++i) {
    SeCommand command;
    std::string whyNot;
    ASSERT_TRUE(SeCommand::decode(run.executed[i].fields.data(),
                                  run.executed[i].word, command, whyNot))
        << whyNot;
    EXPECT_EQ(command.offset, 64 + 32 * i);
    EXPECT_EQ(command.outOffset, 128 + 16 * i);
    EXPECT_EQ(command.rows, 4u);
  }
  // A chip without contexts has no auto-increment.
  EXPECT_THAT(compileErrors(source, 0), HasSubstr("xpe_set_auto"));
}

/// A matrix product of 4 x 8 banks over `a` blocks of K, in three forms of the
/// two inner loops.
static std::string matmulKernel(const std::string &loops) {
  return kernelOf(R"(
  const struct xpe_mml c = {.a_cb = 1, .a_pitch = 64, .b_cb = 2,
                            .b_pitch = 64, .a_rows = 32, .b_rows = 32,
                            .passes = 4, .a_dtype = XPE_DTYPE_F16,
                            .b_dtype = XPE_DTYPE_F16, .a_step = 64,
                            .b_step = 64};
  xpe_mml_bind(3, &c);
)" + loops);
}

static const char *const rolledLoops = R"C(
  for (uint64_t k = 0; k < a; ++k)
    for (uint64_t i = 0; i < 4; ++i)
      for (uint64_t j = 0; j < 8; ++j)
        xpe_mml_go(3, &c, xpe_mml_word(i * 2048 + k * 8192,
                                       j * 2048 + k * 16384, i * 8 + j, k > 0));
)C";

static const char *const unrolledLoops = R"C(
  for (uint64_t k = 0; k < a; ++k)
_Pragma("clang loop unroll(full)")
    for (uint64_t i = 0; i < 4; ++i) {
      uint64_t word = xpe_keep(xpe_mml_word(i * 2048 + k * 8192, k * 16384,
                                            i * 8, k > 0));
_Pragma("clang loop unroll(full)")
      for (uint64_t j = 0; j < 8; ++j) {
        xpe_mml_go(3, &c, word);
        word = xpe_keep(word + xpe_mml_word(0, 2048, 1, 0));
      }
    }
)C";

static const char *const autoLoops = R"C(
  xpe_set_step(3, xpe_mml_word(0, 2048, 1, 0));
  for (uint64_t k = 0; k < a; ++k)
_Pragma("clang loop unroll(full)")
    for (uint64_t i = 0; i < 4; ++i) {
      xpe_set_auto(3, xpe_mml_word(i * 2048 + k * 8192, k * 16384, i * 8,
                                   k > 0));
_Pragma("clang loop unroll(full)")
      for (uint64_t j = 0; j < 8; ++j)
        xpe_mml_auto(3);
    }
)C";

/// \returns the instructions per command of ten more blocks of K.
static double instructionsPerCommand(const std::string &loops) {
  const KernelRun shorter = runKernel(matmulKernel(loops), 16, 10);
  const KernelRun longer = runKernel(matmulKernel(loops), 16, 20);
  EXPECT_EQ(shorter.error, "");
  EXPECT_EQ(longer.error, "");
  EXPECT_EQ(longer.executed.size(), 640u);
  EXPECT_EQ(shorter.executed.size(), 320u);
  for (size_t n = 0; n < longer.executed.size(); ++n) {
    MmlCommand command;
    std::string whyNot;
    const Executed &entry = longer.executed[n];
    EXPECT_TRUE(
        MmlCommand::decode(entry.fields.data(), entry.word, command, whyNot))
        << whyNot;
    const uint64_t k = n / 32;
    const uint64_t i = n / 8 % 4;
    const uint64_t j = n % 8;
    EXPECT_EQ(command.aOffset, i * 2048 + k * 8192);
    EXPECT_EQ(command.bOffset, j * 2048 + k * 16384);
    EXPECT_EQ(command.bank, i * 8 + j);
    EXPECT_EQ(command.accumulate, k > 0);
  }
  return static_cast<double>(longer.instructions - shorter.instructions) / 320;
}

/// The point of contexts and of the affine word: few instructions a command.
/// Bounds: command + addition + loop (2) and the outer loops' share; command +
/// addition and the outer loops' share; command and the outer loops' share.
TEST(Intrinsics, InstructionsPerCommand) {
  const double rolled = instructionsPerCommand(rolledLoops);
  const double unrolled = instructionsPerCommand(unrolledLoops);
  const double automatic = instructionsPerCommand(autoLoops);
  std::printf("instructions per command: rolled %.3f, unrolled %.3f, "
              "auto-increment %.3f\n",
              rolled, unrolled, automatic);
  EXPECT_LE(rolled, 5.0);
  EXPECT_LE(unrolled, 2.5);
  EXPECT_LE(automatic, 1.6);
}

/// Without contexts the same source writes every field before each command.
TEST(Intrinsics, WithoutContextsFieldsAreRewritten) {
  const KernelRun with = runKernel(matmulKernel(rolledLoops), 16, 3);
  const KernelRun without = runKernel(matmulKernel(rolledLoops), 0, 3);
  ASSERT_EQ(with.error, "");
  ASSERT_EQ(without.error, "");
  ASSERT_EQ(with.executed.size(), without.executed.size());
  EXPECT_EQ(with.fieldWrites, 7u);
  // a, b, shape and step hold something; acc, scale and sparse are 0.
  EXPECT_EQ(without.fieldWrites, 4 * without.executed.size());
  for (size_t i = 0; i < with.executed.size(); ++i) {
    MmlCommand a;
    MmlCommand b;
    std::string whyNot;
    ASSERT_TRUE(MmlCommand::decode(with.executed[i].fields.data(),
                                   with.executed[i].word, a, whyNot));
    ASSERT_TRUE(MmlCommand::decode(without.executed[i].fields.data(),
                                   without.executed[i].word, b, whyNot));
    EXPECT_EQ(a, b);
  }
}

TEST(Intrinsics, RuntimeOperands) {
  const std::string source = kernelOf(R"(
  const struct xpe_dma_in c = {.addr = a, .rows = b, .row_bytes = 256,
                               .pitch = -(int64_t)b, .valid_rows = b,
                               .valid_bytes = 256, .cb = 1};
  xpe_dma_in_bind(0, &c);
  xpe_dma_in_go(0, &c, xpe_dma_in_word(a));
)");
  for (unsigned contexts : {0u, 16u}) {
    const KernelRun run = runKernel(source, contexts, 0x1000, 24);
    ASSERT_EQ(run.error, "");
    ASSERT_EQ(run.executed.size(), 1u);
    DmaInCommand command;
    std::string whyNot;
    ASSERT_TRUE(DmaInCommand::decode(run.executed[0].fields.data(),
                                     run.executed[0].word, command, whyNot))
        << whyNot;
    EXPECT_EQ(command.addr, 0x2000u);
    EXPECT_EQ(command.rows, 24u);
    EXPECT_EQ(command.pitch, -24);
  }
}

TEST(Intrinsics, ConstantsThatDoNotFitAreCompileErrors) {
  for (unsigned contexts : {0u, 16u}) {
    EXPECT_THAT(compileErrors(kernelOf("const struct xpe_mml c = {.a_cb = "
                                       "256};\n  xpe_mml_bind(0, &c);\n  "
                                       "xpe_mml_go(0, &c, 0);\n"),
                              contexts),
                HasSubstr("a constant is too large for its slice"));
    EXPECT_THAT(
        compileErrors(kernelOf("const struct xpe_mml c = {.a_cb = 255};\n  "
                               "xpe_mml_bind(0, &c);\n  xpe_mml_go(0, &c, "
                               "xpe_mml_word(1 << 24, 0, 0, 0));\n"),
                      contexts),
        HasSubstr("a constant is too large for its slice"));
    EXPECT_EQ(
        compileErrors(kernelOf("const struct xpe_mml c = {.a_cb = 255};\n  "
                               "xpe_mml_bind(0, &c);\n  xpe_mml_go(0, &c, "
                               "xpe_mml_word(1, 0, 0, 0));\n"),
                      contexts),
        "");
  }
}
