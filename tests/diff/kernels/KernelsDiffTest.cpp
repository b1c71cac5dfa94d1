//===- KernelsDiffTest.cpp - Compiled kernels on random chips -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// On every chip (RandomChip.h) a product, attention and two other kernels of
// random sizes and types agree with fp64 in functional mode, and timing mode
// reports the same cycles, instructions and PC hash. What a chip cannot hold is
// refused with the parameter's name and bound, and seldom.
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelRun.h"
#include "tests/diff/kernels/RandomChip.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

using namespace chipwright;
using test::Random;

namespace {

bool isLong() {
  const char *text = std::getenv("CHIPWRIGHT_LONG");
  return text && *text == '1';
}

uint64_t firstSeed() {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  return text ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

/// Sizes that divide nothing, single elements, and some that fit exactly.
uint64_t randomSize(Random &random, uint64_t most) {
  switch (random.below(5)) {
  case 0:
    return 1 + random.below(3);
  case 1:
    return uint64_t(32) << random.below(3);
  default:
    return random.range(1, most);
  }
}

struct Draw {
  const Kernel *kernel;
  KernelShape shape;
};

Draw randomProduct(Random &random, const ChipSpec &spec) {
  Draw draw{findKernel("gemm"), {}};
  draw.shape.m = randomSize(random, 300);
  draw.shape.n = randomSize(random, 300);
  draw.shape.k = randomSize(random, 500);
  const std::vector<DType> &types = spec.dpe.dtypes;
  draw.shape.dtype = types[random.below(types.size())];
  return draw;
}

/// A product whose weights lie in memory in 4 bits, if the chip has one.
std::optional<Draw> randomBlockProduct(Random &random, const ChipSpec &spec) {
  Draw draw = randomProduct(random, spec);
  std::vector<DType> products;
  for (DType type : {DType::F16, DType::BF16}) {
    if (spec.peakFlops(type) > 0) {
      products.push_back(type);
    }
  }
  DType codes = random.pick({DType::I4, DType::F4E2M1});
  if (products.empty() || !spec.se.reads(codes)) {
    return std::nullopt;
  }
  draw.shape.dtype = products[random.below(products.size())];
  draw.shape.weightDtype = codes;
  return draw;
}

Draw randomOther(Random &random) {
  const char *name =
      random.pick({"copy", "add", "transpose", "softmax", "rmsnorm"});
  Draw draw{findKernel(name), {}};
  draw.shape.dtype =
      draw.kernel->dtypes[random.below(draw.kernel->dtypes.size())];
  if (draw.kernel->options.front() == std::string_view("elements")) {
    draw.shape.elements = randomSize(random, 200000);
  } else {
    draw.shape.rows = randomSize(random, 400);
    draw.shape.cols = randomSize(random, 700);
  }
  return draw;
}

Draw randomAttention(Random &random) {
  Draw draw{findKernel("attention"), {}};
  draw.shape.dtype = random.pick({DType::F16, DType::BF16});
  draw.shape.tokens = randomSize(random, 80);
  draw.shape.context = *draw.shape.tokens + random.below(200);
  draw.shape.kvHeads = random.range(1, 3);
  draw.shape.heads = *draw.shape.kvHeads * random.range(1, 3);
  draw.shape.headSize = 32 * random.range(1, 3);
  return draw;
}

std::string nameOf(const Draw &draw) {
  std::string text =
      fmt::format("{} {}", draw.kernel->name, dtypeName(*draw.shape.dtype));
  if (draw.shape.weightDtype) {
    text += fmt::format(" weights {}", dtypeName(*draw.shape.weightDtype));
  }
  for (const auto &size :
       {draw.shape.elements, draw.shape.rows, draw.shape.cols, draw.shape.m,
        draw.shape.n, draw.shape.k, draw.shape.tokens, draw.shape.context,
        draw.shape.heads, draw.shape.kvHeads, draw.shape.headSize}) {
    if (size) {
      text += fmt::format(" {}", *size);
    }
  }
  return text;
}

TEST(KernelsDiff, RandomKernelsOnRandomChips) {
  const uint64_t seed = firstSeed();
  const unsigned numChips = isLong() ? 50 : 8;
  RecordProperty("seed", std::to_string(seed));
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  unsigned refused = 0, runs = 0;
  for (unsigned number = 0; number < numChips; ++number) {
    Random random(seed + number);
    std::vector<std::string> sets = test::randomChip(random);
    Result<ResolvedChip> chip = loadChip("mtia-2i", sets);
    std::string place =
        fmt::format("CHIPWRIGHT_SEED={} chip {}:", seed, number);
    for (const std::string &set : sets) {
      place += " --set '" + set + "'";
    }
    SCOPED_TRACE(place);
    ASSERT_TRUE(chip) << chip.error().message;
    std::vector<Draw> draws = {randomProduct(random, chip->spec),
                               randomOther(random), randomOther(random),
                               randomAttention(random)};
    if (auto product = randomBlockProduct(random, chip->spec)) {
      draws.push_back(*product);
    }
    for (const Draw &draw : draws) {
      SCOPED_TRACE(nameOf(draw));
      ++runs;
      RunOptions options;
      options.mode = sim::Mode::Functional;
      options.seed = seed;
      options.maxCycles = sim::Cycle(1) << 28;
      if (random.chance(50)) {
        options.placement.memory = MemoryChoice::Dram;
      }
      Result<KernelResult> result =
          runKernel(*draw.kernel, draw.shape, *chip, options);
      if (!result) {
        // A chip may be too small, and then it says of what.
        EXPECT_EQ(result.error().exitStatus, ExitDoesNotFit)
            << result.error().message;
        EXPECT_TRUE(test::namesParameter(result.error().message))
            << result.error().message;
        std::printf("refused: %s on%s\n  %s\n", nameOf(draw).c_str(),
                    place.c_str(), result.error().message.c_str());
        ++refused;
        continue;
      }
      const sim::JobResult &job = result->measurement.job;
      ASSERT_TRUE(job.finished) << job.fault.text;
      ASSERT_TRUE(result->relativeError);
      EXPECT_LE(*result->relativeError, *result->errorBound);
      options.mode = sim::Mode::Timing;
      Result<KernelResult> timing =
          runKernel(*draw.kernel, draw.shape, *chip, options);
      ASSERT_TRUE(timing) << timing.error().message;
      const sim::JobResult &timed = timing->measurement.job;
      ASSERT_TRUE(timed.finished) << timed.fault.text;
      EXPECT_EQ(timed.cycles, job.cycles);
      EXPECT_EQ(timed.instructions, job.instructions);
      EXPECT_EQ(timed.pcHash, job.pcHash);
    }
  }
  std::printf("%u of %u refused\n", refused, runs);
  EXPECT_LE(refused, runs / 10);
}

} // namespace
