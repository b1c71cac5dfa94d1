//===- TimelineTest.cpp --------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/core/Timeline.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

using namespace chipwright::sim;

namespace {

std::mt19937_64 seeded() {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed = text ? std::strtoull(text, nullptr, 0) : 20240801;
  std::cout << "CHIPWRIGHT_SEED=" << seed << "\n";
  return std::mt19937_64(seed);
}

TEST(GapTimelineTest, FirstFreeTimeAtOrAfter) {
  GapTimeline line;
  EXPECT_EQ(line.reserve(10, 5), 10u); // leaves the gap [0, 10)
  EXPECT_EQ(line.reserve(12, 5), 15u);
  EXPECT_EQ(line.reserve(0, 4), 0u);  // [4, 10) is left
  EXPECT_EQ(line.reserve(0, 7), 20u); // does not fit
  EXPECT_EQ(line.reserve(5, 3), 5u);  // leaves [4, 5) and [8, 10)
  EXPECT_EQ(line.reserve(0, 2), 8u);
  EXPECT_EQ(line.reserve(0, 1), 4u);
  EXPECT_EQ(line.reserve(0, 1), 27u);
  EXPECT_EQ(line.end(), 28u);
  EXPECT_EQ(line.busyCycles(), 28u);
}

TEST(GapTimelineTest, KeepsTheTwelveLatestGaps) {
  GapTimeline line;
  // Gaps [0, 2), [4, 6), ... [48, 50): thirteen fit behind the first.
  for (Cycle start = 2; start <= 50; start += 4) {
    EXPECT_EQ(line.reserve(start, 2), start);
  }
  EXPECT_EQ(line.reserve(0, 1), 4u); // [0, 2) is forgotten
  // Splitting a gap in the middle makes one more.
  GapTimeline other;
  for (Cycle start = 10; start < 10 + 12 * 20; start += 20) {
    other.reserve(start, 10);
  }
  EXPECT_EQ(other.reserve(63, 2), 63u); // [60, 63) and [65, 70); [0, 10) goes
  EXPECT_EQ(other.reserve(0, 3), 20u);
  EXPECT_EQ(other.reserve(60, 3), 60u);
  EXPECT_EQ(other.reserve(60, 5), 65u);
}

// Against a table of busy cycles, with so few gaps that none is forgotten.
TEST(GapTimelineTest, RandomReservationsAgainstATable) {
  std::mt19937_64 random = seeded();
  for (unsigned run = 0; run < 500; ++run) {
    GapTimeline line;
    std::vector<bool> busy(4000);
    Cycle total = 0;
    for (unsigned i = 0; i < 200; ++i) {
      unsigned gaps = 0;
      for (Cycle t = 0; t < line.end(); ++t) {
        gaps += !busy[t] && (t == 0 || busy[t - 1]);
      }
      Cycle earliest = gaps >= 11 ? line.end() : random() % 1500;
      Cycle duration = 1 + random() % 9;
      Cycle want = earliest;
      for (Cycle t = earliest; t < want + duration; ++t) {
        want = busy[t] ? t + 1 : want;
      }
      ASSERT_EQ(line.reserve(earliest, duration), want)
          << "run " << run << " step " << i;
      std::fill_n(busy.begin() + static_cast<long>(want), duration, true);
      total += duration;
    }
    EXPECT_EQ(line.busyCycles(), total);
  }
}

// However many gaps there are, nothing overlaps and nothing is early.
TEST(GapTimelineTest, NeverOverlaps) {
  std::mt19937_64 random = seeded();
  GapTimeline line;
  std::vector<bool> busy(400000);
  Cycle now = 0;
  for (unsigned i = 0; i < 30000; ++i) {
    now += random() % 6;
    Cycle earliest = now + random() % 300, duration = 1 + random() % 5;
    Cycle start = line.reserve(earliest, duration);
    ASSERT_GE(start, earliest);
    for (Cycle t = start; t < start + duration; ++t) {
      ASSERT_FALSE(busy.at(t)) << "cycle " << t;
      busy[t] = true;
    }
  }
}

TEST(RateTimelineTest, SharesTheCapacity) {
  RateTimeline rate(100);
  EXPECT_EQ(rate.reserve(0, 0, 600, 60), 10u);
  EXPECT_EQ(rate.reserve(0, 0, 400, 60), 10u);  // 40 are left
  EXPECT_EQ(rate.reserve(0, 5, 60, 60), 11u);   // none is left before 10
  EXPECT_EQ(rate.reserve(0, 20, 50, 400), 21u); // capped by the capacity
  EXPECT_EQ(rate.reserve(0, 30, 0, 60), 30u);
  EXPECT_EQ(rate.bytesMoved(), 1110u);
}

TEST(RateTimelineTest, RandomReservationsAgainstATable) {
  std::mt19937_64 random = seeded();
  for (unsigned run = 0; run < 200; ++run) {
    const uint64_t capacity = 1 + random() % 200;
    RateTimeline rate(capacity);
    std::vector<uint64_t> used(100000);
    Cycle now = 0;
    for (unsigned i = 0; i < 100; ++i) {
      now += random() % 8;
      Cycle start = now + random() % 50;
      uint64_t bytes = 1 + random() % 3000, each = 1 + random() % 250;
      uint64_t left = bytes;
      Cycle t = start, want = start;
      // The rate is settled at the start of each stretch of equal use, and
      // the last cycle of a stretch takes what is left.
      for (; left != 0; ++t) {
        uint64_t grant = std::min(std::min(each, capacity), capacity - used[t]);
        left -= std::min(left, grant);
        used[t] += grant;
        want = grant ? t + 1 : want;
      }
      ASSERT_EQ(rate.reserve(now, start, bytes, each), want)
          << "run " << run << " step " << i;
    }
  }
}

} // namespace
