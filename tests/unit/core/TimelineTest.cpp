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
  EXPECT_EQ(line.reserve(0, 10, 5), 10u); // leaves the gap [0, 10)
  EXPECT_EQ(line.reserve(0, 12, 5), 15u);
  EXPECT_EQ(line.reserve(0, 0, 4), 0u);  // [4, 10) is left
  EXPECT_EQ(line.reserve(0, 0, 7), 20u); // does not fit
  EXPECT_EQ(line.reserve(0, 5, 3), 5u);  // leaves [4, 5) and [8, 10)
  EXPECT_EQ(line.reserve(0, 0, 2), 8u);
  EXPECT_EQ(line.reserve(0, 0, 1), 4u);
  EXPECT_EQ(line.reserve(0, 0, 1), 27u);
  EXPECT_EQ(line.end(), 28u);
  EXPECT_EQ(line.busyCycles(), 28u);
}

// The free cycles that a reservation leaves behind stay, however many they are
// and however far ahead it is.
TEST(GapTimelineTest, ForgetsNoGap) {
  GapTimeline line;
  for (Cycle start = 2; start < 20000; start += 4) {
    EXPECT_EQ(line.reserve(0, start, 2), start);
  }
  EXPECT_EQ(line.reserve(0, 9000, 2), 9000u);
  EXPECT_EQ(line.reserve(0, 9000, 2), 9004u);
  EXPECT_EQ(line.reserve(0, 0, 2), 0u);
  EXPECT_EQ(line.reserve(0, 0, 3), 20000u);
  EXPECT_EQ(line.reserve(0, 20001, 1), 20003u);
  // The same after time has moved on, and nothing before it is needed.
  EXPECT_EQ(line.reserve(8000, 8000, 2), 8000u);
  EXPECT_EQ(line.reserve(8000, 8001, 1), 8004u);
  EXPECT_EQ(line.reserve(8000, 8000, 1), 8005u);
}

// A request for a time before the window is served in it.
TEST(GapTimelineTest, CyclesBeforeTheWindowAreTaken) {
  GapTimeline line;
  EXPECT_EQ(line.reserve(100000, 110000, 10), 110000u);
  EXPECT_GE(line.reserve(100000, 50, 10), 99968u);
  EXPECT_LE(line.reserve(100000, 50, 10), 100000u);
  EXPECT_EQ(line.reserve(100000, 109995, 10), 110010u);
  EXPECT_EQ(line.reserve(500000, 500000, 1), 500000u);
}

TEST(GapTimelineTest, LongReservations) {
  GapTimeline line;
  EXPECT_EQ(line.reserve(0, 100, 64), 100u);
  EXPECT_EQ(line.reserve(0, 0, 100), 0u);
  EXPECT_EQ(line.reserve(0, 0, 65), 164u);
  EXPECT_EQ(line.reserve(0, 0, 10000), 229u);
  EXPECT_EQ(line.reserve(0, 5, 1), 10229u);
  EXPECT_EQ(line.reserve(0, 5, 0), 5u);
  EXPECT_EQ(line.busyCycles(), 64u + 100 + 65 + 10000 + 1);
  EXPECT_EQ(line.end(), 10230u);
}

// Against a table of busy cycles. Reservations lie near the present, across the
// end of the window and beyond it; some are longer than a word or the window.
TEST(GapTimelineTest, RandomReservationsAgainstATable) {
  std::mt19937_64 random = seeded();
  for (unsigned run = 0; run < 200; ++run) {
    GapTimeline line;
    std::vector<bool> busy(400000);
    Cycle total = 0, now = 0, end = 0;
    const unsigned ahead = 1u << (4 + random() % 11);
    const unsigned longest = run % 8 == 0 ? 5000 : run % 4 == 0 ? 200 : 9;
    const unsigned step = 1 + random() % (run % 16 == 0 ? 3000 : 20);
    for (unsigned i = 0; i < 400; ++i) {
      now += random() % step;
      Cycle earliest = now + random() % ahead;
      Cycle duration = 1 + random() % longest;
      Cycle want = earliest;
      for (Cycle t = earliest; t < want + duration; ++t) {
        want = busy.at(t) ? t + 1 : want;
      }
      if (want + duration + longest > busy.size() / 2) {
        break;
      }
      ASSERT_EQ(line.reserve(now, earliest, duration), want)
          << "run " << run << " step " << i;
      std::fill_n(busy.begin() + static_cast<long>(want), duration, true);
      total += duration;
      end = std::max(end, want + duration);
    }
    EXPECT_EQ(line.busyCycles(), total);
    EXPECT_EQ(line.end(), end);
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
