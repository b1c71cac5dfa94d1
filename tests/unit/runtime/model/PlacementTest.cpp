//===- PlacementTest.cpp - Addresses of a package's buffers ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/PackagePlacement.h"

#include "chips/ResolvedChip.h"
#include "package/PackageFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chipwright;
using sim::Space;
using testing::HasSubstr;

namespace {

Package packageOf(int64_t weightBytes, int64_t activationBytes) {
  Package package;
  package.bounds = {{"tokens", activationBytes}, {"slots", 100}};
  auto add = [&](const char *name, PackageSize size, BufferRole role) {
    PackageBuffer buffer;
    buffer.name = name;
    buffer.dtype = DType::I8;
    buffer.shape = {size};
    buffer.role = role;
    package.buffers.push_back(buffer);
  };
  add("w", {weightBytes, ""}, BufferRole::Weight);
  add("x", {1, "tokens"}, BufferRole::Activation);
  add("kv", {1, "slots"}, BufferRole::Cache);
  add("ids", {1, ""}, BufferRole::Input);
  add("rope", {1, ""}, BufferRole::Table);
  add("logits", {5000, ""}, BufferRole::Output);
  return package;
}

TEST(PackagePlacement, LastingBuffersInDramOthersInSramIfTheyFit) {
  auto chip = loadChip("mtia-2i");
  ASSERT_TRUE(chip);
  auto placed = placePackage(chip->spec, packageOf(1 << 20, 1 << 20));
  ASSERT_TRUE(placed) << placed.error().message;
  const Space expected[] = {Space::Dram, Space::Sram, Space::Dram,
                            Space::Sram, Space::Dram, Space::Sram};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ((*placed)[i].space, expected[i]) << i;
  }
  EXPECT_EQ((*placed)[1].bytes, uint64_t(1) << 20);
  EXPECT_EQ((*placed)[2].bytes, 100u);
  // Too large for the scratch together: all in DRAM, the input too.
  auto large = placePackage(
      chip->spec, packageOf(1, static_cast<int64_t>(chip->spec.sram.llsBytes)));
  ASSERT_TRUE(large) << large.error().message;
  for (const PlacedBuffer &buffer : *large) {
    EXPECT_EQ(buffer.space, Space::Dram) << buffer.name;
  }
}

TEST(PackagePlacement, NoTwoBuffersShareABytes) {
  auto chip = loadChip("mtia-2i");
  ASSERT_TRUE(chip);
  auto placed = placePackage(chip->spec, packageOf(4097, 8191));
  ASSERT_TRUE(placed);
  for (const PlacedBuffer &a : *placed) {
    for (const PlacedBuffer &b : *placed) {
      EXPECT_TRUE(&a == &b || a.address + a.bytes <= b.address ||
                  b.address + b.bytes <= a.address)
          << a.name << " and " << b.name;
    }
  }
}

TEST(PackagePlacement, WhatDoesNotFitIsRefusedWithAmounts) {
  auto chip = loadChip("mtia-2i");
  ASSERT_TRUE(chip);
  auto refused = placePackage(
      chip->spec, packageOf(static_cast<int64_t>(chip->spec.dram.bytes), 10));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exitStatus, ExitDoesNotFit);
  std::string bytes = std::to_string(chip->spec.dram.bytes);
  EXPECT_THAT(refused.error().message, HasSubstr("has " + bytes + " bytes"));
  EXPECT_THAT(refused.error().message, HasSubstr("weight " + bytes));
  EXPECT_THAT(refused.error().message, HasSubstr("cache 4096"));
}

} // namespace
