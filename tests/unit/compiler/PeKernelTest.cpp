//===- PeKernelTest.cpp - pe programs from text to numbers ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "PeRun.h"

#include "runtime/Tensor.h"

#include <gmock/gmock.h>

using namespace chipwright;

namespace {

/// Contexts of a hart: none, fewer than the kernel would like, the chip's.
class PeKernels : public testing::TestWithParam<unsigned> {
protected:
  ResolvedChip chip =
      chipForTest("mtia-2i", {"cp.contexts=" + std::to_string(GetParam())});
  uint64_t seed = seedForTest();
};

// A length that is no multiple of the slot, so that fields vary in the loop.
TEST_P(PeKernels, CopyIsExactInBothModes) {
  constexpr uint64_t kBytes = 300 * 2048 + 100;
  const std::vector<KernelBuffer> buffers = {{.name = "in",
                                              .dtype = DType::I8,
                                              .rows = 1,
                                              .cols = kBytes,
                                              .low = -128,
                                              .high = 127},
                                             {.name = "out",
                                              .isOutput = true,
                                              .dtype = DType::I8,
                                              .rows = 1,
                                              .cols = kBytes}};
  const std::string text = kernelText("copy.mlir");
  PeRun functional =
      runPe(text, chip, sim::Mode::Functional, buffers, {kBytes}, seed);
  ASSERT_EQ(functional.error, "");
  EXPECT_EQ(functional.output, functional.inputs[0]);
  PeRun timing = runPe(text, chip, sim::Mode::Timing, buffers, {kBytes}, seed);
  ASSERT_EQ(timing.error, "");
  EXPECT_EQ(timing.job.cycles, functional.job.cycles);
  EXPECT_EQ(timing.job.instructions, functional.job.instructions);
  EXPECT_EQ(timing.job.commands, 602u);
}

std::vector<KernelBuffer> gemmBuffers(uint64_t k) {
  return {{.name = "a", .dtype = DType::F16, .rows = 512, .cols = k},
          {.name = "b", .dtype = DType::F16, .rows = 1024, .cols = k},
          {.name = "c",
           .isOutput = true,
           .dtype = DType::F16,
           .rows = 512,
           .cols = 1024}};
}

TEST_P(PeKernels, GemmAgreesWithDoublePrecision) {
  constexpr uint64_t kK = 384;
  const std::vector<KernelBuffer> buffers = gemmBuffers(kK);
  const std::string text = kernelText("gemm.mlir");
  PeRun functional =
      runPe(text, chip, sim::Mode::Functional, buffers, {kK * 2}, seed);
  ASSERT_EQ(functional.error, "");
  Matrix a = toMatrix(buffers[0], functional.inputs[0].data());
  Matrix b = toMatrix(buffers[1], functional.inputs[1].data());
  Matrix c = toMatrix(buffers[2], functional.output.data());
  // One rounding to fp16 is half a unit in its last place, 2^-11; products
  // and sums in fp32 add three orders of magnitude less.
  EXPECT_LE(relativeError(c, a * b.transpose()), 0x1p-11);
  PeRun timing = runPe(text, chip, sim::Mode::Timing, buffers, {kK * 2}, seed);
  ASSERT_EQ(timing.error, "");
  EXPECT_EQ(timing.job.cycles, functional.job.cycles);
  EXPECT_EQ(timing.job.instructions, functional.job.instructions);
}

INSTANTIATE_TEST_SUITE_P(Contexts, PeKernels, testing::Values(0, 1, 4, 16),
                         testing::PrintToStringParamName());

// The same commands reach the engines whatever the number of contexts: equal
// bits come out.
TEST(PeKernelContexts, DoNotChangeResults) {
  constexpr uint64_t kK = 256;
  std::vector<uint8_t> first;
  uint64_t instructions = ~uint64_t(0), seed = seedForTest();
  for (const char *contexts : {"0", "4", "16"}) {
    ResolvedChip chip =
        chipForTest("mtia-2i", {std::string("cp.contexts=") + contexts});
    PeRun run = runPe(kernelText("gemm.mlir"), chip, sim::Mode::Functional,
                      gemmBuffers(kK), {kK * 2}, seed);
    ASSERT_EQ(run.error, "") << contexts;
    if (first.empty()) {
      first = run.output;
    }
    EXPECT_EQ(run.output, first) << contexts;
    // More contexts, fewer instructions.
    EXPECT_LT(run.job.instructions, instructions) << contexts;
    instructions = run.job.instructions;
  }
}

// What contexts and auto-increment are for. The bound is the goal of the
// instruction set, 1.6; loads, pops and loop control are counted in.
TEST(PeKernelContexts, FewInstructionsPerCommand) {
  ResolvedChip chip = chipForTest("mtia-2i");
  const std::string text = kernelText("gemm.mlir");
  PeRun runs[2];
  for (uint64_t i : {0, 1}) {
    uint64_t k = 1024 << i;
    runs[i] = runPe(text, chip, sim::Mode::Timing, gemmBuffers(k), {k * 2}, 1);
    ASSERT_EQ(runs[i].error, "");
  }
  double commands =
      static_cast<double>(runs[1].job.commands - runs[0].job.commands);
  double instructions =
      static_cast<double>(runs[1].job.instructions - runs[0].job.instructions);
  std::printf("%.3f instructions per command\n", instructions / commands);
  EXPECT_LE(instructions / commands, 1.6);
}

} // namespace
