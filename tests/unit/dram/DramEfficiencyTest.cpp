//===- DramEfficiencyTest.cpp - Both levels against Ramulator 2.1 ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Share of peak against the number of 32-byte accesses per row visit, as
// measured with CMU-SAFARI/ramulator2 v2.1: one channel, open rows, row hits
// first, all-bank refresh, read and write queues 32/32 (HBM3 128/64), drain
// marks 0.8/0.2; accesses rotate over all banks as fast as the queues take
// them, row changes staggered; 40 000 accesses after 1000 clocks. The table
// checks the timing rules, it is no target for a chip's own controller.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/dram/DramEfficiency.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

using namespace chipwright;
using namespace chipwright::sim;
using namespace chipwright::dramtest;

namespace {

struct Cell {
  unsigned perVisit;
  bool mixed;
  double lpddr5, hbm3; // per cent of peak
};

const Cell cells[] = {{1, false, 46.6, 30.3},  {2, false, 73.4, 61.3},
                      {4, false, 90.6, 90.2},  {8, false, 93.0, 92.3},
                      {16, false, 93.1, 92.4}, {32, false, 93.3, 92.5},
                      {1, true, 39.4, 30.0},   {4, true, 65.9, 59.0},
                      {8, true, 72.4, 65.0},   {32, true, 75.9, 68.8}};

TEST(DramEfficiencyTest, CommandLevelReproducesRamulator) {
  uint64_t start = seed();
  for (bool hbm : {false, true}) {
    DramSpec spec = hbm ? hbm3() : lpddr5();
    std::printf("%s: accesses per visit, Ramulator, here\n",
                hbm ? "HBM3-6.4" : "LPDDR5-6400");
    for (const Cell &cell : cells) {
      double want = hbm ? cell.hbm3 : cell.lpddr5;
      double got = efficiency(spec, DramLevel::Command,
                              {cell.perVisit, 1, cell.mixed}, start);
      std::printf("  %-9s %2u  %5.1f  %5.1f  (%+.1f)\n",
                  cell.mixed ? "2/3 reads" : "reads", cell.perVisit, want, got,
                  got - want);
      EXPECT_NEAR(got, want, cell.mixed ? 8 : 4)
          << cell.perVisit << (cell.mixed ? " mixed" : " reads");
    }
  }
}

/// Largest difference of the levels in percentage points of peak: visits of
/// 256 bytes and more, reads only and with writes; and shorter ones.
struct Bounds {
  double longReads, longMixed, shortVisits;
};

// The burst level is handed a run at a time, as a DMA engine does: a visit, or
// the 256-byte granules of a longer one.
void compareLevels(const DramSpec &spec, const char *name, uint64_t start,
                   Bounds bounds) {
  std::printf("%s: accesses per visit, command level, burst level\n", name);
  for (bool mixed : {false, true}) {
    for (unsigned perVisit : {1u, 2u, 4u, 8u, 16u, 32u}) {
      Load load{perVisit, std::min(perVisit, 8u), mixed};
      double command = efficiency(spec, DramLevel::Command, load, start);
      double burst = efficiency(spec, DramLevel::Burst, load, start);
      std::printf("  %-9s %2u  %5.1f  %5.1f  (%+.1f)\n",
                  mixed ? "2/3 reads" : "reads", perVisit, command, burst,
                  burst - command);
      EXPECT_NEAR(burst, command,
                  perVisit < 8 ? bounds.shortVisits
                  : mixed      ? bounds.longMixed
                               : bounds.longReads)
          << name << " " << perVisit << (mixed ? " mixed" : " reads");
    }
  }
}

TEST(DramEfficiencyTest, BurstLevelFollowsCommandLevel) {
  uint64_t start = seed();
  compareLevels(lpddr5(), "LPDDR5-6400, all-bank refresh", start, {3, 3, 8});
  compareLevels(hbm3(), "HBM3-6.4, all-bank refresh", start, {3, 3, 8});
}

TEST(DramEfficiencyTest, BurstLevelFollowsCommandLevelOfChipControllers) {
  uint64_t start = seed();
  compareLevels(chipController(lpddr5()),
                "LPDDR5-6400, per-bank refresh, 64/64", start, {3, 3, 8});
  compareLevels(chipController(hbm3()), "HBM3-6.4, per-bank refresh, 64/64",
                start, {3, 3, 5});
}

// A read of another row of an open bank, nothing else going on: precharge,
// activate, read, data. Measured: 63 ns LPDDR5, 49 ns HBM3.
TEST(DramEfficiencyTest, UnloadedLatencyOfARowConflict) {
  struct Log : DramListener {
    uint64_t last = 0;
    void dramDone(uint64_t, uint64_t timeFs) override { last = timeFs; }
  };
  for (bool hbm : {false, true}) {
    for (DramLevel level : {DramLevel::Command, DramLevel::Burst}) {
      DramSpec spec = hbm ? hbm3() : lpddr5();
      spec.level = level;
      MemorySpec mem = memory();
      std::string error;
      Log log;
      auto channel = makeDramChannel(spec, mem, &log, error);
      ASSERT_TRUE(channel) << error;
      DramAddressMap map(spec, mem);
      channel->access({0, map.offsetOf({0, 3, 10, 0}), 32, false, 0});
      channel->advanceTo(500000000);
      uint64_t at = 600000000;
      channel->access({at, map.offsetOf({0, 3, 11, 0}), 32, false, 1});
      channel->advanceTo(1000000000);
      double ns = double(log.last - at) * 1e-6;
      std::printf("%s %s: unloaded row conflict %.2f ns\n",
                  hbm ? "HBM3" : "LPDDR5",
                  level == DramLevel::Command ? "command" : "burst", ns);
      EXPECT_NEAR(ns, hbm ? 49 : 63, hbm ? 4.9 : 6.3);
      const DramTimingSpec &t = spec.timing;
      double access = hbm ? 1.25 : 2.5;
      EXPECT_NEAR(ns, t.rpNs + t.rcdReadNs + t.rlNs + access, t.tckNs);
    }
  }
}

} // namespace
