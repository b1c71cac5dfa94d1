//===- KernelPlanTest.cpp - What kernels refuse ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include <gmock/gmock.h>

using namespace chipwright;
using testing::HasSubstr;

static Diagnostic refusal(const char *kernel, const KernelShape &shape,
                          const RunOptions &options = {},
                          const std::vector<std::string> &sets = {}) {
  Result<KernelResult> result = runKernel(
      *findKernel(kernel), shape, chipForTest("mtia-2i", sets), options);
  return result ? Diagnostic{"not refused", ExitOk} : result.error();
}

TEST(KernelPlan, RowTooLongForLocalMemory) {
  Diagnostic why = refusal("softmax", {.rows = 4, .cols = 200000});
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("softmax"));
  // 384 KiB less 4 KiB of stacks and the descriptor.
  EXPECT_THAT(why.message, HasSubstr("388992 bytes"));
  EXPECT_THAT(why.message, HasSubstr("ls.bytes"));
  EXPECT_THAT(why.message, HasSubstr("--cols"));
  EXPECT_EQ(refusal("rmsnorm", {.rows = 1, .cols = 100000}).exitStatus,
            ExitDoesNotFit);
}

// The longest row that is not refused does run.
TEST(KernelPlan, LongestRowRuns) {
  ResolvedChip chip = chipForTest("mtia-2i", {"ls.bytes=65536"});
  for (const char *name : {"softmax", "rmsnorm"}) {
    const Kernel &kernel = *findKernel(name);
    uint64_t low = 1, high = 65536; // high is refused
    while (high - low > 1) {
      uint64_t cols = (low + high) / 2;
      KernelShape shape{.rows = 1, .cols = cols};
      Result<KernelPlan> plan = planKernel(kernel, chip.spec, shape);
      ASSERT_TRUE(bool(plan)) << plan.error().message;
      (buildPlan(kernel, *plan, chip.spec) ? low : high) = cols;
    }
    RunOptions options;
    options.mode = sim::Mode::Functional;
    Result<KernelResult> result =
        runKernel(kernel, {.rows = 65, .cols = low}, chip, options);
    ASSERT_TRUE(bool(result)) << result.error().message;
    EXPECT_TRUE(result->measurement.job.finished)
        << result->measurement.job.fault.text;
    EXPECT_TRUE(result->agrees) << name << " " << low;
    EXPECT_GT(low, 8000u);
  }
}

TEST(KernelPlan, BufferTooLargeForScratch) {
  RunOptions options;
  options.placement.memory = MemoryChoice::Sram;
  Diagnostic why = refusal("copy", {.elements = uint64_t(1) << 26}, options);
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("134217728")); // 128 MiB there
  EXPECT_THAT(why.message, HasSubstr("268435456")); // 256 MiB needed
  EXPECT_THAT(why.message, HasSubstr("--memory dram"));
}

TEST(KernelPlan, BufferTooLargeForDram) {
  Diagnostic why = refusal("copy", {.elements = uint64_t(1) << 36});
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("dram.bytes"));
}

TEST(KernelPlan, SizesThatAKernelDoesNotTake) {
  Diagnostic why = refusal("copy", {.rows = 3});
  EXPECT_EQ(why.exitStatus, ExitUsage);
  EXPECT_THAT(why.message, HasSubstr("--rows"));
  EXPECT_THAT(why.message, HasSubstr("--elements"));
  EXPECT_EQ(refusal("copy", {.elements = 0}).exitStatus, ExitUsage);
  EXPECT_EQ(refusal("stream", {.readFraction = 1.5}).exitStatus, ExitUsage);
  EXPECT_EQ(refusal("empty", {.dtype = DType::F16}).exitStatus, ExitUsage);
}

TEST(KernelPlan, TypesThatAKernelDoesNotTake) {
  Diagnostic why = refusal("softmax", {.dtype = DType::I8});
  EXPECT_EQ(why.exitStatus, ExitUsage);
  EXPECT_THAT(why.message, HasSubstr("fp16"));
  why = refusal("gemm", {.dtype = DType::TF32});
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("dpe.dtypes"));
}

TEST(KernelPlan, StopsAtMaxCycles) {
  RunOptions options;
  options.maxCycles = 2000;
  Result<KernelResult> result =
      runKernel(*findKernel("copy"), {}, chipForTest("mtia-2i"), options);
  ASSERT_TRUE(bool(result)) << result.error().message;
  EXPECT_EQ(result->exitStatus(), ExitStopped);
  EXPECT_THAT(result->measurement.job.fault.text, HasSubstr("max-cycles"));
}
