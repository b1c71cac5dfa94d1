//===- CommandProcessorDiffTest.cpp ---------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Random tile programs on random chips against their execution in order.
// CHIPWRIGHT_SEED sets the first seed, CHIPWRIGHT_LONG=1 runs ten times as
// many programs. Program i of seed s is program 0 of seed s + i.
//
//===----------------------------------------------------------------------===//

#include "chips/ResolvedChip.h"
#include "sim/machine/Machine.h"
#include "tests/diff/command_processor/AbstractMachine.h"
#include "tests/diff/command_processor/MachineCode.h"
#include "tests/diff/command_processor/RandomChip.h"
#include "tests/diff/command_processor/SequentialOracle.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace chipwright;
using namespace chipwright::test;

// SystemC's library expects one; the machine elaborates by itself.
extern "C" int sc_main(int, char **) { return 0; }

namespace {

uint64_t firstSeed() {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  return text && *text ? std::strtoull(text, nullptr, 0) : 20240601;
}

unsigned numPrograms() {
  const char *text = std::getenv("CHIPWRIGHT_LONG");
  return text && std::strcmp(text, "1") == 0 ? 10000 : 1000;
}

/// Everything about one program.
struct Case {
  uint64_t seed;
  ChipSpec architecture;
  TileProgram program;
  std::vector<uint8_t> in, outBefore;
  OracleResult oracle;
  Random random; // for what follows: chips, the ring that loses a slot

  explicit Case(uint64_t number);
};

const ChipSpec &baseChip() {
  static const ResolvedChip chip = [] {
    auto loaded = loadChip("mtia-2i");
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      std::abort();
    }
    return loaded.take();
  }();
  return chip.spec;
}

Case::Case(uint64_t number) : seed(number), random(number) {
  architecture = randomArchitecture(baseChip(), random);
  program = randomProgram(random, {architecture.re.banks,
                                   architecture.cp.mmlMaxPasses,
                                   architecture.dpe.kBytes,
                                   architecture.sram.llsBytes});
  architecture.grid = {program.rows, program.cols};
  in.resize(program.memory.inBytes);
  for (size_t i = 0; i < in.size(); i += 2) {
    // Halfwords of moderate fp16 and bf16 numbers, and some of any kind.
    uint64_t bits = random.word();
    uint16_t value = uint16_t(bits & 0x8000) |
                     uint16_t(0x3800 + (bits >> 16) % 0x0a00);
    value = bits >> 60 == 0 ? uint16_t(bits >> 32) : value;
    std::memcpy(in.data() + i, &value, 2);
  }
  outBefore.assign(program.memory.outBytes, 0xa5);
  oracle = runSequentially(program, architecture, in, outBefore);
}

struct Outcome {
  sim::JobResult job;
  std::vector<uint8_t> out;
};

Outcome runOn(const Case &test, const ChipSpec &chip,
          const std::vector<unsigned> &slots, sim::Mode mode,
          uint64_t shuffleSeed = 0) {
  const TileProgram &program = test.program;
  sim::KernelImage image =
      encodeProgram(program, chip, slots, test.seed * 3);
  sim::MachineOptions options;
  options.mode = mode;
  options.maxCycles = sim::Cycle(1) << 26;
  options.shuffleSeed = shuffleSeed;
  sim::Machine machine(chip, options);
  const MemoryPlan &memory = program.memory;
  using sim::BufferKind;
  sim::Buffer *in =
      machine.declare("in", memory.inBase, memory.inBytes, BufferKind::Bulk);
  sim::Buffer *out = machine.declare("out", memory.outBase, memory.outBytes,
                                     BufferKind::Bulk);
  sim::Buffer *control = machine.declare(
      "control", memory.controlBase,
      uint64_t(program.numPes()) * program.recordBytes(), BufferKind::Control);
  EXPECT_TRUE(in && out && control);
  if (in->data()) {
    std::memcpy(in->data(), test.in.data(), test.in.size());
    std::memcpy(out->data(), test.outBefore.data(), test.outBefore.size());
  }
  for (unsigned pe = 0; pe < program.numPes(); ++pe) {
    std::memcpy(control->data() + size_t(pe) * program.recordBytes(),
                program.control[pe].data(), program.recordBytes());
  }
  sim::Job job;
  job.image = &image;
  job.rows = program.rows;
  job.cols = program.cols;
  job.arguments.resize(8);
  std::memcpy(job.arguments.data(), &memory.controlBase, 8);
  Outcome run;
  run.job = machine.launch(job);
  if (out->data()) {
    run.out.assign(out->data(), out->data() + memory.outBytes);
  }
  return run;
}

std::string firstDifference(const std::vector<uint8_t> &a,
                            const std::vector<uint8_t> &b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) {
      return "byte " + std::to_string(i) + " of " + std::to_string(a.size());
    }
  }
  return "";
}

class CommandProcessorDiff : public testing::Test {
protected:
  void SetUp() override {
    std::printf("CHIPWRIGHT_SEED=%llu\n",
                static_cast<unsigned long long>(firstSeed()));
  }
};

/// Whatever the latencies, widths and queues: the program ends, with the
/// memory that its steps give when they are executed in order, and timing mode
/// takes the same cycles.
TEST_F(CommandProcessorDiff, ResultsDoNotDependOnTiming) {
  constexpr unsigned kChips = 3;
  uint64_t commands = 0, machines = 0, loops = 0, multicasts = 0;
  for (unsigned i = 0; i < numPrograms(); ++i) {
    Case test(firstSeed() + i);
    SCOPED_TRACE("CHIPWRIGHT_SEED=" + std::to_string(test.seed));
    ASSERT_EQ(test.oracle.error, "");
    ASSERT_LE(test.program.recordBytes(), 2048u);
    commands += test.oracle.commands;
    for (unsigned c = 0; c < kChips; ++c) {
      ChipSpec chip = randomTiming(test.architecture, test.random);
      EXPECT_TRUE(endsWithCapacity(test.program, test.oracle,
                                   test.oracle.peakSlots,
                                   chip.cp.queueCommands,
                                   chip.noc.multicast));
      Outcome run = runOn(test, chip, test.oracle.peakSlots,
                      sim::Mode::Functional);
      ++machines;
      ASSERT_TRUE(run.job.finished) << run.job.fault.text;
      ASSERT_EQ(firstDifference(test.oracle.out, run.out), "")
          << "chip " << c;
      if (c != i % kChips) {
        continue;
      }
      // Neither the mode nor the order of events within a phase shows.
      for (uint64_t shuffle : {uint64_t(0), test.random.word() | 1}) {
        SCOPED_TRACE(shuffle ? "shuffled" : "timing");
        Outcome timing = runOn(test, chip, test.oracle.peakSlots,
                               sim::Mode::Timing, shuffle);
        ++machines;
        ASSERT_TRUE(timing.job.finished) << timing.job.fault.text;
        EXPECT_EQ(run.job.cycles, timing.job.cycles);
        EXPECT_EQ(run.job.kernelCycles, timing.job.kernelCycles);
        EXPECT_EQ(run.job.instructions, timing.job.instructions);
        EXPECT_EQ(run.job.pcHash, timing.job.pcHash);
      }
    }
    for (const Step &step : test.program.steps) {
      loops += step.kind == Step::Kind::Loop;
      multicasts += step.multicast;
    }
  }
  std::printf("%u programs, %llu commands, %llu machines, %llu loops and "
              "%llu multicasts at the top\n",
              numPrograms(), static_cast<unsigned long long>(commands),
              static_cast<unsigned long long>(machines),
              static_cast<unsigned long long>(loops),
              static_cast<unsigned long long>(multicasts));
}

/// One slot less than the occupancy in sequential order, in one ring that no
/// command addresses as far as that slot: the machine ends with the same
/// result or finds the deadlock, exactly as the rules without time say.
TEST_F(CommandProcessorDiff, OneSlotLessEndsOrIsADeadlock) {
  unsigned runs = 0, deadlocks = 0, skipped = 0;
  for (unsigned i = 0; i < numPrograms(); ++i) {
    Case test(firstSeed() + i);
    SCOPED_TRACE("CHIPWRIGHT_SEED=" + std::to_string(test.seed));
    // Slots between the harts only let one run ahead, unless a command needs
    // two of them at once; those that hart 1 fills for itself it cannot miss.
    std::vector<unsigned> rings, between;
    for (unsigned ring = 1; ring < test.program.rings.size(); ++ring) {
      if (test.oracle.peakSlots[ring] > 1 &&
          test.oracle.reachSlots[ring] < test.oracle.peakSlots[ring]) {
        (ring < test.program.firstMiddle ? between : rings).push_back(ring);
      }
    }
    if (test.random.chance(20)) {
      rings = between;
    }
    if (rings.empty()) {
      ++skipped;
      continue;
    }
    std::vector<unsigned> slots = test.oracle.peakSlots;
    --slots[rings[test.random.below(rings.size())]];
    ChipSpec chip = randomTiming(test.architecture, test.random);
    bool ends = endsWithCapacity(test.program, test.oracle, slots,
                                 chip.cp.queueCommands, chip.noc.multicast);
    Outcome run = runOn(test, chip, slots, sim::Mode::Functional);
    ++runs;
    ASSERT_EQ(run.job.finished, ends) << run.job.fault.text;
    if (run.job.finished) {
      ASSERT_EQ(firstDifference(test.oracle.out, run.out), "");
      continue;
    }
    ASSERT_EQ(run.job.fault.kind, sim::FaultKind::Deadlock)
        << run.job.fault.text;
    ++deadlocks;
  }
  std::printf("%u programs, %u runs with a slot less, %u deadlocks, %u "
              "programs without such a ring\n",
              numPrograms(), runs, deadlocks, skipped);
  EXPECT_GE(runs * 10, numPrograms() * 5);
  EXPECT_GE(deadlocks * 10, runs * 7);
}

} // namespace
