//===- NocTest.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/Noc.h"
#include "chips/ResolvedChip.h"
#include "sim/noc/TrainArbiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

ChipSpec chip(const std::string &name) {
  auto loaded = loadChip(name, {}, {CHIPWRIGHT_SOURCE_DIR "/chips"});
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded->spec;
}

unsigned apart(unsigned a, unsigned b) { return a > b ? a - b : b - a; }

class NocTest : public testing::TestWithParam<const char *> {
protected:
  const ChipSpec spec = chip(GetParam());
  const bool mesh = spec.noc.topology == NocTopology::Mesh;
  const unsigned rows = spec.grid.rows, cols = spec.grid.cols;
  const unsigned perChannel =
      std::max(1u, spec.sram.banks / spec.dram.channels);

  /// Routers or wires between a unit and a PE, by the rules of the topology.
  unsigned hops(unsigned unit, unsigned pe) const {
    unsigned row = pe / cols, col = pe % cols, place = unit / perChannel;
    if (mesh) {
      unsigned edgeRow = place / 2 % rows;
      return apart(row, edgeRow) + (place % 2 ? cols - 1 - col : col) + 1;
    }
    std::array<unsigned, 4> bySide = {row + 1, cols - col, rows - row, col + 1};
    return bySide[place % 4];
  }
  Cycle latency(unsigned unit, unsigned pe) const {
    return mesh ? (hops(unit, pe) + 1) * spec.noc.hopCycles
                : spec.noc.crossbarCycles + hops(unit, pe) * spec.noc.hopCycles;
  }
};

TEST_P(NocTest, LatencyFollowsDistance) {
  auto noc = Noc::create(spec);
  ASSERT_EQ(noc->numUnits(), spec.sram.banks);
  for (unsigned unit = 0; unit < noc->numUnits(); ++unit) {
    for (unsigned pe = 0; pe < rows * cols; ++pe) {
      const Route &down = noc->unitToPe(unit, pe),
                  &up = noc->peToUnit(pe, unit);
      ASSERT_EQ(down.latency(), latency(unit, pe)) << unit << " " << pe;
      ASSERT_EQ(up.latency(), latency(unit, pe)) << unit << " " << pe;
      ASSERT_EQ(down.hops, hops(unit, pe));
      ASSERT_EQ(up.hops, hops(unit, pe));
    }
  }
  for (unsigned a = 0; a < rows * cols; ++a) {
    for (unsigned b = 0; b < rows * cols; ++b) {
      unsigned steps = apart(a / cols, b / cols) + apart(a % cols, b % cols);
      ASSERT_EQ(noc->peToPe(a, b).hops, steps);
      ASSERT_EQ(noc->peToPe(a, b).latency(),
                (steps + (mesh && steps)) * spec.noc.hopCycles);
    }
  }
}

TEST_P(NocTest, NoLinkTwiceOnARouteAndEveryLinkUsed) {
  auto noc = Noc::create(spec);
  std::set<unsigned> used;
  auto walk = [&](const Route &route) {
    std::set<unsigned> links;
    for (RouteLeg leg : noc->legs(route)) {
      EXPECT_TRUE(links.insert(leg.link).second) << noc->linkName(leg.link);
      EXPECT_LT(leg.link, noc->numLinks());
    }
    used.insert(links.begin(), links.end());
  };
  for (unsigned pe = 0; pe < rows * cols; ++pe) {
    for (unsigned unit = 0; unit < noc->numUnits(); ++unit) {
      walk(noc->unitToPe(unit, pe));
      walk(noc->peToUnit(pe, unit));
    }
    for (unsigned to = 0; to < rows * cols; ++to) {
      walk(noc->peToPe(pe, to));
    }
  }
  // Links that leave the grid carry nothing: they have no far end.
  unsigned outward = mesh ? 2 * (rows + cols) : 0;
  EXPECT_EQ(used.size(), noc->numLinks() - outward);
}

TEST_P(NocTest, TransfersOfALinkFollowEachOther) {
  auto noc = Noc::create(spec);
  const Route &route = noc->unitToPe(0, rows * cols - 1);
  const uint64_t bytes = 5 * spec.noc.linkBytes - 1;
  EXPECT_EQ(noc->transferCycles(bytes), 5u);
  EXPECT_EQ(noc->send(route, 100, bytes), 100 + route.latency());
  EXPECT_EQ(noc->send(route, 100, bytes), 105 + route.latency());
  EXPECT_EQ(noc->send(route, 102, bytes), 110 + route.latency());
  EXPECT_EQ(noc->send(route, 50, bytes), 50 + route.latency()); // in the gap
  EXPECT_EQ(noc->hopBytes(), 4 * bytes * route.hops);
  // The other direction is free.
  const Route &back = noc->peToUnit(rows * cols - 1, 0);
  EXPECT_EQ(noc->send(back, 100, bytes), 100 + back.latency());
  noc->reset();
  EXPECT_EQ(noc->send(route, 100, bytes), 100 + route.latency());
  EXPECT_EQ(noc->hopBytes(), bytes * route.hops);
}

TEST_P(NocTest, WithoutContentionOnlyLatency) {
  ChipSpec free = spec;
  free.noc.contention = false;
  auto noc = Noc::create(free);
  const Route &route = noc->unitToPe(3, 5);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(noc->send(route, 100, 4096), 100 + route.latency());
  }
}

TEST_P(NocTest, MulticastReachesEachMemberOnceOverEachLink) {
  for (Line line : {Line::Row, Line::Column}) {
    unsigned lines = line == Line::Row ? rows : cols;
    unsigned members = line == Line::Row ? cols : rows;
    for (unsigned unit = 0; unit < spec.sram.banks; unit += 5) {
      for (unsigned index = 0; index < lines; ++index) {
        auto noc = Noc::create(spec);
        uint64_t mask = (uint64_t(1) << members) - 1;
        std::array<Cycle, 64> arrivals{};
        const uint64_t bytes = 2 * spec.noc.linkBytes;
        noc->sendMulticast(noc->multicast(unit, line, index), mask, 1000, bytes,
                           arrivals.data());
        for (unsigned member = 0; member < members; ++member) {
          unsigned pe = noc->memberPe(line, index, member);
          // Along the shortest way, or through the line's master.
          Cycle direct = latency(unit, pe);
          unsigned master = noc->masterOf(line, index);
          Cycle around =
              latency(unit, master) + noc->peToPe(master, pe).latency();
          EXPECT_GE(arrivals[member], 1000 + direct);
          EXPECT_LE(arrivals[member], 1000 + std::max(direct, around));
        }
        for (unsigned link = 0; link < noc->numLinks(); ++link) {
          Cycle busy = noc->linkState(link).busyCycles();
          EXPECT_TRUE(busy == 0 || busy == 2) << noc->linkName(link);
        }
      }
    }
  }
}

TEST_P(NocTest, MulticastUsesLinksOnlyAsFarAsItsMembers) {
  auto links = [&](uint64_t mask) {
    auto noc = Noc::create(spec);
    std::array<Cycle, 64> arrivals{};
    noc->sendMulticast(noc->multicast(0, Line::Row, 0), mask, 0,
                       spec.noc.linkBytes, arrivals.data());
    unsigned used = 0;
    for (unsigned link = 0; link < noc->numLinks(); ++link) {
      used += noc->linkState(link).busyCycles() != 0;
    }
    return used;
  };
  uint64_t all = (uint64_t(1) << cols) - 1;
  EXPECT_LE(links(1), links(3));
  EXPECT_LE(links(3), links(all));
  if (mesh) {
    // Unit 0 enters at PE 0,0: one edge link, then one link a step.
    EXPECT_EQ(links(1), 1u);
    EXPECT_EQ(links(uint64_t(1) << 3), 4u);
    EXPECT_EQ(links(all), cols);
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, NocTest, testing::Values("mtia-2i", "mtia-300"),
                         [](const auto &test) {
                           return std::string(test.param) == "mtia-2i"
                                      ? "crossbar"
                                      : "mesh";
                         });

struct Source : TrainSource {
  Source(unsigned key, std::vector<unsigned> &log) : key(key), log(log) {}
  void issueTrain(Cycle) override { log.push_back(key); }
  unsigned orderKey() const override { return key; }
  unsigned key;
  std::vector<unsigned> &log;
};

TEST(TrainArbiterTest, RoundRobinWhateverTheOrderOfRequests) {
  for (Cycle now : {Cycle(0), Cycle(3), Cycle(13)}) {
    TimingWheel wheel;
    TrainArbiter arbiter(wheel, 10);
    std::vector<unsigned> log;
    Source a(1, log), b(3, log), c(4, log), d(9, log);
    struct Asker : WheelClient {
      std::vector<std::pair<TrainArbiter *, TrainSource *>> asks;
      void fire(Cycle at, uint32_t, uint64_t) override {
        for (auto [to, source] : asks) {
          to->request(source, at);
        }
      }
    } asker;
    asker.asks = {
        {&arbiter, &c}, {&arbiter, &a}, {&arbiter, &d}, {&arbiter, &b}};
    wheel.post(now, Phase::Evaluate, &asker, 0);
    wheel.runCycle(wheel.nextCycle());
    EXPECT_EQ(log, now == 0 ? (std::vector<unsigned>{1, 3, 4, 9})
                            : (std::vector<unsigned>{3, 4, 9, 1}));
  }
}

} // namespace
