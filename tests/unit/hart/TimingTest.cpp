//===- TimingTest.cpp - Cycle counts of short sequences -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Expected cycles are written in terms of HartSpec members, as the rules in
// Hart.h give them, and hold for every spec the tests run with.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/hart/Assembler.h"

#include <gtest/gtest.h>

namespace chipwright::test {
namespace {

using namespace sim;

class Timing : public testing::TestWithParam<unsigned> {
protected:
  /// Latencies multiplied, so that no number is baked in.
  HartSpec spec() const {
    HartSpec s = testSpec();
    s.loadCycles *= GetParam();
    s.mulCycles *= GetParam();
    s.divCycles *= GetParam();
    s.branchCycles *= GetParam();
    s.fpCycles *= GetParam();
    s.fpDivCycles *= GetParam();
    return s;
  }
  /// Cycle in which the instruction after \p words could issue.
  uint64_t cycles(std::initializer_list<uint32_t> words) {
    Rig<> rig(words, spec());
    EXPECT_EQ(rig.run(words.size()), HartStop::InstructionLimit)
        << rig.hart.error().text;
    return rig.hart.cycle();
  }
};

TEST_P(Timing, OneInstructionACycle) {
  EXPECT_EQ(cycles({nop, addi(a0, a0, 1), addi(a0, a0, 1)}), 3u);
}

TEST_P(Timing, LoadUse) {
  // The consumer issues loadCycles after the load; an independent instruction
  // does not wait.
  uint32_t load = iType(Op::Ld, a0, sp, 0);
  EXPECT_EQ(cycles({load, addi(a1, zero, 1)}), 2u);
  EXPECT_EQ(cycles({load, addi(a1, a0, 1)}), spec().loadCycles + 1u);
  EXPECT_EQ(cycles({load, nop, addi(a1, a0, 1)}), spec().loadCycles + 1u);
  EXPECT_EQ(cycles({load, sType(Op::Sd, a0, 8, sp)}), spec().loadCycles + 1u);
}

TEST_P(Timing, MultiplyPipelined) {
  uint32_t mul = rType(Op::Mul, a0, a1, a2);
  EXPECT_EQ(cycles({mul, rType(Op::Mul, a3, a1, a2)}), 2u);
  EXPECT_EQ(cycles({mul, rType(Op::Mul, a3, a0, a2)}), spec().mulCycles + 1u);
}

TEST_P(Timing, DivideBlocks) {
  EXPECT_EQ(cycles({rType(Op::Div, a0, a1, a2), nop}), spec().divCycles + 1u);
  EXPECT_EQ(cycles({rType(Op::FdivD, 0, 1, 2), nop}), spec().fpDivCycles + 1u);
  EXPECT_EQ(cycles({rType(Op::FsqrtS, 0, 1, 0), nop}), spec().fpDivCycles + 1u);
}

TEST_P(Timing, FloatLatency) {
  uint32_t add = rType(Op::FaddS, 0, 1, 2);
  EXPECT_EQ(cycles({add, nop}), 2u);
  EXPECT_EQ(cycles({add, rType(Op::FmulS, 3, 0, 0)}), spec().fpCycles + 1u);
  // The third source of a fused operation waits as well.
  EXPECT_EQ(cycles({add, rType(Op::FmaddS, 3, 4, 5) | 0u << 27}),
            spec().fpCycles + 1u);
  // Sign injection and moves answer in a cycle.
  EXPECT_EQ(cycles({rType(Op::FsgnjS, 0, 1, 2), rType(Op::FmvXW, a0, 0, 0)}),
            2u);
}

TEST_P(Timing, TakenBranchesCostMore) {
  EXPECT_EQ(cycles({bType(Op::Beq, zero, zero, 4), nop}),
            2u + spec().branchCycles);
  EXPECT_EQ(cycles({bType(Op::Bne, zero, zero, 4), nop}), 2u);
  EXPECT_EQ(cycles({jal(zero, 4), nop}), 2u + spec().branchCycles);
}

TEST_P(Timing, OverwrittenResultIsNotWaitedFor) {
  EXPECT_EQ(
      cycles({iType(Op::Ld, a0, sp, 0), addi(a0, zero, 1), addi(a1, a0, 1)}),
      3u);
}

TEST_P(Timing, ResumesAtAnyLimit) {
  // A loop with all latencies, run in steps of every length: same end.
  std::initializer_list<uint32_t> program = {addi(t0, zero, 5),
                                             iType(Op::Ld, a0, sp, 0),
                                             rType(Op::Mul, a1, a0, t0),
                                             rType(Op::Add, a2, a1, a0),
                                             rType(Op::Div, a3, a2, t0),
                                             addi(t0, t0, -1),
                                             bType(Op::Bne, t0, zero, -20),
                                             jal(zero, 0)};
  constexpr uint64_t instructions = 1 + 5 * 6;
  Rig<> whole(program, spec());
  whole.run(instructions);
  for (uint64_t step = 1; step < 40; ++step) {
    Rig<> parts(program, spec());
    for (uint64_t limit = step;
         parts.hart.counters().instructions < instructions; limit += step) {
      HartStop stop = parts.hart.run(
          limit, instructions - parts.hart.counters().instructions);
      ASSERT_TRUE(stop == HartStop::CycleLimit ||
                  stop == HartStop::InstructionLimit);
    }
    EXPECT_EQ(parts.hart.cycle(), whole.hart.cycle()) << step;
    EXPECT_EQ(parts.hart.pcHash(), whole.hart.pcHash()) << step;
    EXPECT_EQ(parts.hart.digest(), whole.hart.digest()) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, Timing, testing::Values(1, 2, 3));

} // namespace
} // namespace chipwright::test
