//===- VerdictTest.cpp - What a verdict says was waited for ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include "runtime/KernelReport.h"

#include <gmock/gmock.h>

using namespace chipwright;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

/// 1000 cycles on 10 PEs, 100 of launch and 50 of completion. The DPEs are
/// busy for 100, then done; \p writeBack cycles of the rest are write-back.
Measurement idleAfterWork(sim::Cycle writeBack) {
  Measurement m;
  m.job.finished = true;
  m.job.cycles = 1000;
  m.job.kernelCycles = 850;
  m.job.completionCycles = 50;
  m.job.writeBackCycles = writeBack;
  m.numPes = 10;
  EngineTime &dpe = m.engines[0];
  dpe.busy = 100 * 10;
  dpe.lost[static_cast<unsigned>(sim::Stall::Launch)] = 100 * 10;
  dpe.lost[static_cast<unsigned>(sim::Stall::Finished)] = 800 * 10;
  return m;
}

TEST(Verdict, OtherPesAreWaitedForWhereNothingIsWrittenBack) {
  // 800 after the work less 50 of completion.
  EXPECT_THAT(verdict(idleAfterWork(0)),
              StartsWith("bound by waiting for the last PE (75 % of the time), "
                         "next launch and completion (15 %)"));
  EXPECT_THAT(verdict(idleAfterWork(0)), Not(HasSubstr("write-back")));
}

TEST(Verdict, WriteBackIsAClaimOfItsOwn) {
  EXPECT_THAT(verdict(idleAfterWork(700)),
              StartsWith("bound by write-back of the LLC (70 % of the time)"));
  EXPECT_THAT(verdict(idleAfterWork(300)),
              StartsWith("bound by waiting for the last PE (45 % of the time), "
                         "next write-back of the LLC (30 %)"));
}

/// \returns a copy of 100000 elements, run with buffers in \p memory.
sim::JobResult copied(MemoryChoice memory) {
  RunOptions options;
  options.placement.memory = memory;
  auto result = runKernel(*findKernel("copy"), {.elements = 100000},
                          chipForTest("mtia-2i"), options);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().message);
  return result ? result->measurement.job : sim::JobResult();
}

TEST(Verdict, MachineSaysHowLongItWroteBack) {
  sim::JobResult sram = copied(MemoryChoice::Sram),
                 dram = copied(MemoryChoice::Dram);
  // Without dirty lines the DRAM is only brought to its idle state.
  EXPECT_LT(sram.writeBackCycles, dram.writeBackCycles);
  for (const sim::JobResult &job : {sram, dram}) {
    EXPECT_LT(job.writeBackCycles, job.kernelCycles);
    EXPECT_GT(job.completionCycles, 0u);
    EXPECT_LT(job.kernelCycles + job.completionCycles, job.cycles);
  }
}

} // namespace
