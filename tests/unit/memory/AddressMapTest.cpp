//===- AddressMapTest.cpp ------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "chips/ResolvedChip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

class InterleaveTest : public testing::TestWithParam<
                           std::tuple<const char *, const char *, bool>> {
protected:
  ChipSpec load() const {
    auto [name, granule, hash] = GetParam();
    auto loaded = loadChip(
        name,
        {std::string("memory.interleave_bytes=") + granule,
         std::string("memory.interleave_hash=") + (hash ? "true" : "false")},
        {CHIPWRIGHT_SOURCE_DIR "/chips"});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded->spec;
  }
};

// A run of granules from zero fills every channel (bank) without a hole and
// without a collision.
TEST_P(InterleaveTest, Bijection) {
  const ChipSpec spec = load();
  const Interleave map(spec);
  const uint64_t granule = spec.memory.interleaveBytes;
  const unsigned units = std::max(spec.sram.banks, spec.dram.channels);
  const uint64_t perUnit = 300, count = perUnit * units;
  for (bool dram : {true, false}) {
    const unsigned targets = dram ? spec.dram.channels : spec.sram.banks;
    std::vector<std::vector<bool>> seen(targets,
                                        std::vector<bool>(count / targets));
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t offset = i * granule + i % granule;
      UnitAddress at = dram ? map.dram(offset) : map.sram(offset);
      unsigned target = dram ? at.channel : at.unit;
      ASSERT_LT(target, targets);
      ASSERT_LT(at.unit, spec.sram.banks);
      ASSERT_EQ(at.offset % granule, i % granule);
      ASSERT_LT(at.offset / granule, seen[target].size());
      ASSERT_FALSE(seen[target][at.offset / granule]) << "granule " << i;
      seen[target][at.offset / granule] = true;
      if (dram && spec.sram.banks >= spec.dram.channels) {
        // A channel's granules go through the units in front of it.
        ASSERT_EQ(at.unit / (spec.sram.banks / spec.dram.channels), at.channel);
      }
    }
  }
  EXPECT_EQ(map.granuleRest(0), granule);
  EXPECT_EQ(map.granuleRest(7 * granule + 5), granule - 5);
}

// Strides of a power of two do not collapse on a few channels, unless the hash
// is off and the number of channels is a power of two as well.
TEST_P(InterleaveTest, PowerOfTwoStrides) {
  const ChipSpec spec = load();
  const Interleave map(spec);
  for (uint64_t stride = spec.memory.interleaveBytes; stride <= 1 << 20;
       stride *= 2) {
    std::vector<unsigned> hits(spec.dram.channels);
    const unsigned rounds = 64, n = rounds * spec.dram.channels;
    for (uint64_t i = 0; i < n; ++i) {
      ++hits[map.dram(i * stride).channel];
    }
    const unsigned most = *std::max_element(hits.begin(), hits.end());
    const unsigned shared =
        std::gcd(static_cast<unsigned>(stride / spec.memory.interleaveBytes),
                 spec.dram.channels);
    if (std::get<2>(GetParam())) {
      EXPECT_LE(most, 3 * rounds) << "stride " << stride;
    } else {
      EXPECT_EQ(most, shared * rounds) << "stride " << stride;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Chips, InterleaveTest,
    testing::Combine(testing::Values("mtia-2i", "mtia-300"),
                     testing::Values("256", "512", "1024"), testing::Bool()),
    [](const auto &test) {
      return std::string(std::get<0>(test.param) == std::string("mtia-2i")
                             ? "mtia2i_"
                             : "mtia300_") +
             std::get<1>(test.param) + (std::get<2>(test.param) ? "_hash" : "");
    });

TEST(AddressMapTest, Fields) {
  uint64_t address = physicalAddress(Space::Sram, 0x12345);
  EXPECT_EQ(spaceOf(address), Space::Sram);
  EXPECT_EQ(offsetOf(address), 0x12345u);
  EXPECT_EQ(chipOf(address), 0u);
  EXPECT_EQ(spaceOf(peWindow(3)), Space::Pe);
  EXPECT_EQ(offsetOf(peWindow(3)), 3 * kPeWindowBytes);
}

} // namespace
