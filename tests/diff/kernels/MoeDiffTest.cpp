//===- MoeDiffTest.cpp - Routed experts on random chips -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Random sizes, routings and types on random chips: functional mode agrees with
// fp64, and timing mode, which is given the routing, reports the same cycles,
// instructions and PC hash. Most draws have experts without tokens, and sizes
// that no tile divides.
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelRun.h"
#include "tests/diff/command_processor/Random.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

using namespace chipwright;
using test::Random;

namespace {

std::vector<std::string> randomSets(Random &random) {
  unsigned tile = random.pick({16u, 32u, 64u});
  return {"dram.level=burst",
          fmt::format("grid.rows={}", random.pick({1, 2, 3, 5, 8})),
          fmt::format("grid.cols={}", random.pick({1, 2, 4, 7, 8})),
          fmt::format("dpe.tile_rows={}", tile),
          fmt::format("dpe.stream_rows={}", tile),
          fmt::format("dpe.k_bytes={}", random.pick({16, 32, 64})),
          fmt::format("re.banks={}", random.range(4, 8)),
          fmt::format("ls.bytes={}", random.pick({262144, 393216, 1048576})),
          fmt::format("cp.contexts={}", random.pick({0, 1, 3, 16})),
          fmt::format("cp.mml_max_passes={}", random.pick({1, 2, 8}))};
}

KernelShape randomShape(Random &random) {
  KernelShape shape;
  shape.dtype =
      random.pick({DType::F16, DType::BF16, DType::I8, DType::F8E4M3});
  shape.tokens = random.chance(30) ? random.range(1, 4) : random.range(1, 90);
  shape.experts = random.range(1, 12);
  shape.topK = random.range(1, std::min<uint64_t>(*shape.experts, 3));
  shape.hidden = random.range(32, 200);
  shape.intermediate = random.range(16, 200);
  if (random.chance(40)) {
    shape.sharedIntermediate = random.range(16, 150);
  }
  shape.routing =
      random.pick({Routing::Uniform, Routing::One, Routing::Random});
  return shape;
}

TEST(MoeDiff, RandomRoutingOnRandomChips) {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  const uint64_t seed =
      text ? std::strtoull(text, nullptr, 10) : std::random_device()();
  const char *length = std::getenv("CHIPWRIGHT_LONG");
  const unsigned numChips = length && *length == '1' ? 60 : 6;
  RecordProperty("seed", std::to_string(seed));
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  unsigned refused = 0;
  for (unsigned number = 0; number < numChips; ++number) {
    Random random(seed + number);
    std::vector<std::string> sets = randomSets(random);
    KernelShape shape = randomShape(random);
    const char *name = shape.dtype == DType::F8E4M3 ? "mtia-300" : "mtia-2i";
    Result<ResolvedChip> chip = loadChip(name, sets);
    ASSERT_TRUE(chip) << chip.error().message;
    std::string place = fmt::format(
        "CHIPWRIGHT_SEED={} chip {}: moe --chip {} --dtype {} --tokens {} "
        "--hidden {} --intermediate {} --experts {} --top-k {} "
        "--shared-intermediate {} --routing {}",
        seed, number, name, dtypeName(*shape.dtype), *shape.tokens,
        *shape.hidden, *shape.intermediate, *shape.experts, *shape.topK,
        shape.sharedIntermediate.value_or(0), int(*shape.routing));
    for (const std::string &set : sets) {
      place += " --set '" + set + "'";
    }
    SCOPED_TRACE(place);
    RunOptions options;
    options.mode = sim::Mode::Functional;
    options.seed = seed;
    options.maxCycles = sim::Cycle(1) << 28;
    if (random.chance(50)) {
      options.placement.memory = MemoryChoice::Dram;
    }
    const Kernel &kernel = *findKernel("moe");
    Result<KernelResult> result = runKernel(kernel, shape, *chip, options);
    if (!result) {
      EXPECT_EQ(result.error().exitStatus, ExitDoesNotFit)
          << result.error().message;
      std::printf("refused: %s\n  %s\n", place.c_str(),
                  result.error().message.c_str());
      ++refused;
      continue;
    }
    const sim::JobResult &job = result->measurement.job;
    ASSERT_TRUE(job.finished) << job.fault.text;
    ASSERT_TRUE(result->relativeError);
    EXPECT_LE(*result->relativeError, *result->errorBound);
    options.mode = sim::Mode::Timing;
    Result<KernelResult> timing = runKernel(kernel, shape, *chip, options);
    ASSERT_TRUE(timing) << timing.error().message;
    const sim::JobResult &timed = timing->measurement.job;
    ASSERT_TRUE(timed.finished) << timed.fault.text;
    EXPECT_EQ(timed.cycles, job.cycles);
    EXPECT_EQ(timed.instructions, job.instructions);
    EXPECT_EQ(timed.pcHash, job.pcHash);
  }
  std::printf("%u of %u refused\n", refused, numChips);
  EXPECT_LE(refused, numChips / 3);
}

} // namespace
