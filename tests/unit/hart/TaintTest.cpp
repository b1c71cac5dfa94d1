//===- TaintTest.cpp - Values that depend on bulk data --------------------===//
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
using testing::HasSubstr;

uint64_t bit(unsigned reg) { return uint64_t(1) << reg; }

TEST(Taint, FollowsLoadsArithmeticAndStores) {
  Rig<> rig({iType(Op::Lw, a0, sp, 0),              // one of 4 bytes is bulk
             iType(Op::Lbu, a1, sp, 0),             // this byte is not
             rType(Op::Add, a2, a1, a0),            // inherits
             iType(Op::Flw, 1, sp, 0),              // f1
             rType(Op::FmaddS, 2, 3, 4) | 1u << 27, // f2 <- f3 * f4 + f1
             sType(Op::Sh, a2, 64, sp),             // marks 2 bytes
             sType(Op::Sd, zero, 0, sp),            // clears 8
             addi(a0, zero, 0)});                   // clears a0
  rig.taint[2048 + 3] = 1;
  EXPECT_EQ(rig.run(6), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.taintMask(), bit(a0) | bit(a2) | bit(firstFpRegister + 1) |
                                      bit(firstFpRegister + 2));
  EXPECT_EQ(rig.taint[2048 + 64], 1);
  EXPECT_EQ(rig.taint[2048 + 65], 1);
  EXPECT_EQ(rig.taint[2048 + 66], 0);
  EXPECT_EQ(rig.run(2), HartStop::InstructionLimit);
  EXPECT_EQ(rig.taint[2048 + 3], 0);
  EXPECT_EQ(rig.hart.taintMask() & bit(a0), 0u);
}

TEST(Taint, ZeroIsNeverTainted) {
  Rig<> rig({iType(Op::Ld, zero, sp, 0), rType(Op::Add, a0, zero, zero)});
  rig.taint[2048] = 1;
  rig.run(2);
  EXPECT_EQ(rig.hart.taintMask(), 0u);
}

TEST(Taint, ControlUsesAreErrors) {
  struct Case {
    uint32_t word;
    const char *use;
  };
  const Case cases[] = {
      {bType(Op::Beq, zero, a0, 8), "branch"},
      {iType(Op::Jalr, zero, a0, 0), "jump"},
      {iType(Op::Ld, a1, a0, 0), "address"},
      {sType(Op::Sd, a1, 0, a0), "address"},
      {iType(Op::Fld, 1, a0, 0), "address"},
      {rType(Op::AmoaddD, a1, a0, a2), "address"},
      {rType(Op::LrW, a1, a0, 0), "address"},
      {iType(Op::Csrrw, zero, a0, CsrMscratch), "CSR"},
      {custom0(a1, zero, a0), "command"},
      {custom0(a1, a0, zero), "command"},
  };
  for (const Case &c : cases) {
    Rig<> rig({nop, c.word});
    rig.hart.setReg(a0, memoryBase, true);
    EXPECT_EQ(rig.run(2), HartStop::Error);
    EXPECT_EQ(rig.hart.error().kind, HartErrorKind::TaintedControl);
    EXPECT_EQ(rig.hart.error().pc, textBase + 4);
    EXPECT_THAT(rig.hart.error().text, HasSubstr("a0"));
    EXPECT_THAT(rig.hart.error().text, HasSubstr(c.use));
    EXPECT_EQ(rig.hart.counters().instructions, 1u);
    // An error stays.
    EXPECT_EQ(rig.run(2), HartStop::Error);
  }
}

TEST(Taint, DataOfAtomicsMayBeTainted) {
  Rig<> rig(
      {rType(Op::AmoaddD, a1, sp, a0), rType(Op::AmoswapD, a2, sp, zero)});
  rig.hart.setReg(a0, 5, true);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.taint[2048], 1); // sum with a tainted value
  EXPECT_EQ(rig.hart.taintMask(), bit(a0));
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.taint[2048], 0); // replaced by a clean one
  EXPECT_EQ(rig.hart.taintMask(), bit(a0) | bit(a2));
}

TEST(Taint, FlagsOfTaintedOperationsAreTainted) {
  Rig<> rig({rType(Op::FaddD, 1, 2, 3), iType(Op::Csrrs, a0, zero, CsrFflags),
             iType(Op::Csrrw, zero, zero, CsrFflags),
             iType(Op::Csrrs, a1, zero, CsrFcsr)});
  rig.hart.setReg(firstFpRegister + 2, 0, true);
  EXPECT_EQ(rig.run(4), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.taintMask() & (bit(a0) | bit(a1)), bit(a0));
}

} // namespace
} // namespace chipwright::test
