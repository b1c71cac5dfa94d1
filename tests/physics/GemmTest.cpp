//===- GemmTest.cpp - One product in all its accounts ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// gemm 2048 x 2048 x 2048 fp16 on mtia-2i, operands in SRAM: both modes, its
// lost cycles, the bytes that multicast saves, the writes that contexts save,
// and its power.
//
//===----------------------------------------------------------------------===//

#include "compiler/PeToElf.h"
#include "runtime/KernelBuild.h"
#include "runtime/KernelRun.h"
#include "tests/physics/Workload.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <numeric>
#include <regex>
#include <string>

using namespace chipwright;
using namespace chipwright::physics;

static constexpr uint64_t edge = 2048;
static constexpr DType type = DType::F16;
static constexpr PlacementOptions inSram{MemoryChoice::Sram, {}, {}};

static KernelShape productShape() {
  KernelShape shape;
  shape.m = shape.n = shape.k = edge;
  shape.dtype = type;
  return shape;
}

/// Blocks of C as grid-schedule chooses them.
struct Blocks {
  uint64_t m = 0, n = 0, k = 0;
  bool inTwoDimensions = false; // rows of blocks to PE rows, columns likewise
};

static Blocks blocksOf(const ChipSpec &spec) {
  Result<KernelPlan> plan =
      planKernel(*findKernel("gemm"), spec, productShape());
  EXPECT_TRUE(plan) << plan.error().message;
  Result<std::string> text = scheduledText(spec, plan->program, "gemm");
  EXPECT_TRUE(text) << text.error().message;
  std::smatch match;
  Blocks blocks;
  bool found = std::regex_search(
      *text, match,
      std::regex("tile = \\[(\\d+), (\\d+), (\\d+)\\], on = \\[(.*?), seq\\]"));
  EXPECT_TRUE(found) << *text;
  if (found) {
    blocks = {std::stoull(match[1]), std::stoull(match[2]),
              std::stoull(match[3]), match[4] == "row, col"};
  }
  return blocks;
}

/// Runs with \p sets in timing mode.
static Outcome runWith(const std::vector<std::string> &sets,
                       ImageCache &images) {
  ResolvedChip chip = chipWith(sets);
  Result<Program> program = shipped("gemm", productShape(), inSram)(chip.spec);
  EXPECT_TRUE(program) << program.error().message;
  Result<Outcome> outcome = runProgram(images, chip, *program);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? *outcome : Outcome();
}

TEST(Gemm2048, ModesAgreeAndResultIsRight) {
  ResolvedChip chip = chipWith({});
  RunOptions options;
  options.placement = inSram;
  const Kernel &gemm = *findKernel("gemm");
  Result<KernelResult> timing = runKernel(gemm, productShape(), chip, options);
  ASSERT_TRUE(timing) << timing.error().message;
  options.mode = sim::Mode::Functional;
  Result<KernelResult> functional =
      runKernel(gemm, productShape(), chip, options);
  ASSERT_TRUE(functional) << functional.error().message;

  const sim::JobResult &a = timing->measurement.job;
  const sim::JobResult &b = functional->measurement.job;
  ASSERT_TRUE(a.finished) << a.fault.text;
  ASSERT_TRUE(b.finished) << b.fault.text;
  EXPECT_EQ(a.cycles, b.cycles);
  EXPECT_EQ(a.instructions, b.instructions);
  EXPECT_EQ(a.commands, b.commands);
  EXPECT_EQ(a.pcHash, b.pcHash);
  ASSERT_TRUE(functional->relativeError && functional->errorBound);
  EXPECT_LE(*functional->relativeError, *functional->errorBound);
  std::printf("%llu cycles, %.1f %% of peak, relative error %.2e (bound "
              "%.2e)\n",
              static_cast<unsigned long long>(a.cycles),
              100 * timing->peakFraction.value_or(0),
              *functional->relativeError, *functional->errorBound);
}

TEST(Gemm2048, CyclesOfEveryEngineAreAccounted) {
  ImageCache images;
  Measurement m = runWith({}, images).measurement;
  for (const EngineTime &engine : m.engines) {
    sim::Cycle lost =
        std::accumulate(engine.lost.begin(), engine.lost.end(), sim::Cycle(0));
    EXPECT_EQ(engine.busy + lost, m.numPes * m.job.cycles) << engine.name;
    std::printf("%-7s busy %5.1f %%, lost:", engine.name.c_str(),
                100.0 * double(engine.busy) / double(m.numPes * m.job.cycles));
    for (unsigned cause = 0; cause < sim::numStalls; ++cause) {
      if (engine.lost[cause]) {
        std::printf(
            " %s %llu", sim::stallName(sim::Stall(cause)),
            static_cast<unsigned long long>(engine.lost[cause] / m.numPes));
      }
    }
    std::printf(" cycles per PE\n");
  }
}

/// SRAM reads: block (i, j) of C takes block row i of A and block row j of B,
/// both over all of K; multicast fetches an operand once for the PEs of a row
/// or column that work on their blocks at the same time.
static uint64_t sramReads(const ChipSpec &spec, const Blocks &blocks,
                          bool multicast) {
  auto divideUp = [](uint64_t a, uint64_t b) { return (a + b - 1) / b; };
  uint64_t down = divideUp(edge, blocks.m);
  uint64_t across = divideUp(edge, blocks.n);
  uint64_t operand = edge * edge * dtypeBytes(type);
  uint64_t timesA = multicast ? divideUp(across, spec.grid.cols) : across;
  uint64_t timesB = multicast ? divideUp(down, spec.grid.rows) : down;
  return operand * (timesA + timesB);
}

TEST(Gemm2048, WithoutMulticastEveryPeFetches) {
  ImageCache images; // one binary: noc.multicast is a timing parameter
  ResolvedChip chip = chipWith({});
  ASSERT_EQ(chip.architecturalFingerprint(),
            chipWith({"noc.multicast=false"}).architecturalFingerprint());
  Blocks blocks = blocksOf(chip.spec);
  ASSERT_TRUE(blocks.inTwoDimensions);
  Outcome with = runWith({}, images);
  Outcome without = runWith({"noc.multicast=false"}, images);
  EXPECT_EQ(with.measurement.sramReadBytes, sramReads(chip.spec, blocks, true));
  EXPECT_EQ(without.measurement.sramReadBytes,
            sramReads(chip.spec, blocks, false));
  uint64_t written = edge * edge * dtypeBytes(type);
  EXPECT_EQ(with.measurement.sramWriteBytes, written);
  EXPECT_EQ(without.measurement.sramWriteBytes, written);
  EXPECT_EQ(with.measurement.job.pcHash, without.measurement.job.pcHash);
  EXPECT_GT(without.measurement.job.cycles, with.measurement.job.cycles);
  std::printf(
      "SRAM reads %llu MiB, without multicast %llu MiB; %llu and "
      "%llu cycles\n",
      static_cast<unsigned long long>(with.measurement.sramReadBytes >> 20),
      static_cast<unsigned long long>(without.measurement.sramReadBytes >> 20),
      static_cast<unsigned long long>(with.measurement.job.cycles),
      static_cast<unsigned long long>(without.measurement.job.cycles));
}

/// With contexts a product is one instruction: its operands stay. Without,
/// its four fields that are not 0 (a, b, shape, steps) come before each.
TEST(Gemm2048, ContextsSaveFieldWrites) {
  ImageCache images;
  ResolvedChip chip = chipWith({}), bare = chipWith({"cp.contexts=0"});
  EXPECT_NE(chip.architecturalFingerprint(), bare.architecturalFingerprint());
  Blocks blocks = blocksOf(chip.spec), bareBlocks = blocksOf(bare.spec);
  ASSERT_EQ(blocks.m, bareBlocks.m);
  ASSERT_EQ(blocks.n, bareBlocks.n);
  ASSERT_EQ(blocks.k, bareBlocks.k);
  Outcome with = runWith({}, images);
  Outcome without = runWith({"cp.contexts=0"}, images);
  const sim::JobResult &job = with.measurement.job;
  const sim::JobResult &bareJob = without.measurement.job;
  // The same commands, other code.
  ASSERT_EQ(job.commands, bareJob.commands);
  ASSERT_EQ(with.dpePasses, without.dpePasses);
  EXPECT_NE(job.pcHash, bareJob.pcHash);
  ASSERT_EQ(chip.spec.cp.mmlMaxPasses, 1u);
  double products = double(with.dpePasses);
  double more =
      (double(bareJob.instructions) - double(job.instructions)) / products;
  std::printf("instructions per command %.3f, without contexts %.3f: %.3f "
              "more per product; %llu and %llu cycles\n",
              double(job.instructions) / double(job.commands),
              double(bareJob.instructions) / double(job.commands), more,
              static_cast<unsigned long long>(job.cycles),
              static_cast<unsigned long long>(bareJob.cycles));
  // Besides the writes: constants that no longer stay in registers, and the
  // fields of the other commands.
  EXPECT_GE(more, 4.0);
  EXPECT_LE(more, 6.0);
}

TEST(Gemm2048, PowerIsBelowTdp) {
  ImageCache images;
  Outcome outcome = runWith({}, images);
  const sim::EnergyReport &energy = outcome.energy;
  EXPECT_GE(energy.tdpFraction, 0.3);
  EXPECT_LE(energy.tdpFraction, 1.1);
  double sum = 0;
  for (auto [name, joules] : energy.parts()) {
    EXPECT_GE(joules, 0) << name;
    std::printf("%-18s %8.1f uJ %5.1f %%\n", name, joules * 1e6,
                100 * joules / energy.total());
    sum += joules;
  }
  EXPECT_NEAR(sum, energy.total(), 1e-9 * energy.total());
  std::printf("%.1f W, %.0f %% of TDP\n", energy.averageWatts(),
              100 * energy.tdpFraction);
}
