//===- PlacementTest.cpp - Addresses of buffers ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "RuntimeTestSupport.h"

using namespace chipwright;
using sim::Space;

static std::vector<PlacedBuffer> three(MemoryChoice a, MemoryChoice b,
                                       MemoryChoice c) {
  return {{"a", 5000, a}, {"b", 4096, b}, {"c", 1, c}};
}

TEST(Placement, PagesFromTheStartOfEachSpace) {
  ResolvedChip chip = chipForTest("mtia-2i");
  auto buffers =
      three(MemoryChoice::Sram, MemoryChoice::Dram, MemoryChoice::Sram);
  ASSERT_TRUE(bool(placeBuffers(chip.spec, buffers)));
  EXPECT_EQ(buffers[0].address, sim::physicalAddress(Space::Sram, 0));
  EXPECT_EQ(buffers[1].address, sim::physicalAddress(Space::Dram, 0));
  EXPECT_EQ(buffers[2].address, sim::physicalAddress(Space::Sram, 8192));
}

TEST(Placement, AutoIsAllOrNothing) {
  ResolvedChip chip = chipForTest("mtia-2i");
  uint64_t half = chip.spec.sram.llsBytes / 2;
  std::vector<PlacedBuffer> buffers = {{"a", half, MemoryChoice::Auto},
                                       {"b", half, MemoryChoice::Auto}};
  ASSERT_TRUE(bool(placeBuffers(chip.spec, buffers)));
  EXPECT_EQ(buffers[0].space, Space::Sram);
  EXPECT_EQ(buffers[1].space, Space::Sram);
  buffers[1].bytes += 1;
  ASSERT_TRUE(bool(placeBuffers(chip.spec, buffers)));
  EXPECT_EQ(buffers[0].space, Space::Dram);
  EXPECT_EQ(buffers[1].space, Space::Dram);
  // What is fixed counts first.
  buffers[1].choice = MemoryChoice::Dram;
  ASSERT_TRUE(bool(placeBuffers(chip.spec, buffers)));
  EXPECT_EQ(buffers[0].space, Space::Sram);
}

TEST(Placement, RolesOverrideMemory) {
  PlacementOptions options{.memory = MemoryChoice::Sram,
                           .weights = MemoryChoice::Dram,
                           .activations = {}};
  EXPECT_EQ(choiceFor(options, Role::Weight), MemoryChoice::Dram);
  EXPECT_EQ(choiceFor(options, Role::Activation), MemoryChoice::Sram);
  EXPECT_EQ(memoryChoiceFromName("auto"), MemoryChoice::Auto);
  EXPECT_FALSE(memoryChoiceFromName("lls"));
}
