//===- DramChannelTest.cpp - What both levels promise ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/BurstChannel.h"
#include "sim/dram/CommandChannel.h"
#include "tests/unit/dram/DramTestDevices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace chipwright;
using namespace chipwright::sim;
using namespace chipwright::dramtest;

namespace {

struct Log : DramListener {
  std::vector<std::pair<uint64_t, uint64_t>> done;
  void dramDone(uint64_t tag, uint64_t timeFs) override {
    done.emplace_back(tag, timeFs);
  }
};

std::unique_ptr<DramChannel> make(DramSpec spec, DramLevel level,
                                  DramListener *listener = nullptr) {
  spec.level = level;
  std::string error;
  auto channel = makeDramChannel(spec, memory(), listener, error);
  EXPECT_TRUE(channel) << error;
  return channel;
}

void drain(DramChannel &channel) {
  for (uint64_t next = channel.nextEventFs(); next != DramChannel::noEvent;
       next = channel.nextEventFs()) {
    channel.advanceTo(next);
  }
}

class DramChannelTest : public ::testing::TestWithParam<DramLevel> {};

TEST_P(DramChannelTest, CountsBytesAndCode) {
  struct Case {
    uint64_t offset;
    unsigned bytes;
    bool write, ecc;
    uint64_t read, written, code;
  };
  // One code access of 32 bytes for each 256-byte granule; a write that leaves
  // a part of the granule alone reads the code first, and reads the data
  // accesses that it covers only in part.
  const Case list[] = {
      {0, 256, false, false, 256, 0, 0},
      {0, 256, true, false, 0, 256, 0},
      {0, 256, false, true, 256, 0, 32},
      {0, 256, true, true, 0, 256, 32},
      {256, 1024, true, true, 0, 1024, 128},
      {0, 64, false, true, 64, 0, 32},
      {64, 64, true, true, 0, 64, 64},
      {72, 48, true, true, 64, 64, 64},    // both ends in part
      {70, 4, true, true, 32, 32, 64},     // one access, in part
      {192, 128, true, true, 0, 128, 128}, // two granules, in part
      {10, 1, false, false, 32, 0, 0},
      {10, 0, false, false, 0, 0, 0},
  };
  for (const Case &c : list) {
    for (DramSpec spec : {lpddr5(), hbm3()}) {
      spec.ecc = c.ecc;
      Log log;
      auto channel = make(spec, GetParam(), &log);
      channel->access({0, c.offset, c.bytes, c.write, 42});
      drain(*channel);
      ASSERT_EQ(log.done.size(), 1u);
      EXPECT_EQ(log.done[0].first, 42u);
      channel->quiesce(0);
      const DramCounters &n = channel->counters();
      EXPECT_EQ(n.readBytes, c.read) << c.offset << "+" << c.bytes;
      EXPECT_EQ(n.writeBytes, c.written) << c.offset << "+" << c.bytes;
      EXPECT_EQ(n.eccBytes, c.code) << c.offset << "+" << c.bytes;
      uint64_t accesses = (c.read + c.written + c.code) / 32;
      DramTiming timing(spec);
      EXPECT_EQ(n.busyFs, accesses * timing.toFs(timing.burst));
      EXPECT_EQ(n.rowHits + n.rowMisses, accesses);
    }
  }
}

TEST_P(DramChannelTest, WholeGranuleWriteIsPostedAtOnce) {
  DramSpec spec = lpddr5();
  spec.ecc = true;
  spec.controllerNs = 10;
  Log log;
  auto channel = make(spec, GetParam(), &log);
  channel->access({0, 0, 256, true, 1});
  drain(*channel);
  EXPECT_EQ(log.done.at(0).second, 10000000u);
  // A partial write waits for its code: activate, read, data, then the queue.
  log.done.clear();
  channel->reset();
  channel->access({0, 0, 64, true, 2});
  drain(*channel);
  const DramTimingSpec &t = spec.timing;
  double ns = 10 + t.rcdReadNs + t.rlNs + 2.5;
  EXPECT_NEAR(double(log.done.at(0).second) * 1e-6, ns, 3 * t.tckNs);
}

TEST_P(DramChannelTest, SameRequestsSameCompletions) {
  uint64_t start = seed();
  for (DramSpec spec : {lpddr5(), chipController(hbm3())}) {
    spec.ecc = true;
    Log first, second;
    auto a = make(spec, GetParam(), &first);
    auto b = make(spec, GetParam(), &second);
    auto feed = [&](DramChannel &channel) {
      Random random(start);
      uint64_t time = 0;
      for (unsigned i = 0; i < 3000; ++i) {
        time += random.below(40000000);
        channel.access({time, random.below(1 << 24),
                        unsigned(1 + random.below(1024)), random.below(3) == 0,
                        i});
      }
      return channel.quiesce(time);
    };
    // The second channel has a past; its canonical state hides that.
    b->access({0, 4096, 512, true, 0});
    drain(*b);
    b->quiesce(1);
    b->reset();
    second.done.clear();
    EXPECT_EQ(feed(*a), feed(*b));
    EXPECT_EQ(first.done, second.done);
    EXPECT_EQ(first.done.size(), 3000u);
    EXPECT_TRUE(a->counters() == b->counters());
    EXPECT_EQ(a->digest(), b->digest());
  }
}

TEST_P(DramChannelTest, CanonicalStateForgetsTheTime) {
  for (DramSpec spec :
       {lpddr5(), chipController(lpddr5()), hbm3(), chipController(hbm3())}) {
    Log log;
    auto channel = make(spec, GetParam(), &log);
    const uint64_t fresh = channel->digest();
    auto run = [&](uint64_t base) {
      log.done.clear();
      for (unsigned i = 0; i < 500; ++i) {
        channel->access({base + i * 1000000, i * 5000u, 256, i % 3 == 0, i});
      }
      drain(*channel);
      EXPECT_NE(channel->digest(), fresh);
      uint64_t end = channel->quiesce(base);
      EXPECT_EQ(channel->digest(), fresh);
      for (auto &entry : log.done) {
        entry.second -= base;
      }
      return std::pair(log.done, end - base);
    };
    auto first = run(0);
    auto second = run(first.second);
    EXPECT_EQ(first, second);
    // After a long rest, too.
    uint64_t later = channel->quiesce(50000000000);
    EXPECT_EQ(run(later), first);
  }
}

TEST_P(DramChannelTest, RefreshesKeepTheirRate) {
  for (DramRefresh refresh : {DramRefresh::AllBank, DramRefresh::PerBank}) {
    for (DramSpec spec : {lpddr5(), hbm3()}) {
      spec.refresh = refresh;
      auto channel = make(spec, GetParam());
      MemorySpec mem = memory();
      DramAddressMap map(spec, mem);
      // Every bank is used once more after a rest of a hundred intervals.
      uint64_t rest = uint64_t(spec.timing.refiNs * 1e6) * 100;
      for (uint64_t base : {uint64_t(0), rest}) {
        for (unsigned bank = 0; bank < map.banks(); ++bank) {
          for (unsigned p = 0; p < spec.pseudoChannels; ++p) {
            channel->access(
                {base, map.offsetOf({p, bank, 1, 0}), 256, false, 0});
          }
        }
        drain(*channel);
      }
      uint64_t each = refresh == DramRefresh::AllBank ? 1 : map.banks();
      uint64_t want = 100 * each * spec.pseudoChannels;
      EXPECT_GE(channel->counters().refreshes + 2 * spec.pseudoChannels, want);
      EXPECT_LE(channel->counters().refreshes, want + 2 * spec.pseudoChannels);
    }
  }
}

TEST_P(DramChannelTest, ALongRestTakesNoWork) {
  for (DramSpec spec : {lpddr5(), chipController(hbm3())}) {
    auto channel = make(spec, GetParam());
    channel->access({0, 0, 256, false, 0});
    drain(*channel);
    const uint64_t hours = 10000000000000000000u; // 2.8 of them
    EXPECT_GE(channel->quiesce(hours), hours);
    double intervals = double(hours) / (spec.timing.refiNs * 1e6);
    unsigned each = spec.refresh == DramRefresh::AllBank ? 1 : 16;
    EXPECT_NEAR(double(channel->counters().refreshes) / each /
                    spec.pseudoChannels / intervals,
                1, 0.001);
  }
}

// A saturated random load over channels and banks: more of either never makes
// the whole later.
TEST_P(DramChannelTest, MoreChannelsAndBanksAreNeverSlower) {
  uint64_t start = seed();
  for (unsigned trial = 0; trial < 8; ++trial) {
    DramSpec base = trial % 2 ? hbm3() : lpddr5();
    if (trial & 2) {
      base = chipController(base);
    }
    auto finish = [&](unsigned channels, unsigned perGroup) {
      DramSpec spec = base;
      spec.banksPerGroup = perGroup;
      std::vector<std::unique_ptr<DramChannel>> list;
      for (unsigned i = 0; i < channels; ++i) {
        list.push_back(make(spec, GetParam()));
      }
      Random random(start + trial);
      for (unsigned i = 0; i < 4000; ++i) {
        uint64_t granule = random.below(1 << 16);
        bool write = random.below(4) == 0;
        list[granule % channels]->access(
            {0, granule / channels * 256, 256, write, i});
      }
      uint64_t end = 0;
      for (auto &channel : list) {
        end = std::max(end, channel->quiesce(0));
      }
      return end;
    };
    uint64_t two = finish(2, 4);
    EXPECT_LE(two, finish(1, 4));
    EXPECT_LE(finish(4, 4), two);
    EXPECT_LE(finish(1, 4), finish(1, 1));
    EXPECT_LE(finish(1, 8), finish(1, 2));
  }
}

// The data bus carries at most one access at a time.
TEST_P(DramChannelTest, NeverFasterThanThePins) {
  uint64_t start = seed();
  for (DramSpec spec :
       {lpddr5(), chipController(lpddr5()), hbm3(), chipController(hbm3())}) {
    for (unsigned bytes : {32u, 256u, 4096u}) {
      auto channel = make(spec, GetParam());
      Random random(start);
      uint64_t total = 0;
      for (unsigned i = 0; i < 20000; ++i, total += bytes) {
        channel->access(
            {0, uint64_t(i) * bytes, bytes, random.below(16) == 0, i});
      }
      double seconds = double(channel->quiesce(0)) * 1e-15;
      EXPECT_GE(seconds, double(total) / spec.pinBytesPerSecond);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, DramChannelTest,
                         ::testing::Values(DramLevel::Command,
                                           DramLevel::Burst),
                         [](const auto &param) {
                           return param.param == DramLevel::Command ? "Command"
                                                                    : "Burst";
                         });

TEST(DramAddressMapTest, InverseAndOneToOne) {
  for (bool ecc : {false, true}) {
    for (DramSpec spec : {lpddr5(), hbm3()}) {
      spec.ecc = ecc;
      spec.bytes = 1 << 20;
      MemorySpec mem = memory();
      DramAddressMap map(spec, mem);
      std::set<std::tuple<unsigned, unsigned, unsigned, unsigned>> seen;
      for (uint64_t offset = 0; offset < map.dataBytes(); offset += 32) {
        DramLocation place = map.locate(offset);
        EXPECT_EQ(map.offsetOf(place), offset);
        EXPECT_LT(place.bank, 16u);
        EXPECT_LT(place.pseudoChannel, spec.pseudoChannels);
        EXPECT_TRUE(seen.insert({place.pseudoChannel, place.bank, place.row,
                                 place.column})
                        .second);
        if (ecc) {
          EXPECT_GE(map.codeColumn(place.column),
                    place.column - place.column % 256 + 256);
          EXPECT_LE(map.codeColumn(place.column) + 32, spec.rowBytes);
        }
      }
      // Rows of 2048 hold 7 granules with their code, of 1024 hold 3.
      uint64_t perRow =
          ecc ? (spec.rowBytes == 2048 ? 7 : 3) * 256 : spec.rowBytes;
      EXPECT_EQ(map.dataBytes(), (uint64_t(1) << 20) / spec.rowBytes * perRow);
    }
  }
}

TEST(DramAddressMapTest, StreamsTurnOverBankGroupsFirst) {
  for (DramSpec spec : {lpddr5(), hbm3()}) {
    MemorySpec mem = memory();
    DramAddressMap map(spec, mem);
    unsigned turn = spec.pseudoChannels * spec.bankGroups;
    std::set<std::pair<unsigned, unsigned>> seen;
    for (unsigned i = 0; i < turn; ++i) {
      DramLocation place = map.locate(uint64_t(i) * 256);
      seen.insert({place.pseudoChannel, map.bankGroupOf(place.bank)});
      EXPECT_EQ(map.locate(uint64_t(i) * 256 + 255).bank, place.bank);
    }
    EXPECT_EQ(seen.size(), turn);
  }
}

TEST(DramTimingTest, RoundsUpToClocks) {
  DramSpec spec = lpddr5();
  spec.timing.rpNs = 18.76; // 15.008 clocks
  DramTiming t(spec);
  EXPECT_EQ(t.tckFs, 1250000u);
  EXPECT_EQ(t.burst, 2u);
  EXPECT_EQ(t.rl, 17u);
  EXPECT_EQ(t.rp, 16u);
  EXPECT_EQ(t.refi, 3124u); // a maximum: rounded down
  // 9.2 Gb/s: the period is no whole number of femtoseconds.
  spec = hbm3();
  spec.timing.tckNs = 4 / 9.2;
  spec.pinBytesPerSecond = 51.2e9 * 9.2 / 6.4;
  spec.timing.ccdShortNs = 2 * spec.timing.tckNs;
  EXPECT_EQ(DramTiming::check(spec), "");
  EXPECT_EQ(DramTiming(spec).burst, 2u);
  EXPECT_EQ(DramTiming(spec).ccdShort, 2u);
}

TEST(DramTimingTest, RefusesWhatCannotBeBuilt) {
  struct Case {
    void (*change)(DramSpec &);
    const char *names;
  };
  const Case list[] = {
      {[](DramSpec &s) { s.channels = 0; }, "channels"},
      {[](DramSpec &s) { s.accessBytes = 24; }, "access_bytes"},
      {[](DramSpec &s) { s.rowBytes = 256; }, "row_bytes"},
      {[](DramSpec &s) { s.bytes = 1000; }, "bytes"},
      {[](DramSpec &s) { s.readQueue = 0; }, "read_queue"},
      {[](DramSpec &s) { s.drainLow = 0.9; }, "drain_high"},
      {[](DramSpec &s) { s.timing.tckNs = 0; }, "tck_ns"},
      {[](DramSpec &s) { s.timing.refiNs = 300; }, "refi_ns"},
      {[](DramSpec &s) { s.timing.rasNs = -1; }, "ras_ns"},
      {[](DramSpec &s) { s.timing.rlNs = std::nan(""); }, "rl_ns"},
      {[](DramSpec &s) { s.pinBytesPerSecond = 10e9; }, "access_bytes / pin"},
      {[](DramSpec &s) { s.pinBytesPerSecond = 0; }, "pin_bytes_per_second"},
  };
  for (const Case &c : list) {
    DramSpec spec = lpddr5();
    c.change(spec);
    std::string error;
    EXPECT_EQ(makeDramChannel(spec, memory(), nullptr, error), nullptr);
    EXPECT_THAT(error, ::testing::HasSubstr(c.names));
  }
}

} // namespace
