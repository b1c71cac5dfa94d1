//===- ChipSpecTest.cpp - Derived quantities against hand numbers -*- C++ -*-=//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "ChipTestSupport.h"

namespace chipwright {
namespace {

TEST(ChipSpec, Mtia2iMatchesPublishedRates) {
  ChipSpec chip = load("mtia-2i").spec;
  // 64 PEs x 2 tiles x 32 rows x 16 products x 2 x 1.35 GHz.
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::F16), 176.9472e12);
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::BF16), 176.9472e12);
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::I8), 353.8944e12);
  EXPECT_EQ(chip.peakFlops(DType::F32), 0);
  EXPECT_EQ(chip.peakFlops(DType::F8E4M3), 0);
  EXPECT_EQ(chip.dpeKElements(DType::F16), 16u);
  EXPECT_EQ(chip.dpeKElements(DType::I8), 32u);
  // 12 x 64 B and 32 x 64 B a cycle; published as 1 TB/s and 2.7 TB/s.
  EXPECT_DOUBLE_EQ(chip.lsBytesPerSecond(), 1.0368e12);
  EXPECT_DOUBLE_EQ(chip.sramBytesPerSecond(), 2.7648e12);
  // 1 / 1.35 GHz = 740740.74 fs.
  EXPECT_EQ(chip.periodFs(), 740741u);
  EXPECT_EQ(chip.grid.numPes(), 64u);
  EXPECT_EQ(chip.ls.bytes, 384u * 1024);
  EXPECT_EQ(chip.sram.bytes, 256ull << 20);
  EXPECT_EQ(chip.dram.pinBytesPerSecond, 204.8e9);
}

TEST(ChipSpec, Mtia300MatchesPublishedRates) {
  ChipSpec chip = load("mtia-300").spec;
  // 72 PEs x 2 tiles x 32 rows x 32 products x 2 x 1.9 GHz.
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::F16), 560.3328e12);
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::F8E4M3), 1120.6656e12);
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::F8E5M2), 1120.6656e12);
  EXPECT_DOUBLE_EQ(chip.peakFlops(DType::TF32), 280.1664e12);
  EXPECT_EQ(chip.peakFlops(DType::I8), 0) << "INT8 GEMM was dropped";
  EXPECT_NEAR(chip.lsBytesPerSecond(), 1.9e12, 0.05e12);
  EXPECT_NEAR(chip.sramBytesPerSecond(), 11.4e12, 0.3e12);
  EXPECT_NEAR(chip.dram.pinBytesPerSecond, 6.1e12, 0.05e12);
  EXPECT_EQ(chip.periodFs(), 526316u);
  EXPECT_EQ(chip.dram.bytes, 216ull << 30);
}

TEST(ChipSpec, LaunchStaysUnderTheTarget) {
  for (const char *name : {"mtia-2i", "mtia-300"}) {
    ChipSpec chip = load(name).spec;
    unsigned cycles = chip.control.dispatchCycles + chip.control.wqeCycles +
                      chip.control.completionCycles;
    // Half of the microsecond stays for the network.
    EXPECT_LT(cycles / chip.clockGhz, 500) << name;
  }
}

TEST(ChipSpec, LeakageIsAnEighthOfTdp) {
  for (const char *name : {"mtia-2i", "mtia-300"}) {
    ChipSpec chip = load(name).spec;
    EXPECT_NEAR(chip.energy.leakageWattsPerMm2 * chip.package.dieMm2,
                0.125 * chip.package.tdpWatts, 0.005 * chip.package.tdpWatts)
        << name;
  }
}

TEST(ChipSpec, DramAccessFillsThePins) {
  for (const char *name : {"mtia-2i", "mtia-300"}) {
    DramSpec dram = load(name).spec.dram;
    double perChannel =
        dram.pinBytesPerSecond / (dram.channels * dram.pseudoChannels);
    EXPECT_DOUBLE_EQ(dram.accessBytes / perChannel * 1e9,
                     dram.timing.ccdShortNs)
        << name;
    // Both device families move 32 B in two command clocks.
    EXPECT_DOUBLE_EQ(dram.timing.ccdShortNs, 2 * dram.timing.tckNs) << name;
  }
}

TEST(ChipSpec, DTypeNamesRoundTrip) {
  for (unsigned i = 0; i < 8; ++i) {
    DType type = static_cast<DType>(i);
    EXPECT_EQ(dtypeFromName(dtypeName(type)), type);
  }
  EXPECT_EQ(dtypeFromName("half"), std::nullopt);
  EXPECT_EQ(dtypeBytes(DType::TF32), 4u);
  EXPECT_EQ(dtypeBytes(DType::BF16), 2u);
  EXPECT_EQ(dtypeBytes(DType::F8E5M2), 1u);
}

} // namespace
} // namespace chipwright
