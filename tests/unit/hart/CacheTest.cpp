//===- CacheTest.cpp - Cache tags and stale lines -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/hart/Assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace chipwright::test {
namespace {

using namespace sim;

constexpr uint64_t far = 0x80000;
constexpr uint64_t fillCycles = 100;

/// Cacheable memory that answers every fill after fillCycles.
struct CachedMemory : HartEnv {
  bool cacheable(uint64_t address) const override { return address >= far; }
  MemResult load(Hart &, uint64_t address, unsigned, uint64_t cycle,
                 bool cached) override {
    if (blockLoadOnce) {
      blockLoadOnce = false;
      return MemResult::blockRetry();
    }
    ++(cached ? cachedLoads : directLoads);
    return MemResult::done(words[address], cycle + fillCycles);
  }
  MemResult store(Hart &, uint64_t address, unsigned, uint64_t value, bool,
                  uint64_t cycle) override {
    words[address] = value;
    return MemResult::done(0, cycle + 1);
  }
  MemResult fillLine(Hart &, uint64_t address, unsigned bytes, bool instruction,
                     uint64_t cycle) override {
    if (blockOnce) {
      blockOnce = false;
      return MemResult::blockRetry();
    }
    EXPECT_EQ(address % bytes, 0u);
    ++(instruction ? instructionFills : dataFills);
    return MemResult::done(0, cycle + fillCycles);
  }
  uint32_t lineVersion(const Hart &, uint64_t line) const override {
    auto it = versions.find(line);
    return it == versions.end() ? 0 : it->second;
  }
  std::map<uint64_t, uint64_t> words;
  std::map<uint64_t, uint32_t> versions;
  unsigned cachedLoads = 0, directLoads = 0, dataFills = 0,
           instructionFills = 0;
  bool blockOnce = false, blockLoadOnce = false;
};

TEST(CacheTags, LeastRecentlyUsedIsReplaced) {
  CacheTags tags(256, 64, 2); // two sets of two ways
  tags.insert(0, 1);
  tags.insert(128, 2);
  EXPECT_NE(tags.find(5), nullptr);
  tags.insert(256, 3); // same set: replaces 128
  EXPECT_NE(tags.find(0), nullptr);
  EXPECT_EQ(tags.find(128), nullptr);
  EXPECT_EQ(tags.find(256)->version, 3u);
  EXPECT_EQ(tags.find(64), nullptr);
  tags.invalidate(63, 1);
  EXPECT_EQ(tags.find(0), nullptr);
  EXPECT_NE(tags.find(300), nullptr);
  CacheTags none(0, 64, 4);
  EXPECT_FALSE(none.enabled());
  EXPECT_EQ(none.find(0), nullptr);
}

TEST(Cache, HitAndMissTimes) {
  Rig<CachedMemory> rig({iType(Op::Ld, a0, t0, 0), addi(a1, a0, 0),
                         iType(Op::Ld, a2, t0, 8), addi(a3, a2, 0)});
  rig.env.words[far] = 77;
  rig.hart.setReg(t0, far);
  rig.run(2);
  EXPECT_EQ(rig.hart.reg(a1), 77u);
  EXPECT_EQ(rig.hart.cycle(), fillCycles + 1);
  rig.run(2);
  EXPECT_EQ(rig.hart.cycle(), fillCycles + 1 + testSpec().loadCycles + 1);
  EXPECT_EQ(rig.hart.counters().dcacheMisses, 1u);
  EXPECT_EQ(rig.hart.counters().dcacheHits, 1u);
  EXPECT_EQ(rig.env.directLoads, 0u);
}

TEST(Cache, AHitWaitsForAFillUnderWay) {
  Rig<CachedMemory> rig(
      {iType(Op::Ld, a0, t0, 0), iType(Op::Ld, a1, t0, 8), addi(a2, a1, 0)});
  rig.hart.setReg(t0, far);
  rig.run(3);
  EXPECT_EQ(rig.hart.cycle(), fillCycles + 1);
  EXPECT_EQ(rig.env.dataFills, 1u);
}

TEST(Cache, ALoadThatIsRetriedAfterItsFillKeepsItsTime) {
  std::initializer_list<uint32_t> words = {iType(Op::Ld, a0, t0, 0),
                                           addi(a1, a0, 0)};
  Rig<CachedMemory> direct(words), retried(words);
  direct.hart.setReg(t0, far);
  retried.hart.setReg(t0, far);
  retried.env.blockLoadOnce = true;
  direct.run(2);
  EXPECT_EQ(retried.run(2), HartStop::Blocked);
  retried.run(2);
  EXPECT_EQ(retried.hart.cycle(), direct.hart.cycle());
  EXPECT_EQ(retried.hart.digest(), direct.hart.digest());
  EXPECT_EQ(retried.hart.counters().dcacheMisses, 1u);
  EXPECT_EQ(retried.hart.counters().dcacheHits, 0u);
}

TEST(Cache, AnAccessAcrossLinesFillsBoth) {
  Rig<CachedMemory> rig({iType(Op::Ld, a0, t0, 60)});
  rig.hart.setReg(t0, far);
  rig.run(1);
  EXPECT_EQ(rig.env.dataFills, 2u);
}

TEST(Cache, StaleLineIsAnError) {
  Rig<CachedMemory> rig({iType(Op::Ld, a0, t0, 0), iType(Op::Ld, a1, t0, 8)});
  rig.hart.setReg(t0, far);
  rig.run(1);
  rig.env.versions[far] = 1; // somebody else wrote
  EXPECT_EQ(rig.run(1), HartStop::Error);
  EXPECT_EQ(rig.hart.error().kind, HartErrorKind::StaleLine);
  EXPECT_THAT(rig.hart.error().text, testing::HasSubstr("0x80008"));
}

TEST(Cache, InvalidateMakesTheLineFresh) {
  Rig<CachedMemory> rig({iType(Op::Ld, a0, t0, 0), iType(Op::Ld, a1, t0, 8)});
  rig.hart.setReg(t0, far);
  rig.run(1);
  rig.env.versions[far] = 1;
  rig.hart.invalidateData(far + 8, 8);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.env.dataFills, 2u);
}

TEST(Cache, BlockedFillIsRetried) {
  Rig<CachedMemory> rig({iType(Op::Ld, a0, t0, 0)});
  rig.hart.setReg(t0, far);
  rig.env.blockOnce = true;
  EXPECT_EQ(rig.run(1), HartStop::Blocked);
  EXPECT_FALSE(rig.hart.pendingCompletion());
  EXPECT_EQ(rig.hart.counters().instructions, 0u);
  rig.hart.resumeAt(50);
  EXPECT_EQ(rig.run(1), HartStop::InstructionLimit);
  EXPECT_EQ(rig.hart.cycle(), 51u);
  EXPECT_EQ(rig.hart.counters().blockedCycles, 50u);
}

TEST(Cache, InstructionsStartWarmAndFenceFlushes) {
  Rig<CachedMemory> rig({nop, matchOf(Op::FenceI), nop, nop});
  rig.run(2);
  EXPECT_EQ(rig.env.instructionFills, 0u);
  EXPECT_EQ(rig.hart.cycle(), 2u);
  rig.run(2);
  EXPECT_EQ(rig.env.instructionFills, 1u); // one line holds both
  EXPECT_EQ(rig.hart.cycle(), 4u + fillCycles);
  EXPECT_EQ(rig.hart.counters().icacheStalls, fillCycles);
}

TEST(Cache, WithoutCachesMemoryAnswersDirectly) {
  HartSpec none = testSpec();
  none.icacheBytes = none.dcacheBytes = 0;
  Rig<CachedMemory> rig(
      {iType(Op::Ld, a0, t0, 0), addi(a1, a0, 0), matchOf(Op::FenceI), nop},
      none);
  rig.hart.setReg(t0, far);
  rig.run(4);
  EXPECT_EQ(rig.hart.cycle(), fillCycles + 3); // the load's own time
  EXPECT_EQ(rig.env.directLoads, 1u);
  EXPECT_EQ(rig.env.dataFills + rig.env.instructionFills, 0u);
}

TEST(Cache, AProgramThatDoesNotFitMisses) {
  HartSpec small = testSpec();
  small.icacheBytes = 64;
  small.cacheWays = 1;
  // 32 instructions are two lines; each pass through the loop misses both.
  Rig<CachedMemory> rig({nop, nop, nop, nop, nop, nop, nop, nop,
                         nop, nop, nop, nop, nop, nop, nop, nop,
                         nop, nop, nop, nop, nop, nop, nop, nop,
                         nop, nop, nop, nop, nop, nop, nop, jal(zero, -124)},
                        small);
  rig.run(32 * 3);
  EXPECT_EQ(rig.env.instructionFills, 6u);
  EXPECT_EQ(rig.hart.counters().icacheMisses, 6u);
}

} // namespace
} // namespace chipwright::test
