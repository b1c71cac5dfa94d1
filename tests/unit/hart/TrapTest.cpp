//===- TrapTest.cpp - Machine-mode traps and CSRs -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/hart/Assembler.h"

#include "sim/hart/Csr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chipwright::test {
namespace {

using namespace sim;

constexpr uint64_t handler = textBase + 0x20;

/// Puts \p word where it traps; the handler at textBase + 0x20 reads the trap
/// CSRs, skips four bytes and returns.
struct TrapRig : Rig<> {
  explicit TrapRig(uint32_t word)
      : Rig<>({iType(Op::Csrrw, zero, t0, CsrMtvec), word, addi(a3, zero, 9),
               jal(zero, 0), nop, nop, nop, nop,
               // handler
               iType(Op::Csrrs, a0, zero, CsrMcause),
               iType(Op::Csrrs, a1, zero, CsrMtval),
               iType(Op::Csrrs, a2, zero, CsrMepc), addi(t1, a2, 4),
               iType(Op::Csrrw, zero, t1, CsrMepc), matchOf(Op::Mret)}) {
    hart.enableTraps(true);
    hart.setReg(t0, handler);
  }
};

TEST(Trap, CausesAndReturn) {
  struct Case {
    uint32_t word;
    uint64_t cause, value;
  };
  const uint64_t bad = 0xdead0000;
  const Case cases[] = {
      {matchOf(Op::Ecall), 11, 0},
      {matchOf(Op::Ebreak), 3, textBase + 4},
      {0xffffffff, 2, 0xffffffff},
      {iType(Op::Csrrs, a0, zero, 0x7ff), 2,
       iType(Op::Csrrs, a0, zero, 0x7ff)}, // unknown CSR
      {iType(Op::Csrrw, zero, a0, CsrMhartid), 2,
       iType(Op::Csrrw, zero, a0, CsrMhartid)}, // read-only CSR
      {iType(Op::Ld, a0, t2, 0), 5, bad},
      {sType(Op::Sw, a0, 4, t2), 7, bad + 4},
      {rType(Op::LrW, a0, sp, 0), 4, memoryBase + 2049},
      {rType(Op::AmoaddW, a0, sp, a0), 6, memoryBase + 2049},
  };
  for (const Case &c : cases) {
    TrapRig rig(c.word);
    rig.hart.setReg(t2, bad);
    rig.hart.setReg(sp, memoryBase + 2049); // misaligned for atomics
    EXPECT_EQ(rig.run(1 + 6 + 1), HartStop::InstructionLimit)
        << rig.hart.error().text;
    EXPECT_EQ(rig.hart.reg(a0), c.cause) << disassemble(c.word, 0);
    EXPECT_EQ(rig.hart.reg(a1), c.value) << disassemble(c.word, 0);
    EXPECT_EQ(rig.hart.reg(a2), textBase + 4);
    EXPECT_EQ(rig.hart.reg(a3), 9u); // went on after the instruction
  }
}

TEST(Trap, ReservedDynamicRoundingModeIsIllegal) {
  for (int32_t mode = 0; mode < 8; ++mode) {
    Rig<> rig({iType(Op::Csrrwi, zero, unsigned(mode), CsrFrm),
               rType(Op::FaddS, 0, 1, 2, 7), rType(Op::FminS, 0, 1, 2, 0)});
    EXPECT_EQ(rig.run(3),
              mode < 5 ? HartStop::InstructionLimit : HartStop::Error);
    EXPECT_EQ(rig.hart.error().kind, mode < 5
                                         ? HartErrorKind::None
                                         : HartErrorKind::IllegalInstruction);
  }
}

TEST(Trap, JumpOutsideTheImage) {
  TrapRig rig(iType(Op::Jalr, zero, zero, 0));
  EXPECT_EQ(rig.run(1 + 1 + 3), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.reg(a0), 1u);
  EXPECT_EQ(rig.hart.reg(a1), 0u);
}

TEST(Trap, WithoutTrapsTheRunEnds) {
  struct Case {
    uint32_t word;
    HartErrorKind kind;
  };
  const Case cases[] = {
      {matchOf(Op::Ecall), HartErrorKind::EnvironmentCall},
      {matchOf(Op::Ebreak), HartErrorKind::Breakpoint},
      {0, HartErrorKind::IllegalInstruction},
      {iType(Op::Csrrs, a0, zero, 0x7ff), HartErrorKind::IllegalInstruction},
      {iType(Op::Ld, a0, zero, 0), HartErrorKind::BadAccess},
      {rType(Op::LrD, a0, t0, 0), HartErrorKind::MisalignedAccess},
      {custom0(0, 0, 0), HartErrorKind::IllegalInstruction},
      {iType(Op::Jalr, zero, zero, 16), HartErrorKind::FetchFault},
  };
  for (const Case &c : cases) {
    Rig<> rig({nop, c.word});
    rig.hart.setReg(t0, memoryBase + 4);
    EXPECT_EQ(rig.run(3), HartStop::Error);
    EXPECT_EQ(rig.hart.error().kind, c.kind) << rig.hart.error().text;
    EXPECT_FALSE(rig.hart.error().text.empty());
    bool jumped = c.kind == HartErrorKind::FetchFault;
    EXPECT_EQ(rig.hart.error().pc, jumped ? 16 : textBase + 4);
  }
}

TEST(Trap, RunningOffTheEnd) {
  Rig<> rig({nop, nop});
  EXPECT_EQ(rig.run(5), HartStop::Error);
  EXPECT_EQ(rig.hart.error().kind, HartErrorKind::FetchFault);
  EXPECT_EQ(rig.hart.counters().instructions, 2u);
}

TEST(Trap, JumpsJustOutsideTheText) {
  for (uint64_t target : {textBase + 8, textBase + 10, textBase + 4096,
                          textBase - 2, uint64_t(0), ~uint64_t(1)}) {
    Rig<> rig({iType(Op::Jalr, zero, t0, 0), nop});
    rig.hart.setReg(t0, target);
    EXPECT_EQ(rig.run(5), HartStop::Error);
    EXPECT_EQ(rig.hart.error().kind, HartErrorKind::FetchFault);
    EXPECT_EQ(rig.hart.error().pc, target);
    EXPECT_EQ(rig.hart.counters().instructions, 1u);
  }
  for (int32_t offset : {8, 16, 2048, -4, -4096}) {
    Rig<> rig({bType(Op::Beq, zero, zero, offset), nop});
    EXPECT_EQ(rig.run(5), HartStop::Error);
    EXPECT_EQ(rig.hart.error().pc, textBase + uint64_t(int64_t(offset)));
  }
}

TEST(Trap, HandlerOutsideTheImageEndsTheRun) {
  Rig<> rig({matchOf(Op::Ecall)});
  rig.hart.enableTraps(true); // mtvec is 0
  EXPECT_EQ(rig.run(5), HartStop::Error);
  EXPECT_EQ(rig.hart.error().kind, HartErrorKind::EnvironmentCall);
}

TEST(Csr, InterruptEnableMovesThroughTrapAndReturn) {
  Rig<> rig({iType(Op::Csrrsi, zero, 8, CsrMstatus), // MIE
             iType(Op::Csrrw, zero, t0, CsrMtvec), matchOf(Op::Ecall), nop,
             iType(Op::Csrrs, a0, zero, CsrMstatus), matchOf(Op::Mret)});
  rig.hart.enableTraps(true);
  rig.hart.setReg(t0, textBase + 16);
  rig.run(3);
  EXPECT_EQ(rig.hart.reg(a0) & 0x88, 0x80u); // MPIE, not MIE
  EXPECT_EQ(rig.hart.reg(a0) >> 11 & 3, 3u); // from M mode
}

TEST(Csr, Counters) {
  Rig<> rig({nop, iType(Op::Csrrs, a0, zero, CsrInstret),
             rType(Op::Div, a1, a1, a1), iType(Op::Csrrs, a1, zero, CsrCycle),
             iType(Op::Csrrwi, zero, 7, CsrMcycle),
             iType(Op::Csrrs, a2, zero, CsrMcycle),
             iType(Op::Csrrwi, zero, 7, CsrMinstret), nop,
             iType(Op::Csrrs, a3, zero, CsrMinstret),
             iType(Op::Csrrs, t0, zero, CsrMhartid),
             iType(Op::Csrrs, t1, zero, CsrTime)});
  EXPECT_EQ(rig.run(11), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.reg(a0), 1u);
  EXPECT_EQ(rig.hart.reg(a1), 2u + testSpec().divCycles);
  EXPECT_EQ(rig.hart.reg(a2), 7u);
  EXPECT_EQ(rig.hart.reg(a3), 8u);
  EXPECT_EQ(rig.hart.reg(t0), 3u); // the rig's hart id
  EXPECT_EQ(rig.hart.reg(t1), 9u + testSpec().divCycles);
}

TEST(Csr, EnvironmentSuppliesDynamicOnes) {
  struct Env : HartEnv {
    uint64_t csrRead(Hart &, uint32_t csr, uint64_t cycle, bool &ok) override {
      ok = csr == 0x7c0;
      return 1000 + cycle;
    }
    bool csrWrite(Hart &, uint32_t csr, uint64_t value, uint64_t) override {
      written = value;
      return csr == 0x7c0;
    }
    uint64_t written = 0;
  };
  Rig<Env> rig({nop, iType(Op::Csrrs, a0, zero, 0x7c0),
                iType(Op::Csrrsi, zero, 4, 0x7c0),
                iType(Op::Csrrs, a0, zero, 0x7c1)});
  EXPECT_EQ(rig.run(3), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.reg(a0), 1001u);
  EXPECT_EQ(rig.env.written, 1002u | 4u);
  EXPECT_EQ(rig.run(1), HartStop::Error);
}

} // namespace
} // namespace chipwright::test
