//===- GemmNumericsTest.cpp - Matrix products against fp64 ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include <fmt/format.h>

using namespace chipwright;

namespace {

struct Case {
  const char *chip;
  DType dtype;
  uint64_t m, n, k;
  MemoryChoice memory = MemoryChoice::Sram;
  std::vector<std::string> sets = {};
};

void PrintTo(const Case &one, std::ostream *out) {
  *out << fmt::format("{} {}x{}x{} on {}", dtypeName(one.dtype), one.m, one.n,
                      one.k, one.chip);
}

class GemmNumerics : public testing::TestWithParam<Case> {};

// The product agrees with fp64, both modes take the same time, and no run is
// faster than its multiply-accumulates at the peak rate.
TEST_P(GemmNumerics, AgreesInBothModes) {
  const Case &one = GetParam();
  const Kernel &kernel = *findKernel("gemm");
  ResolvedChip chip = chipForTest(one.chip, one.sets);
  KernelShape shape;
  shape.dtype = one.dtype;
  shape.m = one.m;
  shape.n = one.n;
  shape.k = one.k;
  RunOptions options;
  options.mode = sim::Mode::Functional;
  options.seed = seedForTest();
  options.placement.memory = one.memory;
  SCOPED_TRACE(fmt::format("CHIPWRIGHT_SEED={}", options.seed));
  Result<KernelResult> functional = runKernel(kernel, shape, chip, options);
  ASSERT_TRUE(bool(functional)) << functional.error().message;
  const sim::JobResult &job = functional->measurement.job;
  ASSERT_TRUE(job.finished) << job.fault.text;
  ASSERT_TRUE(functional->relativeError.has_value());
  EXPECT_LE(*functional->relativeError, *functional->errorBound);

  options.mode = sim::Mode::Timing;
  Result<KernelResult> timing = runKernel(kernel, shape, chip, options);
  ASSERT_TRUE(bool(timing)) << timing.error().message;
  const sim::JobResult &timed = timing->measurement.job;
  EXPECT_EQ(timed.cycles, job.cycles);
  EXPECT_EQ(timed.instructions, job.instructions);
  EXPECT_EQ(timed.pcHash, job.pcHash);
  ASSERT_TRUE(timing->peakFraction.has_value());
  EXPECT_LT(*timing->peakFraction, 1.0);
  EXPECT_EQ(*timing->flops,
            2.0 * double(one.m) * double(one.n) * double(one.k));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, GemmNumerics,
    testing::Values(
        Case{"mtia-2i", DType::F16, 1, 1, 1},
        Case{"mtia-2i", DType::F16, 333, 500, 700},
        Case{"mtia-2i", DType::BF16, 65, 129, 1001, MemoryChoice::Dram},
        Case{"mtia-2i", DType::I8, 200, 300, 257},
        Case{"mtia-2i", DType::I8, 1, 1, 1},
        Case{"mtia-2i", DType::I8, 7, 900, 1500, MemoryChoice::Dram},
        Case{"mtia-300", DType::F8E4M3, 129, 260, 515},
        Case{"mtia-300", DType::F8E5M2, 33, 70, 1024},
        Case{"mtia-2i", DType::F16, 4, 4096, 512},
        Case{"mtia-2i",
             DType::F16,
             100,
             200,
             300,
             MemoryChoice::Sram,
             {"cp.contexts=0"}},
        Case{"mtia-300", DType::F16, 300, 400, 500},
        Case{"mtia-300", DType::F8E4M3, 129, 257, 511},
        Case{"mtia-300", DType::F8E5M2, 64, 64, 100},
        Case{"mtia-300", DType::TF32, 70, 90, 110, MemoryChoice::Dram}));

} // namespace
