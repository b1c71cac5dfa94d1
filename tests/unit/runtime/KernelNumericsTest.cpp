//===- KernelNumericsTest.cpp - Kernels against their references ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include "sim/pe/StallAccount.h"

#include <fmt/format.h>

#include <numeric>

using namespace chipwright;

namespace {

struct Case {
  const char *kernel;
  DType dtype;
  /// elements, or rows and cols.
  uint64_t first, second;
  const char *chip = "mtia-2i";
  std::vector<std::string> sets = {};
  MemoryChoice memory = MemoryChoice::Sram;
  double readFraction = 0.5;
};

void PrintTo(const Case &one, std::ostream *out) {
  *out << fmt::format("{} {} {}x{} on {}", one.kernel, dtypeName(one.dtype),
                      one.first, one.second, one.chip);
  for (const std::string &set : one.sets) {
    *out << " " << set;
  }
}

class KernelNumerics : public testing::TestWithParam<Case> {};

// The result agrees with fp64, and timing mode reports what functional mode
// does.
TEST_P(KernelNumerics, AgreesInBothModes) {
  const Case &one = GetParam();
  const Kernel *kernel = findKernel(one.kernel);
  ASSERT_NE(kernel, nullptr);
  ResolvedChip chip = chipForTest(one.chip, one.sets);
  KernelShape shape;
  shape.dtype = one.dtype;
  if (one.second) {
    shape.rows = one.first;
    shape.cols = one.second;
  } else {
    shape.elements = one.first;
  }
  if (kernel->options.back() == std::string_view("read-fraction")) {
    shape.readFraction = one.readFraction;
  }
  RunOptions options;
  options.mode = sim::Mode::Functional;
  options.seed = seedForTest();
  options.placement.memory = one.memory;
  RecordProperty("seed", std::to_string(options.seed));
  SCOPED_TRACE(fmt::format("CHIPWRIGHT_SEED={}", options.seed));
  Result<KernelResult> functional = runKernel(*kernel, shape, chip, options);
  ASSERT_TRUE(bool(functional)) << functional.error().message;
  const sim::JobResult &job = functional->measurement.job;
  ASSERT_TRUE(job.finished) << job.fault.text;
  ASSERT_TRUE(functional->relativeError.has_value());
  EXPECT_LE(*functional->relativeError, *functional->errorBound);
  EXPECT_EQ(functional->exitStatus(), ExitOk);

  options.mode = sim::Mode::Timing;
  Result<KernelResult> timing = runKernel(*kernel, shape, chip, options);
  ASSERT_TRUE(bool(timing)) << timing.error().message;
  const sim::JobResult &timed = timing->measurement.job;
  ASSERT_TRUE(timed.finished) << timed.fault.text;
  EXPECT_EQ(timed.cycles, job.cycles);
  EXPECT_EQ(timed.kernelCycles, job.kernelCycles);
  EXPECT_EQ(timed.instructions, job.instructions);
  EXPECT_EQ(timed.commands, job.commands);
  EXPECT_EQ(timed.pcHash, job.pcHash);
  EXPECT_FALSE(timing->relativeError.has_value());

  // Everything that must move has moved.
  const Measurement &m = timing->measurement;
  uint64_t moved = one.memory == MemoryChoice::Dram
                       ? m.dramReadBytes + m.dramWriteBytes
                       : m.sramReadBytes + m.sramWriteBytes;
  EXPECT_GE(moved, timing->minimalBytes);
  for (const EngineTime &engine : m.engines) {
    sim::Cycle sum =
        std::accumulate(engine.lost.begin(), engine.lost.end(), engine.busy);
    EXPECT_EQ(sum, timed.cycles * m.numPes) << engine.name;
  }
}

constexpr auto kDram = MemoryChoice::Dram;
constexpr auto kSram = MemoryChoice::Sram;

INSTANTIATE_TEST_SUITE_P(
    Copy, KernelNumerics,
    testing::Values(Case{"copy", DType::F16, 1, 0},
                    Case{"copy", DType::I8, 12345, 0},
                    Case{"copy", DType::F32, 300007, 0},
                    Case{"copy", DType::F8E4M3, 3000001, 0, "mtia-300"},
                    Case{"copy", DType::BF16, 700001, 0, "mtia-2i", {}, kDram},
                    Case{"copy", DType::I32, 99991, 0, "mtia-300", {}, kDram}));

INSTANTIATE_TEST_SUITE_P(
    Add, KernelNumerics,
    testing::Values(Case{"add", DType::F16, 3, 0},
                    Case{"add", DType::BF16, 262144, 0},
                    Case{"add", DType::F32, 1000003, 0, "mtia-300"},
                    Case{"add", DType::F16, 500009, 0, "mtia-2i", {}, kDram}));

INSTANTIATE_TEST_SUITE_P(
    Stream, KernelNumerics,
    testing::Values(
        Case{"stream", DType::F16, 1000001, 0, "mtia-2i", {}, kSram, 0.3},
        Case{"stream", DType::I8, 77777, 0, "mtia-300", {}, kDram, 0.99},
        Case{"stream", DType::F32, 65536, 0, "mtia-2i", {}, kDram, 0}));

INSTANTIATE_TEST_SUITE_P(
    Transpose, KernelNumerics,
    testing::Values(
        Case{"transpose", DType::F16, 1, 1},
        Case{"transpose", DType::F16, 129, 1000},
        Case{"transpose", DType::I8, 1000, 77},
        Case{"transpose", DType::F32, 513, 511, "mtia-300"},
        Case{"transpose", DType::BF16, 3, 5000, "mtia-2i", {}, kDram}));

INSTANTIATE_TEST_SUITE_P(
    Softmax, KernelNumerics,
    testing::Values(
        Case{"softmax", DType::F16, 1, 1},
        Case{"softmax", DType::F32, 100, 333},
        Case{"softmax", DType::BF16, 1000, 7},
        Case{"softmax", DType::F16, 65, 5000, "mtia-300"},
        Case{"softmax", DType::BF16, 67, 40003, "mtia-2i", {}, kDram},
        Case{"softmax", DType::F16, 2, 90001}));

INSTANTIATE_TEST_SUITE_P(
    Rmsnorm, KernelNumerics,
    testing::Values(
        Case{"rmsnorm", DType::F16, 1, 1},
        Case{"rmsnorm", DType::F32, 100, 333},
        Case{"rmsnorm", DType::BF16, 1000, 7},
        Case{"rmsnorm", DType::F16, 129, 5120, "mtia-300", {}, kDram},
        Case{"rmsnorm", DType::F16, 66, 60001}));

// Chips with other architectures run the same sources.
INSTANTIATE_TEST_SUITE_P(
    Chips, KernelNumerics,
    testing::Values(
        Case{"copy", DType::F16, 100001, 0, "mtia-2i", {"cp.contexts=0"}},
        Case{"add", DType::F16, 100001, 0, "mtia-2i", {"cp.contexts=0"}},
        Case{"stream", DType::F16, 100001, 0, "mtia-2i", {"cp.contexts=0"}},
        Case{"transpose", DType::F16, 200, 301, "mtia-2i", {"cp.contexts=0"}},
        Case{"softmax", DType::F16, 200, 301, "mtia-2i", {"cp.contexts=0"}},
        Case{"rmsnorm", DType::F16, 200, 301, "mtia-2i", {"cp.contexts=0"}},
        Case{"add", DType::F16, 100001, 0, "mtia-2i", {"cp.contexts=1"}},
        Case{"softmax", DType::F16, 200, 301, "mtia-2i", {"cp.contexts=2"}},
        Case{"add", DType::F16, 100001, 0, "mtia-2i", {"ls.bytes=65536"}},
        Case{"transpose", DType::F32, 200, 301, "mtia-2i", {"ls.bytes=65536"}},
        Case{"softmax", DType::F16, 200, 6001, "mtia-2i", {"ls.bytes=65536"}},
        Case{"rmsnorm",
             DType::F16,
             200,
             301,
             "mtia-2i",
             {"grid.rows=3", "grid.cols=5"}},
        Case{"copy",
             DType::F16,
             200001,
             0,
             "mtia-2i",
             {"cp.queue_commands=1"}}));

} // namespace
