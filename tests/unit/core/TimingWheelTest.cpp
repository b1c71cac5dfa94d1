//===- TimingWheelTest.cpp -----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/TimingWheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <tuple>
#include <vector>

using namespace chipwright::sim;

namespace {

struct Log : WheelClient {
  std::vector<std::tuple<Cycle, uint32_t, uint64_t>> fired;
  std::function<void(Cycle, uint32_t)> also;
  void fire(Cycle now, uint32_t kind, uint64_t argument) override {
    fired.emplace_back(now, kind, argument);
    if (also) {
      also(now, kind);
    }
  }
};

void runAll(TimingWheel &wheel) {
  for (Cycle next = wheel.nextCycle(); next != kNever;
       next = wheel.nextCycle()) {
    wheel.runCycle(next);
  }
}

TEST(TimingWheelTest, CyclesAndPhasesInOrder) {
  TimingWheel wheel;
  Log log;
  EXPECT_TRUE(wheel.empty());
  wheel.post(5, Phase::Arbitrate, &log, 3);
  wheel.post(5, Phase::Deliver, &log, 1);
  wheel.post(100000, Phase::Deliver, &log, 5, 77); // beyond the window
  wheel.post(5, Phase::Evaluate, &log, 2);
  wheel.post(4096 + 5, Phase::Deliver, &log, 4); // same bucket as 5
  wheel.post(0, Phase::Deliver, &log, 0);
  EXPECT_EQ(wheel.nextCycle(), 0u);
  runAll(wheel);
  using T = std::tuple<Cycle, uint32_t, uint64_t>;
  std::vector<T> want = {T(0, 0, 0), T(5, 1, 0),    T(5, 2, 0),
                         T(5, 3, 0), T(4101, 4, 0), T(100000, 5, 77)};
  EXPECT_EQ(log.fired, want);
  EXPECT_EQ(wheel.now(), 100000u);
  EXPECT_EQ(wheel.eventsPosted(), 6u);
}

TEST(TimingWheelTest, EventsOfTheCycleBeingRun) {
  TimingWheel wheel;
  Log log;
  log.also = [&](Cycle now, uint32_t kind) {
    if (kind == 0) {
      wheel.post(now, Phase::Deliver, &log, 1);   // the phase being run
      wheel.post(now, Phase::Arbitrate, &log, 2); // a later one
      wheel.post(now + 1, Phase::Deliver, &log, 3);
      wheel.post(now + 4095, Phase::Deliver, &log, 4);
      wheel.post(now + 4096, Phase::Deliver, &log, 5);
    }
  };
  wheel.post(4000, Phase::Deliver, &log, 0);
  runAll(wheel);
  std::vector<uint32_t> kinds;
  for (auto [now, kind, argument] : log.fired) {
    kinds.push_back(kind);
  }
  EXPECT_EQ(kinds, (std::vector<uint32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(std::get<0>(log.fired[4]), 8095u);
  EXPECT_EQ(std::get<0>(log.fired[5]), 8096u);
}

// Every next cycle is found wherever the window begins.
TEST(TimingWheelTest, NextCycleAcrossTheWindow) {
  for (Cycle base : {Cycle(0), Cycle(63), Cycle(64), Cycle(4095)}) {
    for (Cycle step : {1u, 63u, 64u, 65u, 4000u, 4094u, 4095u, 4096u, 9000u}) {
      TimingWheel wheel;
      Log log;
      wheel.post(base, Phase::Deliver, &log, 0);
      wheel.runCycle(wheel.nextCycle());
      wheel.post(base + step, Phase::Evaluate, &log, 1);
      EXPECT_EQ(wheel.nextCycle(), base + step) << base << " " << step;
      wheel.runCycle(wheel.nextCycle());
      EXPECT_EQ(log.fired.size(), 2u);
      EXPECT_EQ(wheel.nextCycle(), kNever);
    }
  }
}

TEST(TimingWheelTest, ShufflePermutesInsidePhasesOnly) {
  auto order = [](uint64_t seed) {
    TimingWheel wheel;
    wheel.setShuffleSeed(seed);
    Log log;
    for (uint32_t i = 0; i < 20; ++i) {
      wheel.post(7, i < 10 ? Phase::Deliver : Phase::Evaluate, &log, i);
    }
    runAll(wheel);
    std::vector<uint32_t> kinds;
    for (auto [now, kind, argument] : log.fired) {
      kinds.push_back(kind);
    }
    return kinds;
  };
  std::vector<uint32_t> posted = order(0), shuffled = order(12345);
  EXPECT_TRUE(std::is_sorted(posted.begin(), posted.end()));
  EXPECT_NE(shuffled, posted);
  EXPECT_EQ(shuffled, order(12345));
  std::sort(shuffled.begin(), shuffled.begin() + 10);
  std::sort(shuffled.begin() + 10, shuffled.end());
  EXPECT_EQ(shuffled, posted);
}

} // namespace
