//===- CommandTimerTest.cpp - Each rule: illegal at t-1, legal at t -------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/CommandChannel.h"
#include "tests/unit/dram/DramTestDevices.h"
#include "tests/unit/dram/StreamChecker.h"

#include <gtest/gtest.h>

using namespace chipwright;
using namespace chipwright::sim;
using namespace chipwright::dramtest;

namespace {

using C = DramCommand;

struct Step {
  C command;
  unsigned bank;
};

/// Commands issued as early as possible, then one whose first legal clock is
/// `clocks` after the command at index `from`.
struct Rule {
  std::string name;
  std::vector<Step> before;
  Step then;
  size_t from;
  // What the rule sets apart; all other times are one clock.
  void (*shape)(DramTimingSpec &);
  unsigned clocks;
};

/// A device whose times are all one clock, so that only the shaped one binds.
DramSpec flat(DramKind kind) {
  DramSpec s = kind == DramKind::Lpddr5 ? lpddr5() : hbm3();
  DramTimingSpec &t = s.timing;
  double one = t.tckNs;
  for (double *x :
       {&t.rlNs, &t.wlNs, &t.rcdReadNs, &t.rcdWriteNs, &t.rpNs, &t.rpAllNs,
        &t.rasNs, &t.wrNs, &t.rtpNs, &t.ccdShortNs, &t.ccdLongNs, &t.rrdShortNs,
        &t.rrdLongNs, &t.fawNs, &t.wtrShortNs, &t.wtrLongNs, &t.rtwGapNs,
        &t.rfcAllNs, &t.rfcBankNs}) {
    *x = one;
  }
  return s;
}

// Banks 0 and 4 share group 0; bank 1 is in group 1. One clock is `tckNs`,
// a burst is two clocks on both devices.
std::vector<Rule> rules() {
  using T = DramTimingSpec;
  const Step a0{C::Activate, 0}, a1{C::Activate, 1}, a4{C::Activate, 4};
  const Step r0{C::Read, 0}, w0{C::Write, 0}, p0{C::Precharge, 0};
  const Step pa{C::PrechargeAll, 0};
  return {
      {"tRCD read", {a0}, r0, 0, [](T &t) { t.rcdReadNs = 9 * t.tckNs; }, 9},
      {"tRCD write", {a0}, w0, 0, [](T &t) { t.rcdWriteNs = 9 * t.tckNs; }, 9},
      {"tRAS", {a0}, p0, 0, [](T &t) { t.rasNs = 9 * t.tckNs; }, 9},
      {"tRAS, all", {a0}, pa, 0, [](T &t) { t.rasNs = 9 * t.tckNs; }, 9},
      {"tRP", {a0, p0}, a0, 1, [](T &t) { t.rpNs = 9 * t.tckNs; }, 9},
      {"tRP to refresh of all",
       {a0, p0},
       {C::RefreshAll, 0},
       1,
       [](T &t) { t.rpNs = 9 * t.tckNs; },
       9},
      {"tRP to refresh of the bank",
       {a0, p0},
       {C::RefreshBank, 0},
       1,
       [](T &t) { t.rpNs = 9 * t.tckNs; },
       9},
      {"tRPab", {a0, pa}, a0, 1, [](T &t) { t.rpAllNs = 9 * t.tckNs; }, 9},
      {"tRPab to refresh",
       {a0, pa},
       {C::RefreshAll, 0},
       1,
       [](T &t) { t.rpAllNs = 9 * t.tckNs; },
       9},
      {"tRC",
       {a0, p0},
       a0,
       0,
       [](T &t) {
         t.rasNs = 7 * t.tckNs;
         t.rpNs = 6 * t.tckNs;
       },
       13},
      {"tRRD short", {a0}, a1, 0, [](T &t) { t.rrdShortNs = 9 * t.tckNs; }, 9},
      {"tRRD long", {a0}, a4, 0, [](T &t) { t.rrdLongNs = 9 * t.tckNs; }, 9},
      {"tRRD to bank refresh",
       {a0},
       {C::RefreshBank, 1},
       0,
       [](T &t) { t.rrdShortNs = 9 * t.tckNs; },
       9},
      {"tFAW",
       {a0, a1, {C::Activate, 2}, {C::Activate, 3}},
       a4,
       0,
       [](T &t) { t.fawNs = 40 * t.tckNs; },
       40},
      {"burst", {a0, a1, r0}, {C::Read, 1}, 2, [](T &) {}, 2},
      {"tCCD short",
       {a0, a1, r0},
       {C::Read, 1},
       2,
       [](T &t) { t.ccdShortNs = 9 * t.tckNs; },
       9},
      {"tCCD long",
       {a0, a4, r0},
       {C::Read, 4},
       2,
       [](T &t) { t.ccdLongNs = 9 * t.tckNs; },
       9},
      {"tCCD short, writes",
       {a0, a1, w0},
       {C::Write, 1},
       2,
       [](T &t) { t.ccdShortNs = 9 * t.tckNs; },
       9},
      {"tCCD long, writes",
       {a0, a4, w0},
       {C::Write, 4},
       2,
       [](T &t) { t.ccdLongNs = 9 * t.tckNs; },
       9},
      // RL + burst + gap - WL = 12 + 2 + 3 - 5.
      {"read to write",
       {a0, a1, r0},
       {C::Write, 1},
       2,
       [](T &t) {
         t.rlNs = 12 * t.tckNs;
         t.rtwGapNs = 3 * t.tckNs;
         t.wlNs = 5 * t.tckNs;
       },
       12},
      // WL + burst + tWTR = 5 + 2 + 7.
      {"tWTR short",
       {a0, a1, w0},
       {C::Read, 1},
       2,
       [](T &t) {
         t.wlNs = 5 * t.tckNs;
         t.wtrShortNs = 7 * t.tckNs;
       },
       14},
      {"tWTR long",
       {a0, a4, w0},
       {C::Read, 4},
       2,
       [](T &t) {
         t.wlNs = 5 * t.tckNs;
         t.wtrLongNs = 7 * t.tckNs;
       },
       14},
      {"tRTP", {a0, r0}, p0, 1, [](T &t) { t.rtpNs = 9 * t.tckNs; }, 9},
      {"tRTP, all", {a0, r0}, pa, 1, [](T &t) { t.rtpNs = 9 * t.tckNs; }, 9},
      // WL + burst + tWR = 5 + 2 + 11.
      {"tWR",
       {a0, w0},
       p0,
       1,
       [](T &t) {
         t.wlNs = 5 * t.tckNs;
         t.wrNs = 11 * t.tckNs;
       },
       18},
      {"tWR, all",
       {a0, w0},
       pa,
       1,
       [](T &t) {
         t.wlNs = 5 * t.tckNs;
         t.wrNs = 11 * t.tckNs;
       },
       18},
      {"tRFC all",
       {{C::RefreshAll, 0}},
       a1,
       0,
       [](T &t) { t.rfcAllNs = 90 * t.tckNs; },
       90},
      {"tRFC all to refresh",
       {{C::RefreshAll, 0}},
       {C::RefreshAll, 0},
       0,
       [](T &t) { t.rfcAllNs = 90 * t.tckNs; },
       90},
      {"tRFC bank",
       {{C::RefreshBank, 0}},
       a0,
       0,
       [](T &t) { t.rfcBankNs = 90 * t.tckNs; },
       90},
      {"tRFC bank to refresh of all",
       {{C::RefreshBank, 0}},
       {C::RefreshAll, 0},
       0,
       [](T &t) { t.rfcBankNs = 90 * t.tckNs; },
       90},
      {"bank refresh to other group",
       {{C::RefreshBank, 0}},
       a1,
       0,
       [](T &t) { t.rrdShortNs = 9 * t.tckNs; },
       9},
      {"bank refresh to own group",
       {{C::RefreshBank, 0}},
       a4,
       0,
       [](T &t) { t.rrdLongNs = 9 * t.tckNs; },
       9},
  };
}

class CommandTimerTest : public ::testing::TestWithParam<DramKind> {
protected:
  static constexpr uint32_t row = 7;

  /// Issues a command as early as it is legal; a two-part activate as both.
  static uint64_t issue(CommandTimer &timer, DramKind kind, Step step,
                        std::vector<IssuedCommand> &stream) {
    uint64_t clock = prepare(timer, kind, step, stream);
    timer.issued(step.command, 0, step.bank, row, clock);
    return clock;
  }

  /// First legal clock of `step`, after the first part if it has two.
  static uint64_t prepare(CommandTimer &timer, DramKind kind, Step step,
                          std::vector<IssuedCommand> &stream) {
    timer.record(&stream);
    if (step.command == C::Activate && kind == DramKind::Lpddr5) {
      uint64_t first = timer.earliest(C::ActivateSetup, 0, step.bank);
      EXPECT_NE(first, CommandTimer::never);
      timer.issued(C::ActivateSetup, 0, step.bank, row, first);
    }
    return timer.earliest(step.command, 0, step.bank);
  }
};

TEST_P(CommandTimerTest, EachRuleIllegalOneClockEarlyLegalOnTime) {
  for (const Rule &rule : rules()) {
    SCOPED_TRACE(rule.name);
    DramSpec spec = flat(GetParam());
    rule.shape(spec.timing);
    CommandTimer timer(spec);
    std::vector<IssuedCommand> stream;
    std::vector<uint64_t> at;
    for (const Step &step : rule.before) {
      at.push_back(issue(timer, GetParam(), step, stream));
    }
    uint64_t legal = prepare(timer, GetParam(), rule.then, stream);
    EXPECT_EQ(legal, at[rule.from] + rule.clocks);

    StreamChecker checker(spec);
    stream.push_back({legal, rule.then.command, 0, rule.then.bank, row});
    EXPECT_TRUE(checker.check(stream).empty()) << checker.check(stream).front();
    stream.back().clock = legal - 1;
    EXPECT_FALSE(checker.check(stream).empty());
  }
}

TEST_P(CommandTimerTest, CommandsThatNeedAnotherFirst) {
  DramSpec spec = flat(GetParam());
  CommandTimer timer(spec);
  std::vector<IssuedCommand> stream;
  for (C c : {C::Read, C::Write, C::Precharge}) {
    EXPECT_EQ(timer.earliest(c, 0, 0), CommandTimer::never);
  }
  issue(timer, GetParam(), {C::Activate, 0}, stream);
  for (C c : {C::ActivateSetup, C::Activate, C::RefreshAll, C::RefreshBank}) {
    EXPECT_EQ(timer.earliest(c, 0, 0), CommandTimer::never);
  }
  EXPECT_NE(timer.earliest(C::RefreshBank, 0, 1), CommandTimer::never);
}

TEST_P(CommandTimerTest, OneCommandAClockOnEachBus) {
  DramSpec spec = flat(GetParam());
  CommandTimer timer(spec);
  std::vector<IssuedCommand> stream;
  issue(timer, GetParam(), {C::Activate, 0}, stream);
  issue(timer, GetParam(), {C::Activate, 1}, stream);
  const uint64_t read = 20; // everything else has long been legal
  timer.issued(C::Read, 0, 0, row, read);
  uint64_t precharge = timer.earliest(C::Precharge, 0, 1);
  if (GetParam() == DramKind::Lpddr5) {
    EXPECT_EQ(precharge, read + 1);
  } else {
    EXPECT_LT(precharge, read); // its own bus
    timer.issued(C::Precharge, 0, 1, 0, read);
    // The other pseudo-channel uses the same two buses, and nothing else.
    EXPECT_EQ(timer.earliest(C::Activate, 1, 0), read + 1);
  }
}

TEST(CommandTimerLpddr5Test, ActivateInTwoParts) {
  DramSpec spec = flat(DramKind::Lpddr5);
  spec.timing.rpNs = 9 * spec.timing.tckNs;
  CommandTimer timer(spec);
  EXPECT_EQ(timer.earliest(C::Activate, 0, 0), CommandTimer::never);
  timer.issued(C::ActivateSetup, 0, 0, 7, 0);
  // One bank at a time is between the two parts.
  EXPECT_EQ(timer.earliest(C::ActivateSetup, 0, 1), CommandTimer::never);
  EXPECT_EQ(timer.earliest(C::PrechargeAll, 0, 0), CommandTimer::never);
  EXPECT_EQ(timer.earliest(C::Activate, 0, 0), 1u);
  timer.issued(C::Activate, 0, 0, 7, 5);
  // Times count from the second part.
  EXPECT_EQ(timer.earliest(C::Read, 0, 0), 6u);
  uint64_t pre = timer.earliest(C::Precharge, 0, 0);
  timer.issued(C::Precharge, 0, 0, 0, pre);
  EXPECT_EQ(timer.earliest(C::ActivateSetup, 0, 0), pre + 9 - 2);
}

INSTANTIATE_TEST_SUITE_P(Devices, CommandTimerTest,
                         ::testing::Values(DramKind::Lpddr5, DramKind::Hbm3),
                         [](const auto &param) {
                           return param.param == DramKind::Lpddr5 ? "Lpddr5"
                                                                  : "Hbm3";
                         });

//===----------------------------------------------------------------------===//
// The controller's streams, checked from outside
//===----------------------------------------------------------------------===//

void runRandom(DramSpec spec, uint64_t start, bool bursty) {
  MemorySpec mem = memory();
  CommandChannel channel(spec, mem);
  std::vector<IssuedCommand> stream;
  channel.record(&stream);
  Random random(start);
  uint64_t time = 0;
  for (unsigned i = 0; i < 4000; ++i) {
    uint64_t offset = random.below(8) < 5 ? i * 160 : random.next();
    channel.access({time, offset % (channel.dataBytes() - 4096),
                    unsigned(1 + random.below(700)), random.below(3) == 0, i});
    if (bursty && random.below(50) == 0) {
      time += random.below(3000000000); // idle for up to 3 us
    }
  }
  uint64_t end = channel.quiesce(0);
  StreamChecker checker(spec);
  auto broken = checker.check(stream);
  EXPECT_TRUE(broken.empty())
      << broken.size() << " broken, first: " << broken.front();
  // No (pseudo-)channel or bank waits much beyond its refresh interval.
  std::map<unsigned, uint64_t> last;
  uint64_t refreshes = 0;
  for (const IssuedCommand &c : stream) {
    if (c.command == C::RefreshAll || c.command == C::RefreshBank) {
      unsigned key =
          c.pseudo * 64 + (spec.refresh == DramRefresh::AllBank ? 0 : c.bank);
      uint64_t allowed = DramTiming(spec).refi + 1000;
      if (last.count(key)) {
        EXPECT_LE(c.clock - last[key], allowed);
      } else {
        EXPECT_LE(c.clock, allowed);
      }
      last[key] = c.clock;
      ++refreshes;
    }
  }
  EXPECT_EQ(refreshes, channel.counters().refreshes);
  EXPECT_GT(refreshes, 4u);
  EXPECT_GT(end, 0u);
}

TEST(CommandStreamTest, RandomTrafficBreaksNoRule) {
  uint64_t start = seed();
  for (bool hbm : {false, true}) {
    for (DramRefresh refresh : {DramRefresh::AllBank, DramRefresh::PerBank}) {
      for (bool ecc : {false, true}) {
        for (bool bursty : {false, true}) {
          SCOPED_TRACE(std::string(hbm ? "HBM3" : "LPDDR5") +
                       (refresh == DramRefresh::AllBank ? " all" : " bank") +
                       (ecc ? " ecc" : "") + (bursty ? " bursty" : ""));
          DramSpec spec = hbm ? hbm3() : lpddr5();
          spec.refresh = refresh;
          spec.ecc = ecc;
          runRandom(spec, start++, bursty);
        }
      }
    }
  }
}

} // namespace
