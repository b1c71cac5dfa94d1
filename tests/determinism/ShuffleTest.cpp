//===- ShuffleTest.cpp - The order of events decides nothing ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every kernel runs with the events of each phase in the order of posting and
// in random orders. Cycles, instructions, the hash of all pcs, the state that
// is left in the memory system and every output byte must be the same; so must
// the cycles of timing mode. Seeds follow from CHIPWRIGHT_SEED.
//
//===----------------------------------------------------------------------===//

#include "chips/ResolvedChip.h"
#include "runtime/Kernel.h"
#include "runtime/KernelBuild.h"
#include "runtime/KernelRun.h"
#include "runtime/Placement.h"
#include "runtime/Tensor.h"
#include "sim/machine/Machine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <tuple>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

constexpr unsigned kShuffles = 5;

uint64_t firstSeed() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  return given && *given ? std::strtoull(given, nullptr, 0) : 20251122;
}

/// FNV-1a.
uint64_t hashOf(const uint8_t *data, uint64_t bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t i = 0; i < bytes; ++i) {
    hash = (hash ^ data[i]) * 0x100000001b3;
  }
  return hash;
}

/// What a run leaves behind.
struct Outcome {
  std::string stopped; // message; empty if it finished
  Cycle cycles = 0, kernelCycles = 0, lastDone = 0;
  uint64_t instructions = 0, commands = 0, pcHash = 0, digest = 0, output = 0;
  bool operator==(const Outcome &) const = default;
};

void PrintTo(const Outcome &o, std::ostream *out) {
  *out << fmt::format("{}cycles {} ({} in the kernel, done at {}), "
                      "instructions {}, commands {}, pc hash {:#x}, digest "
                      "{:#x}, output {:#x}",
                      o.stopped, o.cycles, o.kernelCycles, o.lastDone,
                      o.instructions, o.commands, o.pcHash, o.digest, o.output);
}

/// A kernel with its code and the places of its buffers.
struct Program {
  KernelPlan plan;
  KernelImage image;
  std::vector<PlacedBuffer> placed;
};

Outcome runShuffled(const ChipSpec &spec, const Program &program, Mode mode,
                    uint64_t shuffleSeed) {
  Machine machine(spec, {.mode = mode, .shuffleSeed = shuffleSeed});
  std::vector<uint64_t> addresses;
  Buffer *last = nullptr;
  for (size_t i = 0; i < program.placed.size(); ++i) {
    const PlacedBuffer &place = program.placed[i];
    const KernelBuffer &buffer = program.plan.buffers[i];
    last = machine.declare(place.name, place.address, place.bytes,
                           BufferKind::Bulk);
    if (mode == Mode::Functional) {
      if (buffer.isOutput) {
        poison(buffer, last->data());
      } else {
        fillRandom(buffer, i + 1, last->data());
      }
    }
    addresses.push_back(place.address);
  }
  Job job;
  job.image = &program.image;
  job.arguments = program.plan.arguments(addresses);
  job.rows = spec.grid.rows;
  job.cols = spec.grid.cols;
  job.writeBack = true;
  JobResult result = machine.launch(job);
  Outcome outcome{.stopped = result.fault.text,
                  .cycles = result.cycles,
                  .kernelCycles = result.kernelCycles,
                  .lastDone = result.lastDone,
                  .instructions = result.instructions,
                  .commands = result.commands,
                  .pcHash = result.pcHash,
                  .digest = machine.digest()};
  if (last && last->data()) {
    outcome.output = hashOf(last->data(), last->bytes);
  }
  return outcome;
}

struct Case {
  const char *name, *kernel;
  KernelShape shape;
};

void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

using Parameters = std::tuple<Case, const char *, const char *>;

class Shuffle : public testing::TestWithParam<Parameters> {};

std::string nameOf(const testing::TestParamInfo<Parameters> &info) {
  std::string chip = std::get<1>(info.param);
  return fmt::format("{}_{}_{}", std::get<0>(info.param).name,
                     chip.substr(chip.find('-') + 1), std::get<2>(info.param));
}

TEST_P(Shuffle, ChangesNothing) {
  const auto &[what, chipName, level] = GetParam();
  Result<ResolvedChip> chip =
      loadChip(chipName, {std::string("dram.level=") + level});
  ASSERT_TRUE(chip) << chip.error().message;
  const ChipSpec &spec = chip->spec;
  const Kernel *kernel = findKernel(what.kernel);
  ASSERT_NE(kernel, nullptr);
  Result<KernelPlan> plan = planKernel(*kernel, spec, what.shape);
  ASSERT_TRUE(plan) << plan.error().message;
  Program program{.plan = plan.take(), .image = {}, .placed = {}};
  for (const KernelBuffer &buffer : program.plan.buffers) {
    program.placed.push_back({buffer.name, buffer.bytes(), MemoryChoice::Dram});
  }
  ASSERT_TRUE(placeBuffers(spec, program.placed));
  Result<std::vector<uint8_t>> elf = buildPlan(*kernel, program.plan, spec);
  ASSERT_TRUE(elf) << elf.error().message;
  Result<KernelImage> image = loadKernel(*elf, kernel->name);
  ASSERT_TRUE(image) << image.error().message;
  program.image = image.take();

  Outcome expected = runShuffled(spec, program, Mode::Functional, 0);
  ASSERT_EQ(expected.stopped, "");
  ASSERT_GT(expected.cycles, 0u);
  uint64_t first = firstSeed();
  for (unsigned i = 0; i < kShuffles; ++i) {
    EXPECT_EQ(runShuffled(spec, program, Mode::Functional, first + i), expected)
        << "shuffle seed " << first + i;
  }
  // Timing mode has no output.
  expected.output = 0;
  for (uint64_t seed : {uint64_t(0), first}) {
    EXPECT_EQ(runShuffled(spec, program, Mode::Timing, seed), expected)
        << "timing mode, shuffle seed " << seed;
  }
}

const Case cases[] = {
    {"gemm", "gemm", {.m = 200, .n = 300, .k = 400}},
    {"gemmSkinny", "gemm", {.m = 3, .n = 512, .k = 512}},
    {"copy", "copy", {.elements = 300001}},
    {"add", "add", {.elements = 200000}},
    {"stream", "stream", {.elements = 300000, .readFraction = 0.67}},
    {"transpose", "transpose", {.rows = 200, .cols = 330}},
    {"softmax", "softmax", {.rows = 150, .cols = 700}},
    {"rmsnorm", "rmsnorm", {.rows = 150, .cols = 700}},
    {"empty", "empty", {}},
};

INSTANTIATE_TEST_SUITE_P(Kernels, Shuffle,
                         testing::Combine(testing::ValuesIn(cases),
                                          testing::Values("mtia-2i",
                                                          "mtia-300"),
                                          testing::Values("burst", "command")),
                         nameOf);

/// Of PEs that fail in one cycle always the same is reported.
TEST(ShuffledFaults, ReportIsTheSame) {
  Result<ResolvedChip> chip = loadChip("mtia-2i");
  ASSERT_TRUE(chip) << chip.error().message;
  UserKernel kernel;
  kernel.path = CHIPWRIGHT_SOURCE_DIR "/tests/determinism/everywhere.c";
  kernel.buffers = {{"in", 4096, std::nullopt, false}};
  auto report = [&](uint64_t seed, Mode mode) {
    RunOptions options;
    options.mode = mode;
    options.shuffleSeed = seed;
    Result<KernelResult> result = runUserKernel(kernel, *chip, options);
    return result ? result->measurement.job.fault.text : result.error().message;
  };
  std::string expected = report(0, Mode::Timing);
  EXPECT_THAT(expected, testing::HasSubstr("CB overflow"));
  EXPECT_THAT(expected, testing::HasSubstr("PE 2,3 hart 0")); // of 8 x 8
  uint64_t first = firstSeed();
  for (unsigned i = 0; i < 4 * kShuffles; ++i) {
    EXPECT_EQ(report(first + i, i % 2 ? Mode::Timing : Mode::Functional),
              expected)
        << "shuffle seed " << first + i;
  }
}

} // namespace
