//===- KernelReportTest.cpp - Names and sums of reports -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

#include "chips/ChipReport.h"
#include "runtime/KernelReport.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace chipwright;
using testing::HasSubstr;

static KernelResult run(const char *kernel, const ResolvedChip &chip,
                        const KernelShape &shape, sim::Mode mode,
                        MemoryChoice memory) {
  RunOptions options;
  options.mode = mode;
  options.placement.memory = memory;
  Result<KernelResult> result =
      runKernel(*findKernel(kernel), shape, chip, options);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().message);
  return *result;
}

TEST(KernelReport, DocumentedNames) {
  ResolvedChip chip = chipForTest("mtia-2i");
  KernelResult result = run("add", chip, {.elements = 10000},
                            sim::Mode::Functional, MemoryChoice::Dram);
  auto json = toJson(result, chip, "chipwright kernel add");
  for (const char *name :
       {"seconds", "cycles", "kernel_cycles", "dram_bytes_read",
        "dram_bytes_written", "dram_bytes_ecc", "dram_bandwidth_fraction",
        "sram_bytes", "energy_joules", "relative_error", "stalls", "host_work",
        "provenance", "simulator", "chip", "chip_hash", "version",
        "command_line", "verdict"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  for (const char *name : {"cpu_seconds", "process_cpu_seconds", "commands",
                           "instructions", "pc_hash", "events"}) {
    EXPECT_TRUE(json["simulator"].contains(name)) << name;
  }
  EXPECT_EQ(json["provenance"]["kind"], "simulated");
  EXPECT_EQ(json["chip_hash"], formatHash(chip.hash()));
  EXPECT_TRUE(json["host_work"].empty());
  // No matrix product: nothing to print, and no zero instead.
  EXPECT_FALSE(json.contains("flops"));
  EXPECT_FALSE(json.contains("peak_fraction"));
  double seconds = json["seconds"];
  EXPECT_NEAR(seconds, json["cycles"].get<double>() / 1.35e9, seconds * 1e-5);
  EXPECT_GE(json["cycles"], json["kernel_cycles"]);
}

TEST(KernelReport, StallsSumToTheWhole) {
  ResolvedChip chip = chipForTest("mtia-2i");
  KernelResult result = run("softmax", chip, {.rows = 500, .cols = 100},
                            sim::Mode::Timing, MemoryChoice::Dram);
  auto json = toJson(result, chip, "");
  for (const char *engine : {"dpe", "re", "se", "mlu", "fi_in", "fi_out"}) {
    uint64_t sum = 0;
    for (const auto &cycles : json["stalls"][engine]) {
      sum += cycles.get<uint64_t>();
    }
    EXPECT_EQ(sum, json["cycles"].get<uint64_t>() * 64) << engine;
  }
}

TEST(KernelReport, DramFractionByHand) {
  ResolvedChip chip = chipForTest("mtia-2i");
  KernelResult result = run("copy", chip, {.elements = 1 << 20},
                            sim::Mode::Timing, MemoryChoice::Dram);
  auto json = toJson(result, chip, "");
  // 2 MiB each way in whole granules, and a ninth code access per eight.
  EXPECT_EQ(json["dram_bytes_read"], 2 << 20);
  EXPECT_EQ(json["dram_bytes_written"], 2 << 20);
  EXPECT_EQ(json["dram_bytes_ecc"], (4 << 20) / 8);
  double fraction = json["dram_bandwidth_fraction"];
  EXPECT_NEAR(fraction,
              double(4 << 20) / (json["seconds"].get<double>() * 204.8e9),
              1e-9);
  EXPECT_LE(fraction, 8.0 / 9.0); // the code takes its share of the pins
  EXPECT_THAT(verdict(result), HasSubstr("bound by the DRAM bus"));
}

TEST(KernelReport, MultiplicationsByType) {
  // Sizes that no tile pads: m x n x k of them, of the operands' type alone.
  ResolvedChip chip = chipForTest("mtia-2i");
  for (DType type : {DType::I8, DType::BF16}) {
    KernelShape shape{.m = 128, .n = 256, .k = 512};
    shape.dtype = type;
    KernelResult result =
        run("gemm", chip, shape, sim::Mode::Timing, MemoryChoice::Auto);
    auto json = toJson(result, chip, "");
    ASSERT_EQ(json["macs"].size(), 1u);
    EXPECT_EQ(json["macs"][dtypeName(type)], 128 * 256 * 512);
  }
  KernelResult none = run("add", chip, {.elements = 1000}, sim::Mode::Timing,
                          MemoryChoice::Auto);
  EXPECT_FALSE(toJson(none, chip, "").contains("macs"));
}

TEST(KernelReport, EmptyIsAllLaunch) {
  ResolvedChip chip = chipForTest("mtia-2i");
  KernelResult result =
      run("empty", chip, {}, sim::Mode::Timing, MemoryChoice::Auto);
  EXPECT_THAT(verdict(result), HasSubstr("launch"));
  EXPECT_THAT(formatKernel(result, chip), HasSubstr("verdict: "));
}

TEST(KernelReport, StoppedRunHasNoFigures) {
  ResolvedChip chip = chipForTest("mtia-2i");
  RunOptions options;
  options.maxCycles = 1500;
  Result<KernelResult> result =
      runKernel(*findKernel("copy"), {}, chip, options);
  ASSERT_TRUE(bool(result)) << result.error().message;
  auto json = toJson(*result, chip, "");
  EXPECT_FALSE(json.contains("seconds"));
  EXPECT_TRUE(json.contains("stopped"));
}
