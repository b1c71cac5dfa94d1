//===- FreeTimesTest.cpp --------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/FreeTimes.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <utility>
#include <vector>

using namespace chipwright::sim;

namespace {

using Gaps = std::vector<std::pair<uint64_t, uint64_t>>;

Gaps gapsOf(const FreeTimes &bus) {
  Gaps gaps;
  bus.forEachGap(
      [&](uint64_t from, uint64_t until) { gaps.emplace_back(from, until); });
  return gaps;
}

/// The same rules on a plain list.
struct PlainBus {
  uint64_t burst;
  uint64_t end = 0;
  Gaps gaps;

  uint64_t start(uint64_t ready) const {
    for (auto [from, until] : gaps) {
      uint64_t at = std::max(from, ready);
      if (at + burst <= until) {
        return at;
      }
    }
    return std::max(end, ready);
  }

  uint64_t reserve(uint64_t ready, uint64_t need) {
    for (size_t i = 0; i < gaps.size() && need != 0;) {
      auto [from, until] = gaps[i];
      uint64_t at = std::max(from, ready);
      if (at + burst > until) {
        ++i;
        continue;
      }
      uint64_t take = std::min(need, (until - at) / burst * burst);
      Gaps rest;
      if (at - from >= burst) {
        rest.emplace_back(from, at);
      }
      if (until - (at + take) >= burst) {
        rest.emplace_back(at + take, until);
      }
      gaps.erase(gaps.begin() + static_cast<long>(i));
      gaps.insert(gaps.begin() + static_cast<long>(i), rest.begin(),
                  rest.end());
      i += rest.size();
      if (gaps.size() > FreeTimes::kGaps) {
        gaps.erase(gaps.begin());
        --i;
      }
      need -= take;
      if (need == 0) {
        return at + take;
      }
    }
    uint64_t at = std::max(end, ready);
    if (at >= end + burst) {
      gaps.emplace_back(end, at);
      if (gaps.size() > FreeTimes::kGaps) {
        gaps.erase(gaps.begin());
      }
    }
    return end = at + need;
  }
};

TEST(FreeTimesTest, TakesGapsInParts) {
  FreeTimes bus;
  EXPECT_EQ(bus.reserve(100, 20, 10), 120u); // leaves [0, 100)
  EXPECT_EQ(bus.start(95, 10), 120u);        // too short behind 95
  EXPECT_EQ(bus.start(85, 10), 85u);
  EXPECT_EQ(bus.reserve(75, 40, 10), 140u); // [75, 95) and [120, 140)
  EXPECT_EQ(gapsOf(bus), (Gaps{{0, 75}}));  // [95, 100) is too short
  EXPECT_EQ(bus.reserve(30, 10, 10), 40u);
  EXPECT_EQ(gapsOf(bus), (Gaps{{0, 30}, {40, 75}}));
  EXPECT_EQ(bus.freeAfter(20), 10u + 35);
  EXPECT_EQ(bus.reserve(0, 30, 10), 30u);
  EXPECT_EQ(gapsOf(bus), (Gaps{{40, 75}}));
  EXPECT_EQ(bus.end(), 140u);
  bus.freeOnlyFrom(50);
  EXPECT_EQ(gapsOf(bus), Gaps());
  EXPECT_EQ(bus.start(0, 10), 50u);
}

TEST(FreeTimesTest, RandomReservationsAgainstAPlainList) {
  const char *text = std::getenv("CHIPWRIGHT_SEED");
  uint64_t seed = text ? std::strtoull(text, nullptr, 0) : 20240801;
  std::cout << "CHIPWRIGHT_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  for (unsigned run = 0; run < 200; ++run) {
    FreeTimes bus;
    PlainBus plain{1 + random() % 20, 0, {}};
    uint64_t now = 0;
    const uint64_t ahead = 1 + random() % 400, step = 1 + random() % 60;
    for (unsigned i = 0; i < 500; ++i) {
      now += random() % step;
      uint64_t ready = now + random() % ahead;
      uint64_t need = (1 + random() % 9) * plain.burst;
      ASSERT_EQ(bus.start(ready, plain.burst), plain.start(ready));
      ASSERT_EQ(bus.reserve(ready, need, plain.burst),
                plain.reserve(ready, need))
          << "run " << run << " step " << i;
      ASSERT_EQ(bus.end(), plain.end);
      ASSERT_EQ(gapsOf(bus), plain.gaps) << "run " << run << " step " << i;
    }
  }
}

} // namespace
