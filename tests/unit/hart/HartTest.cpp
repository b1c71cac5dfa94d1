//===- HartTest.cpp - Environment protocol and atomics --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/hart/Assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chipwright::test {
namespace {

using namespace sim;

/// Answers with whatever the test has set.
struct ScriptedEnv : HartEnv {
  CustomResult custom(Hart &, uint32_t word, uint64_t rs1, uint64_t rs2,
                      uint64_t cycle) override {
    ++customCalls;
    lastWord = word, lastRs1 = rs1, lastRs2 = rs2, lastCycle = cycle;
    return customAnswer;
  }
  MemResult load(Hart &, uint64_t, unsigned, uint64_t, bool) override {
    return memoryAnswer;
  }
  MemResult store(Hart &, uint64_t address, unsigned size, uint64_t value,
                  bool tainted, uint64_t) override {
    lastAddress = address, lastSize = size, lastValue = value;
    lastTainted = tainted;
    return memoryAnswer;
  }
  MemResult atomic(Hart &, Op op, uint64_t, uint64_t operand, bool,
                   uint64_t) override {
    lastOp = op, lastValue = operand;
    return memoryAnswer;
  }
  CustomResult customAnswer;
  MemResult memoryAnswer;
  unsigned customCalls = 0;
  uint32_t lastWord = 0;
  uint64_t lastRs1 = 0, lastRs2 = 0, lastCycle = 0, lastAddress = 0,
           lastValue = 0;
  unsigned lastSize = 0;
  bool lastTainted = false;
  Op lastOp = Op::Illegal;
};

using ScriptedRig = Rig<ScriptedEnv>;

TEST(Custom, DoneWritesRdAndTakesTime) {
  ScriptedRig rig({addi(a1, zero, 5), custom0(a0, a1, zero), nop});
  rig.env.customAnswer = CustomResult::done(9, 0x1234);
  EXPECT_EQ(rig.run(2), HartStop::InstructionLimit);
  EXPECT_EQ(rig.env.lastRs1, 5u);
  EXPECT_EQ(rig.env.lastCycle, 1u);
  EXPECT_EQ(rig.env.lastWord, custom0(a0, a1, zero));
  EXPECT_EQ(rig.hart.reg(a0), 0x1234u);
  EXPECT_EQ(rig.hart.cycle(), 9u);
}

TEST(Custom, DoneWithoutResultKeepsRd) {
  ScriptedRig rig({addi(a0, zero, 7), custom0(a0, zero, zero)});
  rig.env.customAnswer = CustomResult::done(0);
  EXPECT_EQ(rig.run(2), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.reg(a0), 7u);
  EXPECT_EQ(rig.hart.cycle(), 2u); // at least one cycle
}

TEST(Custom, BlockRetryExecutesAgain) {
  ScriptedRig rig({custom0(a0, zero, zero), nop});
  rig.env.customAnswer = CustomResult::blockRetry();
  EXPECT_EQ(rig.run(1), HartStop::Blocked);
  EXPECT_EQ(rig.run(1), HartStop::Blocked);
  EXPECT_EQ(rig.env.customCalls, 2u);
  EXPECT_EQ(rig.hart.counters().instructions, 0u);
  rig.hart.resumeAt(40);
  rig.env.customAnswer = CustomResult::done(41, 1);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.env.lastCycle, 40u);
  EXPECT_EQ(rig.hart.reg(a0), 1u);
}

TEST(Custom, BlockCompleteIsFinishedByTheEnvironment) {
  ScriptedRig rig({custom0(a0, zero, zero), addi(a1, a0, 1)});
  rig.env.customAnswer = CustomResult::blockComplete();
  EXPECT_EQ(rig.run(2), HartStop::Blocked);
  EXPECT_TRUE(rig.hart.pendingCompletion());
  EXPECT_EQ(rig.run(2), HartStop::Blocked); // nothing happens meanwhile
  EXPECT_EQ(rig.env.customCalls, 1u);
  rig.hart.complete(30, 99, true);
  EXPECT_FALSE(rig.hart.pendingCompletion());
  EXPECT_EQ(rig.hart.counters().instructions, 1u);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.reg(a1), 100u);
  EXPECT_EQ(rig.hart.cycle(), 31u);
  EXPECT_EQ(rig.hart.taintMask(), uint64_t(1) << a0 | uint64_t(1) << a1);
}

TEST(Custom, RetriedAndCompletedRunsHashAlike) {
  std::initializer_list<uint32_t> words = {custom0(a0, zero, zero), nop};
  ScriptedRig direct(words), completed(words);
  direct.env.customAnswer = CustomResult::done(5, 1);
  completed.env.customAnswer = CustomResult::blockComplete();
  direct.run(2);
  completed.run(2);
  completed.hart.complete(5, 1);
  completed.run(1);
  EXPECT_EQ(direct.hart.pcHash(), completed.hart.pcHash());
  EXPECT_EQ(direct.hart.cycle(), completed.hart.cycle());
  EXPECT_EQ(direct.hart.digest(), completed.hart.digest());
}

TEST(Custom, Halt) {
  ScriptedRig rig({custom0(zero, zero, zero), nop});
  rig.env.customAnswer = CustomResult::halt();
  EXPECT_EQ(rig.run(5), HartStop::Halted);
  EXPECT_EQ(rig.hart.counters().instructions, 1u);
  EXPECT_EQ(rig.run(5), HartStop::Halted);
  rig.hart.reset(textBase + 4);
  EXPECT_FALSE(rig.hart.halted());
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
}

TEST(Custom, ErrorNamesTheReason) {
  ScriptedRig rig({custom0(zero, zero, zero)});
  rig.env.customAnswer = CustomResult::error();
  EXPECT_EQ(rig.run(1), HartStop::Error);
  EXPECT_EQ(rig.hart.error().kind, HartErrorKind::Environment);
  EXPECT_THAT(rig.hart.error().text, testing::HasSubstr("custom-0"));
}

TEST(Memory, CompletedLoadsExtend) {
  struct Case {
    Op op;
    uint64_t expected;
  };
  for (const Case &c :
       {Case{Op::Lb, ~uint64_t(0x7f)}, Case{Op::Lbu, 0x80},
        Case{Op::Lh, uint64_t(int64_t(int16_t(0x8180)))}, Case{Op::Lhu, 0x8180},
        Case{Op::Lw, 0xffffffff83828180}, Case{Op::Lwu, 0x83828180},
        Case{Op::Ld, 0x8786858483828180}}) {
    for (bool completed : {false, true}) {
      ScriptedRig rig({iType(c.op, a0, t0, 0)});
      rig.hart.setReg(t0, 0x90000);
      uint64_t value = 0x8786858483828180;
      rig.env.memoryAnswer =
          completed ? MemResult::blockComplete() : MemResult::done(value, 9);
      EXPECT_EQ(rig.run(1),
                completed ? HartStop::Blocked : HartStop::InstructionLimit);
      if (completed) {
        rig.hart.complete(9, value);
      }
      EXPECT_EQ(rig.hart.reg(a0), c.expected) << opName(c.op);
    }
  }
}

TEST(Memory, StoresPassValueSizeAndTaint) {
  ScriptedRig rig({sType(Op::Sh, a0, 2, t0), nop});
  rig.hart.setReg(t0, 0x90000);
  rig.hart.setReg(a0, 0x12345, true);
  rig.env.memoryAnswer = MemResult::done(0, 6);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.env.lastAddress, 0x90002u);
  EXPECT_EQ(rig.env.lastSize, 2u);
  EXPECT_EQ(rig.env.lastValue & 0xffff, 0x2345u);
  EXPECT_TRUE(rig.env.lastTainted);
  EXPECT_EQ(rig.hart.cycle(), 6u);
}

TEST(Memory, AtomicsOutsideWindowsGoToTheEnvironment) {
  ScriptedRig rig({rType(Op::AmomaxW, a0, t0, a1)});
  rig.hart.setReg(t0, 0x90000);
  rig.hart.setReg(a1, 3);
  rig.env.memoryAnswer = MemResult::done(0x80000000, 6);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.env.lastOp, Op::AmomaxW);
  EXPECT_EQ(rig.hart.reg(a0), 0xffffffff80000000u);
}

TEST(Memory, WindowEdges) {
  // The last eight bytes and their neighbours, at every size.
  for (unsigned size : {1, 2, 4, 8}) {
    Op op = size == 1   ? Op::Lbu
            : size == 2 ? Op::Lhu
            : size == 4 ? Op::Lwu
                        : Op::Ld;
    for (int64_t offset :
         {-int64_t(size) - 1, -int64_t(size), 1 - int64_t(size), int64_t(0)}) {
      Rig<> rig({iType(op, a0, t0, 0)});
      std::fill(rig.memory.begin(), rig.memory.end(), 0x11);
      rig.hart.setReg(t0, memoryBase + 4096 + uint64_t(offset));
      bool inside = offset + int64_t(size) <= 0;
      EXPECT_EQ(rig.run(1),
                inside ? HartStop::InstructionLimit : HartStop::Error);
      rig.hart.reset(textBase);
      rig.hart.setReg(t0, memoryBase + uint64_t(offset));
      EXPECT_EQ(rig.run(1),
                offset == 0 ? HartStop::InstructionLimit : HartStop::Error)
          << size << " " << offset;
    }
  }
}

TEST(Memory, BadAccessNamesAddressAndMemory) {
  Rig<> rig({iType(Op::Lw, a0, t0, 0)});
  rig.hart.setReg(t0, 0x777000);
  EXPECT_EQ(rig.run(1), HartStop::Error);
  EXPECT_EQ(rig.hart.error().kind, HartErrorKind::BadAccess);
  EXPECT_THAT(rig.hart.error().text, testing::HasSubstr("0x777000"));
  EXPECT_THAT(rig.hart.error().text, testing::HasSubstr("0x20000..0x21000"));
}

TEST(Memory, ReadOnlyWindow) {
  HartEnv env;
  std::vector<uint8_t> bytes(64);
  for (uint32_t word :
       {sType(Op::Sd, zero, 0, t0), rType(Op::AmoorW, a0, t0, a1)}) {
    Hart hart(testSpec(), env, 0);
    hart.addWindow({0x4000, 64, bytes.data(), nullptr, false});
    std::vector<uint8_t> text(4);
    std::memcpy(text.data(), &word, 4);
    hart.setImage(std::make_shared<DecodedImage>(textBase, text));
    hart.reset(textBase);
    hart.setReg(t0, 0x4000);
    EXPECT_EQ(hart.run(100), HartStop::Error);
    EXPECT_EQ(hart.error().kind, HartErrorKind::BadAccess);
  }
}

TEST(Atomic, ReservationNeedsSameAddressAndValue) {
  for (int changed = 0; changed < 2; ++changed) {
    Rig<> rig({rType(Op::LrD, a0, sp, 0), nop, rType(Op::ScD, a1, sp, a2),
               rType(Op::ScD, a3, sp, a2)});
    rig.hart.setReg(a2, 5);
    rig.run(2);
    if (changed) {
      rig.write(2048, 1);
    }
    rig.run(2);
    EXPECT_EQ(rig.hart.reg(a1), uint64_t(changed));
    EXPECT_EQ(rig.read(2048), changed ? 1u : 5u);
    EXPECT_EQ(rig.hart.reg(a3), 1u); // the reservation is used up
  }
}

TEST(Hart, NoProgramIsAnError) {
  HartEnv env;
  Hart hart(testSpec(), env, 0);
  EXPECT_EQ(hart.run(10), HartStop::Error);
  EXPECT_EQ(hart.error().kind, HartErrorKind::FetchFault);
}

TEST(Hart, CountsOpcodes) {
  Rig<> rig({nop, nop, rType(Op::Mul, a0, a0, a0)});
  OpCounts counts;
  rig.hart.countOps(&counts);
  rig.run(3);
  EXPECT_EQ(counts.ops[unsigned(Op::Addi)], 2u);
  EXPECT_EQ(counts.ops[unsigned(Op::Mul)], 1u);
  EXPECT_EQ(counts.compressed[unsigned(CForm::None)], 3u);
}

TEST(Hart, PcHashTellsPathsApart) {
  Rig<> straight({nop, nop, nop});
  Rig<> jumping({jal(zero, 8), nop, nop});
  straight.run(2);
  jumping.run(2);
  EXPECT_NE(straight.hart.pcHash(), jumping.hart.pcHash());
  straight.hart.reset(textBase);
  uint64_t fresh = straight.hart.pcHash();
  straight.run(2);
  EXPECT_NE(straight.hart.pcHash(), fresh);
}

TEST(Hart, ResetIsCanonical) {
  Rig<> rig({iType(Op::Ld, a0, sp, 0), rType(Op::Mul, a1, a0, a0), nop});
  rig.hart.reset(textBase);
  uint64_t before = rig.hart.digest();
  rig.hart.setReg(sp, memoryBase);
  rig.run(3);
  EXPECT_NE(rig.hart.digest(), before);
  rig.hart.reset(textBase, 500);
  EXPECT_EQ(rig.hart.digest(), before);
  EXPECT_EQ(rig.hart.cycle(), 500u);
}

} // namespace
} // namespace chipwright::test
