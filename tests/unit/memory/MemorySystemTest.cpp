//===- MemorySystemTest.cpp ----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/MemorySystem.h"
#include "chips/ResolvedChip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

ChipSpec chip(const std::string &name,
              const std::vector<std::string> &sets = {}) {
  auto loaded = loadChip(name, sets, {CHIPWRIGHT_SOURCE_DIR "/chips"});
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded->spec;
}

/// Hands accesses over in the Arbitrate phase, as fetchers do.
class Bench : public WheelClient, public MemoryClient {
public:
  explicit Bench(const ChipSpec &spec, uint64_t shuffle = 0)
      : spec(spec), paths(spec, wheel) {
    wheel.setShuffleSeed(shuffle);
  }

  uint32_t ask(Cycle at, AccessKind kind, uint64_t address, uint32_t bytes,
               CachePolicy policy = CachePolicy::Stream, unsigned pe = 0) {
    MemoryAccess access;
    access.address = address;
    access.bytes = bytes;
    access.kind = kind;
    access.policy = policy;
    access.at = at;
    access.pe = static_cast<uint16_t>(pe);
    asks.push_back(access);
    uint32_t token = static_cast<uint32_t>(asks.size() - 1);
    // One event a cycle asks for everything of that cycle in order.
    if (byCycle[at].empty()) {
      wheel.post(at, Phase::Arbitrate, this, 0);
    }
    byCycle[at].push_back(token);
    return token;
  }

  void run() {
    for (Cycle next = wheel.nextCycle(); next != kNever;
         next = wheel.nextCycle()) {
      wheel.runCycle(next);
    }
    EXPECT_EQ(paths.pending(), 0u);
    EXPECT_EQ(done.size(), asks.size());
  }

  Cycle latency(uint32_t token) const {
    return done.at(token) - asks[token].at;
  }

  void fire(Cycle now, uint32_t, uint64_t) override {
    for (uint32_t token : byCycle[now]) {
      MemoryReply reply;
      if (paths.access(asks[token], reply, this, token)) {
        memoryReply(now, token, reply);
      }
    }
  }
  void memoryReply(Cycle now, uint32_t token,
                   const MemoryReply &reply) override {
    EXPECT_GE(reply.done[0], now);
    EXPECT_TRUE(done.emplace(token, reply.done[0]).second) << token;
  }

  const ChipSpec spec;
  TimingWheel wheel;
  MemorySystem paths;
  std::vector<MemoryAccess> asks;
  std::map<Cycle, std::vector<uint32_t>> byCycle;
  std::map<uint32_t, Cycle> done;
};

uint64_t dram(uint64_t offset) { return physicalAddress(Space::Dram, offset); }
uint64_t sram(uint64_t offset) { return physicalAddress(Space::Sram, offset); }

using Param = std::tuple<const char *, DramLevel>;

class MemorySystemTest : public testing::TestWithParam<Param> {
protected:
  const DramLevel level = std::get<1>(GetParam());
  const ChipSpec spec = chip(
      std::get<0>(GetParam()),
      {level == DramLevel::Burst ? "dram.level=burst" : "dram.level=command"});
  const uint32_t granule = spec.memory.interleaveBytes;

  /// Data cycles between the unit and local memory: the slower of link and
  /// port, then the local memory.
  Cycle intoLocal(uint32_t bytes) const {
    return std::max(divideUp(bytes, spec.noc.linkBytes),
                    divideUp(bytes, spec.fi.portBytes)) +
           spec.ls.latencyCycles;
  }
  Cycle there(const Bench &bench, uint64_t address) const {
    unsigned unit = spaceOf(address) == Space::Sram
                        ? bench.paths.interleave().sram(offsetOf(address)).unit
                        : bench.paths.interleave().dram(offsetOf(address)).unit;
    return bench.paths.noc().unitToPe(unit, 0).latency();
  }
  /// DRAM time of a read of a granule from closed rows: activate, read, data,
  /// with the bus shared by as many pseudo-channels as the granule covers.
  /// \p slack cycles: roundings to clock edges.
  void expectDram(Cycle found, Cycle on) const {
    const DramTimingSpec &t = spec.dram.timing;
    double ns = spec.dram.controllerNs + t.rcdReadNs + t.rlNs;
    double access = spec.dram.accessBytes /
                    (spec.dram.pinBytesPerSecond / spec.dram.channels /
                     spec.dram.pseudoChannels) *
                    1e9;
    double data =
        double(granule + (spec.dram.ecc ? spec.dram.accessBytes : 0)) /
        spec.dram.accessBytes / spec.dram.pseudoChannels * access;
    double low = (ns + data) * spec.clockGhz, high = low;
    // Column commands of one bank group stand ccd_long apart, and each row
    // takes its turn on the command bus.
    high += (data + 8 * t.tckNs + t.rrdLongNs * 3) * spec.clockGhz + 2;
    EXPECT_GE(double(found - on), low - 2);
    EXPECT_LE(double(found - on), high);
  }
};

TEST_P(MemorySystemTest, SramReadAndWrite) {
  Bench bench(spec);
  uint32_t read = bench.ask(100, AccessKind::Read, sram(0), granule);
  uint32_t again = bench.ask(100, AccessKind::Read, sram(0), granule);
  uint32_t write = bench.ask(1000, AccessKind::Write, sram(0), granule);
  bench.run();
  const Cycle hop = there(bench, sram(0));
  EXPECT_EQ(bench.latency(read),
            2 * hop + spec.sram.latencyCycles + intoLocal(granule));
  // The bank, the link and the port are each busy with the first; the slowest
  // decides.
  EXPECT_EQ(bench.latency(again) - bench.latency(read),
            std::max({divideUp(granule, spec.sram.bankBytes),
                      divideUp(granule, spec.noc.linkBytes),
                      divideUp(granule, spec.fi.portBytes)}));
  EXPECT_EQ(bench.latency(write),
            2 * hop + spec.sram.latencyCycles +
                std::max(divideUp(granule, spec.noc.linkBytes),
                         divideUp(granule, spec.fi.portBytes)));
  EXPECT_EQ(bench.paths.counters().sramReadBytes, 2u * granule);
  EXPECT_EQ(bench.paths.counters().sramWriteBytes, granule);
  EXPECT_EQ(bench.paths.dramCounters().readBytes, 0u);
}

TEST_P(MemorySystemTest, StreamReadGoesToDramEachTime) {
  Bench bench(spec);
  uint32_t first = bench.ask(100, AccessKind::Read, dram(0), granule);
  uint32_t second = bench.ask(100000, AccessKind::Read, dram(0), granule);
  bench.run();
  Cycle path = 2 * there(bench, dram(0)) + spec.sram.latencyCycles;
  expectDram(bench.latency(first), path + intoLocal(granule));
  EXPECT_LE(bench.latency(second), bench.latency(first) + 400);
  EXPECT_EQ(bench.paths.counters().llcMisses, 2u);
  EXPECT_EQ(bench.paths.counters().llcHits, 0u);
  EXPECT_EQ(bench.paths.dramCounters().readBytes, 2u * granule);
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, 0u);
}

// Reads of a line that is being filled wait for the fill; one DRAM access
// serves them all.
TEST_P(MemorySystemTest, FillWithWaiters) {
  Bench bench(spec);
  const CachePolicy policy = CachePolicy::Allocate;
  uint32_t fill = bench.ask(100, AccessKind::Read, dram(0), granule, policy);
  uint32_t early =
      bench.ask(101, AccessKind::Read, dram(0), granule, policy, 1);
  uint32_t part = bench.ask(104, AccessKind::Read, dram(64), 64, policy, 2);
  uint32_t late = bench.ask(5000, AccessKind::Read, dram(0), granule, policy);
  bench.run();
  EXPECT_GT(bench.done[early], bench.done[fill] - 60);
  EXPECT_GT(bench.done[part] + intoLocal(granule), bench.done[fill] - 60);
  EXPECT_LT(bench.done[early], bench.done[fill] + 60);
  EXPECT_EQ(bench.latency(late), 2 * there(bench, dram(0)) +
                                     spec.sram.latencyCycles +
                                     intoLocal(granule));
  EXPECT_EQ(bench.paths.counters().llcMisses, 1u);
  EXPECT_EQ(bench.paths.counters().llcHits, 3u);
  EXPECT_EQ(bench.paths.dramCounters().readBytes, granule);
}

// A write that meets a line being filled waits for it and leaves it dirty.
TEST_P(MemorySystemTest, WriteIntoALineBeingFilled) {
  Bench bench(spec);
  const CachePolicy policy = CachePolicy::Allocate;
  uint32_t fill = bench.ask(100, AccessKind::Read, dram(0), granule, policy);
  uint32_t write = bench.ask(100, AccessKind::Write, dram(64), 64, policy, 1);
  bench.run();
  EXPECT_GT(bench.done[write],
            bench.done[fill] - intoLocal(granule) - there(bench, dram(0)));
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, 0u);
  Cycle now = bench.wheel.now() + 1000;
  EXPECT_GT(bench.paths.writeBackAll(now), now);
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, granule);
}

// Whole lines stay in the LLC; parts of lines that are not there go through.
TEST_P(MemorySystemTest, WritesAllocateWholeLinesOnly) {
  Bench bench(spec);
  const CachePolicy policy = CachePolicy::Allocate;
  uint32_t whole = bench.ask(100, AccessKind::Write, dram(0), granule, policy);
  bench.ask(100, AccessKind::Write, dram(granule), 64, policy);
  uint32_t hit = bench.ask(5000, AccessKind::Read, dram(0), granule, policy);
  bench.ask(5000, AccessKind::Write, dram(64 * granule), granule,
            CachePolicy::Stream);
  bench.run();
  EXPECT_EQ(bench.latency(whole),
            2 * there(bench, dram(0)) + spec.sram.latencyCycles +
                std::max(divideUp(granule, spec.noc.linkBytes),
                         divideUp(granule, spec.fi.portBytes)));
  EXPECT_EQ(bench.latency(hit), 2 * there(bench, dram(0)) +
                                    spec.sram.latencyCycles +
                                    intoLocal(granule));
  DramCounters before = bench.paths.dramCounters();
  uint32_t part = std::max(64u, spec.dram.accessBytes);
  EXPECT_EQ(before.writeBytes, granule + part);
  Cycle now = bench.wheel.now() + 1000;
  Cycle end = bench.paths.writeBackAll(now);
  EXPECT_GT(end, now);
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, 2 * granule + part);
  EXPECT_EQ(bench.paths.counters().llcWriteBacks, 1u);
  // Clean now.
  bench.paths.writeBackAll(end);
  EXPECT_EQ(bench.paths.counters().llcWriteBacks, 1u);
}

TEST_P(MemorySystemTest, LinesThatNeedNotBeWrittenBackAreDropped) {
  Bench bench(spec);
  bench.ask(100, AccessKind::Write, dram(0), granule,
            CachePolicy::NeverWriteBack);
  bench.run();
  bench.paths.writeBackAll(bench.wheel.now() + 1000);
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, 0u);
}

// One line more than a set holds: the oldest dirty line goes to DRAM.
TEST_P(MemorySystemTest, EvictionOfADirtyLine) {
  Bench bench(spec);
  const uint64_t sets = (spec.sram.bytes - spec.sram.llsBytes) / granule /
                        spec.sram.banks / spec.sram.llcWays;
  const unsigned lines = std::max(1u, spec.sram.banks / spec.dram.channels);
  std::vector<uint64_t> sameSet;
  for (uint64_t i = 0; sameSet.size() <= spec.sram.llcWays; ++i) {
    UnitAddress at = bench.paths.interleave().dram(i * granule);
    if (at.unit == 0 && at.offset / granule / lines % sets == 0) {
      sameSet.push_back(i * granule);
    }
  }
  Cycle at = 100;
  for (uint64_t offset : sameSet) {
    EXPECT_EQ(bench.paths.counters().llcWriteBacks, 0u);
    bench.ask(at, AccessKind::Write, dram(offset), granule,
              CachePolicy::Allocate);
    at += 1000;
  }
  // The first is gone, the second is still there.
  bench.ask(at, AccessKind::Read, dram(sameSet[1]), granule);
  bench.ask(at + 1000, AccessKind::Read, dram(sameSet[0]), granule);
  bench.run();
  EXPECT_EQ(bench.paths.counters().llcWriteBacks, 1u);
  EXPECT_EQ(bench.paths.dramCounters().writeBytes, granule);
  EXPECT_EQ(bench.paths.counters().llcHits, 1u);
  EXPECT_EQ(bench.paths.dramCounters().readBytes, granule);
}

// A write whose data queues in the network does not hold back reads that are
// asked for later but are at the channel before it.
TEST_P(MemorySystemTest, ReadsPassWritesThatAreStillUnderWay) {
  Bench alone(spec), loaded(spec);
  uint32_t want = alone.ask(300, AccessKind::Read, dram(0), granule);
  alone.run();
  // Many writes from one PE take turns at its port.
  for (unsigned i = 0; i < 512; ++i) {
    loaded.ask(100, AccessKind::Write, dram((i + 4096) * granule), granule,
               CachePolicy::Stream, 9);
  }
  uint32_t read = loaded.ask(300, AccessKind::Read, dram(0), granule);
  loaded.run();
  Cycle queue = 512 * granule / spec.fi.portBytes;
  ASSERT_GT(loaded.done[511], 100 + queue);
  EXPECT_LT(loaded.latency(read), alone.latency(want) + queue / 4);
}

// Random traffic: everything is answered once, bytes are conserved, and the
// order of events inside a phase decides nothing.
TEST_P(MemorySystemTest, RandomTrafficWhateverTheOrderOfEvents) {
  auto run = [&](uint64_t shuffle) {
    Bench bench(spec, shuffle);
    uint64_t state = 99;
    auto below = [&](uint64_t n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % n;
    };
    Cycle at = 10;
    for (unsigned i = 0; i < 3000; ++i) {
      at += below(4);
      AccessKind kind = below(3) == 0 ? AccessKind::Write : AccessKind::Read;
      CachePolicy policy = CachePolicy(below(3));
      uint64_t offset = below(2048) * granule;
      uint32_t bytes = granule;
      if (below(4) == 0) {
        bytes = 32 * uint32_t(1 + below(granule / 32));
      }
      bool scratch = below(5) == 0;
      bench.ask(at, kind, scratch ? sram(offset) : dram(offset), bytes, policy,
                unsigned(below(spec.grid.numPes())));
    }
    bench.run();
    Cycle end = bench.paths.writeBackAll(bench.wheel.now() + 100000);
    return std::tuple(bench.done, end, bench.paths.digest(),
                      bench.paths.dramCounters().writeBytes,
                      bench.paths.noc().hopBytes());
  };
  auto plain = run(0);
  for (uint64_t shuffle : {1u, 77u, 123456789u}) {
    EXPECT_EQ(run(shuffle), plain) << "shuffle seed " << shuffle;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Chips, MemorySystemTest,
    testing::Combine(testing::Values("mtia-2i", "mtia-300"),
                     testing::Values(DramLevel::Burst, DramLevel::Command)),
    [](const auto &test) {
      return std::string(std::get<0>(test.param) == std::string("mtia-2i")
                             ? "mtia2i"
                             : "mtia300") +
             (std::get<1>(test.param) == DramLevel::Burst ? "_burst"
                                                          : "_command");
    });

} // namespace
