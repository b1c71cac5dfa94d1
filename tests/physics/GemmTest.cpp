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

#include "dialects/isa/Xpe.h"
#include "runtime/GemmSchedule.h"
#include "runtime/KernelRun.h"
#include "tests/physics/Workload.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <numeric>

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

static GemmSchedule scheduleOf(const ChipSpec &spec) {
  Result<GemmSchedule> schedule = scheduleGemm(spec, edge, edge, edge, type);
  EXPECT_TRUE(schedule) << schedule.error().message;
  return *schedule;
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
static uint64_t sramReads(const ChipSpec &spec, const GemmSchedule &schedule,
                          bool multicast) {
  auto divideUp = [](uint64_t a, uint64_t b) { return (a + b - 1) / b; };
  uint64_t down = divideUp(edge, schedule.mBlock);
  uint64_t across = divideUp(edge, schedule.nBlock);
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
  GemmSchedule schedule = scheduleOf(chip.spec);
  ASSERT_FALSE(schedule.spreadN);
  Outcome with = runWith({}, images);
  Outcome without = runWith({"noc.multicast=false"}, images);
  EXPECT_EQ(with.measurement.sramReadBytes,
            sramReads(chip.spec, schedule, true));
  EXPECT_EQ(without.measurement.sramReadBytes,
            sramReads(chip.spec, schedule, false));
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

namespace {

/// Field writes of all PEs.
struct Writes {
  double withContexts = 0, without = 0;
};

} // namespace

/// From the loops of gemm.c. With contexts every operand struct is written
/// where it is bound: whole, as many fields as the command reads. Without,
/// before each command, but only the fields that are not constantly 0.
static Writes fieldWrites(const ChipSpec &spec, const GemmSchedule &s) {
  auto fields = [](isa::Opcode opcode) {
    return double(std::popcount(isa::fieldMask(opcode)));
  };
  double blocks = double(edge / s.mBlock) * double(edge / s.nBlock);
  double chunks = double(edge * dtypeBytes(type)) / s.chunkBytes;
  double parts =
      std::max(1.0, double(s.mBlock) / spec.dpe.streamRows) *
      std::max(1.0, double(s.nBlock) / (spec.dpe.tiles * spec.dpe.tileRows));
  double products = blocks * chunks * parts *
                    (double(s.chunkBytes) / spec.dpe.kBytes / s.passes);
  Writes writes;
  writes.withContexts =
      spec.grid.numPes() *
          (fields(isa::Opcode::Mml) + fields(isa::Opcode::Drain)) +
      blocks * (2 * fields(isa::Opcode::DmaIn) + fields(isa::Opcode::DmaOut));
  // mml: a, b, shape, steps; bank and accumulate are in the word.
  // drain: shape, operations, out; x is bank 0 of type fp32, code 0.
  // dma.in: address, shape, pitch, valid part, flags, mask; B also names its
  // CB, that of A is number 0.
  // dma.out: address, shape, pitch, CB, valid part.
  writes.without = products * 4 + blocks * parts * 3 +
                   blocks * chunks * (6 + 7) + blocks * 5;
  return writes;
}

TEST(Gemm2048, ContextsSaveFieldWrites) {
  ImageCache images;
  ResolvedChip chip = chipWith({}), bare = chipWith({"cp.contexts=0"});
  EXPECT_NE(chip.architecturalFingerprint(), bare.architecturalFingerprint());
  GemmSchedule schedule = scheduleOf(chip.spec);
  GemmSchedule bareSchedule = scheduleOf(bare.spec);
  ASSERT_EQ(schedule.mBlock, bareSchedule.mBlock);
  ASSERT_EQ(schedule.nBlock, bareSchedule.nBlock);
  ASSERT_EQ(schedule.chunkBytes, bareSchedule.chunkBytes);
  ASSERT_EQ(schedule.passes, bareSchedule.passes);
  Measurement with = runWith({}, images).measurement;
  Measurement without = runWith({"cp.contexts=0"}, images).measurement;
  // The same commands, other code.
  ASSERT_EQ(with.job.commands, without.job.commands);
  EXPECT_NE(with.job.pcHash, without.job.pcHash);
  double commands = double(with.job.commands);
  double before = double(with.job.instructions) / commands;
  double after = double(without.job.instructions) / commands;
  Writes writes = fieldWrites(chip.spec, schedule);
  double saved = (writes.without - writes.withContexts) / commands;
  std::printf("instructions per command %.3f, without contexts %.3f: %.3f "
              "more, %.3f of them field writes; %llu and %llu cycles\n",
              before, after, after - before, saved,
              static_cast<unsigned long long>(with.job.cycles),
              static_cast<unsigned long long>(without.job.cycles));
  // Besides the writes: constants that no longer stay in registers.
  EXPECT_GE(after - before, saved);
  EXPECT_LE(after - before, 1.1 * saved);
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
