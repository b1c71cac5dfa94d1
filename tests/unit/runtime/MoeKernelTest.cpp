//===- MoeKernelTest.cpp - Routed experts as a kernel ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include "runtime/KernelReport.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace chipwright;
using testing::HasSubstr;

namespace {

struct Case {
  KernelShape shape;
  const char *chip = "mtia-2i";
  std::vector<std::string> sets = {};
  MemoryChoice memory = MemoryChoice::Auto;
};

void PrintTo(const Case &one, std::ostream *out) {
  const KernelShape &s = one.shape;
  *out << fmt::format(
      "{} {} tokens, {} x {}, {} of {} experts, shared {}, "
      "routing {} on {}",
      dtypeName(*s.dtype), *s.tokens, *s.hidden, *s.intermediate, *s.topK,
      *s.experts, s.sharedIntermediate.value_or(0), int(*s.routing), one.chip);
  for (const std::string &set : one.sets) {
    *out << " " << set;
  }
}

KernelShape moe(DType dtype, uint64_t tokens, uint64_t hidden,
                uint64_t intermediate, uint64_t topK, uint64_t experts,
                Routing routing, uint64_t shared = 0) {
  KernelShape shape{.tokens = tokens,
                    .hidden = hidden,
                    .intermediate = intermediate,
                    .experts = experts,
                    .topK = topK};
  if (shared) {
    shape.sharedIntermediate = shared;
  }
  shape.dtype = dtype;
  shape.routing = routing;
  return shape;
}

Result<KernelResult> run(const Case &one, sim::Mode mode, uint64_t seed) {
  RunOptions options;
  options.mode = mode;
  options.seed = seed;
  options.placement.memory = one.memory;
  return runKernel(*findKernel("moe"), one.shape,
                   chipForTest(one.chip, one.sets), options);
}

class MoeNumerics : public testing::TestWithParam<Case> {};

// The result agrees with fp64, and timing mode, which is given the routing,
// reports what functional mode does, which computes it.
TEST_P(MoeNumerics, AgreesInBothModes) {
  const uint64_t seed = seedForTest();
  SCOPED_TRACE(fmt::format("CHIPWRIGHT_SEED={}", seed));
  auto functional = run(GetParam(), sim::Mode::Functional, seed);
  ASSERT_TRUE(bool(functional)) << functional.error().message;
  const sim::JobResult &job = functional->measurement.job;
  ASSERT_TRUE(job.finished) << job.fault.text;
  ASSERT_TRUE(functional->relativeError.has_value());
  EXPECT_LE(*functional->relativeError, *functional->errorBound);
  EXPECT_GT(*functional->relativeError, 0);
  auto timing = run(GetParam(), sim::Mode::Timing, seed);
  ASSERT_TRUE(bool(timing)) << timing.error().message;
  const sim::JobResult &timed = timing->measurement.job;
  ASSERT_TRUE(timed.finished) << timed.fault.text;
  EXPECT_EQ(timed.cycles, job.cycles);
  EXPECT_EQ(timed.kernelCycles, job.kernelCycles);
  EXPECT_EQ(timed.instructions, job.instructions);
  EXPECT_EQ(timed.commands, job.commands);
  EXPECT_EQ(timed.pcHash, job.pcHash);
  EXPECT_FALSE(timing->relativeError.has_value());
  const Measurement &m = timing->measurement;
  EXPECT_GE(m.dramReadBytes + m.dramWriteBytes + m.sramReadBytes +
                m.sramWriteBytes,
            timing->minimalBytes);
}

constexpr auto kUniform = Routing::Uniform;
constexpr auto kOne = Routing::One;
constexpr auto kRandom = Routing::Random;
constexpr auto kDram = MemoryChoice::Dram;
constexpr auto kSram = MemoryChoice::Sram;

INSTANTIATE_TEST_SUITE_P(
    Moe, MoeNumerics,
    testing::Values(
        // One expert has all tokens, the others none.
        Case{moe(DType::F16, 67, 64, 96, 1, 8, kOne)},
        Case{moe(DType::F16, 40, 64, 96, 3, 8, kOne, 32)},
        // Fewer tokens than experts.
        Case{moe(DType::BF16, 3, 128, 64, 1, 16, kUniform)},
        Case{moe(DType::BF16, 1, 64, 64, 1, 4, kRandom)},
        // Sizes that no tile divides.
        Case{moe(DType::F16, 37, 200, 77, 2, 5, kRandom, 45)},
        Case{moe(DType::BF16, 33, 72, 130, 1, 7, kRandom)},
        // Every token takes every expert.
        Case{moe(DType::F16, 20, 64, 64, 4, 4, kUniform)},
        // 8 bits: int8 without down, fp8 with it.
        Case{moe(DType::I8, 37, 200, 77, 2, 5, kRandom, 45)},
        Case{moe(DType::I8, 5, 128, 64, 1, 16, kUniform)},
        Case{moe(DType::F8E4M3, 40, 72, 130, 1, 7, kRandom, 64), "mtia-300"},
        Case{moe(DType::F8E5M2, 33, 64, 96, 3, 8, kOne), "mtia-300"},
        Case{moe(DType::F16, 16, 64, 64, 1, 1, kUniform)},
        Case{moe(DType::BF16, 70, 256, 128, 1, 16, kRandom, 128),
             "mtia-300",
             {},
             kDram},
        Case{moe(DType::F16, 70, 128, 128, 2, 8, kRandom, 64),
             "mtia-2i",
             {"cp.contexts=0", "grid.rows=3", "grid.cols=5"},
             kSram}));

TEST(MoeKernel, CountsTokensAndOperations) {
  Case one{moe(DType::F16, 48, 64, 32, 2, 8, kUniform, 16)};
  auto uniform = run(one, sim::Mode::Timing, 1);
  ASSERT_TRUE(bool(uniform)) << uniform.error().message;
  ASSERT_TRUE(uniform->routed.has_value());
  EXPECT_EQ(uniform->routed->experts, 8u);
  EXPECT_EQ(uniform->routed->used, 8u);
  EXPECT_EQ(uniform->routed->largest, 12u); // 48 * 2 / 8
  EXPECT_DOUBLE_EQ(uniform->routed->mean, 12);
  // Router, three products of each pair, three of the shared expert.
  EXPECT_DOUBLE_EQ(*uniform->flops, 2.0 * 48 * 8 * 64 + 6.0 * 48 * 2 * 64 * 32 +
                                        6.0 * 48 * 64 * 16);
  one.shape.routing = kOne;
  auto same = run(one, sim::Mode::Timing, 1);
  ASSERT_TRUE(bool(same)) << same.error().message;
  EXPECT_EQ(same->routed->used, 2u);
  EXPECT_EQ(same->routed->largest, 48u);
  EXPECT_DOUBLE_EQ(same->routed->mean, 12);
  EXPECT_EQ(*same->flops, *uniform->flops);
}

// Products of each type are those of the definition, and a few of padding.
TEST(MoeKernel, MultipliesExpertsInTheirType) {
  for (auto [type, chip] : {std::pair(DType::I8, "mtia-2i"),
                            std::pair(DType::F8E4M3, "mtia-300")}) {
    Case one{moe(type, 64, 256, 128, 1, 1, kOne, 256), chip};
    auto result = run(one, sim::Mode::Timing, 1);
    ASSERT_TRUE(bool(result)) << result.error().message;
    // Gate, up and down of a routed and of the shared expert.
    const uint64_t map = 64 * 256 * 128 + 64 * 256 * 256;
    const bool isAll = type == DType::F8E4M3;
    const auto &macs = result->measurement.macs;
    const uint64_t eight = macs[static_cast<size_t>(type)],
                   sixteen = macs[static_cast<size_t>(DType::BF16)];
    EXPECT_GE(eight, (isAll ? 3 : 2) * map);
    EXPECT_LT(eight, (isAll ? 3 : 2) * map + map / 2);
    EXPECT_GE(sixteen, (isAll ? 0 : map) + 64 * 256);
    EXPECT_LT(sixteen, (isAll ? 0 : map) + map / 2); // and the router
  }
}

// An expert without tokens is not read.
TEST(MoeKernel, ReadsOnlyTheExpertsThatAreUsed) {
  Case one{moe(DType::F16, 8, 256, 512, 1, 16, kOne), "mtia-2i", {}, kDram};
  auto result = run(one, sim::Mode::Timing, 1);
  ASSERT_TRUE(bool(result)) << result.error().message;
  const uint64_t expert = 3 * 256 * 512 * 2;
  EXPECT_GE(result->measurement.dramReadBytes, expert);
  EXPECT_LT(result->measurement.dramReadBytes, 2 * expert);
  EXPECT_LT(result->minimalBytes, 2 * expert);
}

TEST(MoeKernel, RandomRoutingFollowsTheSeed) {
  Case one{moe(DType::F16, 64, 64, 32, 1, 16, kRandom)};
  auto first = run(one, sim::Mode::Timing, 5);
  auto again = run(one, sim::Mode::Timing, 5);
  auto other = run(one, sim::Mode::Timing, 6);
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->measurement.job.cycles, again->measurement.job.cycles);
  EXPECT_NE(first->measurement.job.pcHash, other->measurement.job.pcHash);
  EXPECT_GT(first->routed->largest, 4u); // not the mean
}

TEST(MoeKernel, ReportsItsLaunches) {
  Case one{moe(DType::F16, 8, 64, 32, 2, 4, kUniform)};
  auto result = run(one, sim::Mode::Timing, 1);
  ASSERT_TRUE(bool(result)) << result.error().message;
  sim::Cycle sum = 0;
  for (const KernelLaunch &launch : result->launches) {
    EXPECT_GT(launch.cycles, 0u) << launch.program;
    sum += launch.cycles;
  }
  // Those of a model: logits, choice, sort, scale, two products, sum.
  EXPECT_EQ(result->launches.size(), 7u);
  EXPECT_LE(sum, result->measurement.job.cycles);
  ResolvedChip chip = chipForTest("mtia-2i");
  auto json = toJson(*result, chip, "x");
  EXPECT_EQ(json["experts"]["tokens_max"], 4);
  EXPECT_EQ(json["launches"].size(), 7u);
  EXPECT_THAT(json["provenance"]["conditions"].get<std::string>(),
              HasSubstr("7 launches"));
  EXPECT_THAT(formatKernel(*result, chip), HasSubstr("4 of 4 used"));
}

Diagnostic refusal(const KernelShape &shape, const RunOptions &options = {},
                   const std::vector<std::string> &sets = {}) {
  auto result = runKernel(*findKernel("moe"), shape,
                          chipForTest("mtia-2i", sets), options);
  return result ? Diagnostic{"not refused", ExitOk} : result.error();
}

TEST(MoeKernel, RefusesSizesThatDoNotGoTogether) {
  Diagnostic why = refusal({.experts = 4, .topK = 5});
  EXPECT_EQ(why.exitStatus, ExitUsage);
  EXPECT_THAT(why.message, HasSubstr("--top-k is 5"));
  EXPECT_THAT(why.message, HasSubstr("4 of --experts"));
  why = refusal({.hidden = 64, .experts = 65});
  EXPECT_EQ(why.exitStatus, ExitUsage);
  EXPECT_THAT(why.message, HasSubstr("64 of --hidden"));
  why = refusal({.experts = 64, .topK = 33});
  EXPECT_EQ(why.exitStatus, ExitUsage);
  EXPECT_THAT(why.message, HasSubstr("at most 32"));
  EXPECT_EQ(refusal({.experts = 0}).exitStatus, ExitUsage);
}

TEST(MoeKernel, RefusesWhatNoMemoryHolds) {
  // 2^30 experts' worth of bytes would not fit 64 bits either.
  const uint64_t most = uint64_t(1) << 30;
  Diagnostic why = refusal(
      {.tokens = most, .hidden = most, .intermediate = most, .experts = most});
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("dram.bytes"));
  RunOptions options;
  options.placement.memory = MemoryChoice::Sram;
  why = refusal({.hidden = 4096, .intermediate = 4096}, options);
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("sram"));
}

TEST(MoeKernel, RefusesAChipThatIsTooSmall) {
  // A row of a token does not fit local memory.
  Diagnostic why = refusal(
      {.tokens = 8, .hidden = 262144, .intermediate = 16, .experts = 2});
  EXPECT_EQ(why.exitStatus, ExitDoesNotFit);
  EXPECT_THAT(why.message, HasSubstr("kernel moe does not fit"));
  EXPECT_THAT(why.message, HasSubstr("--hidden"));
  EXPECT_THAT(why.message, HasSubstr("experts_scale_0"));
  EXPECT_THAT(why.message, HasSubstr("388992 bytes of local memory"));
}

TEST(MoeKernel, StopsAtMaxCycles) {
  RunOptions options;
  options.maxCycles = 3000;
  auto result = runKernel(*findKernel("moe"), {.tokens = 8},
                          chipForTest("mtia-2i"), options);
  ASSERT_TRUE(bool(result)) << result.error().message;
  EXPECT_EQ(result->exitStatus(), ExitStopped);
  EXPECT_THAT(result->measurement.job.fault.text, HasSubstr("max-cycles"));
}

} // namespace
