//===- LlcTest.cpp -------------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/Llc.h"

#include <gtest/gtest.h>

#include <vector>

using namespace chipwright::sim;

namespace {

TEST(LlcTest, LeastRecentlyUsedIsEvicted) {
  LlcSlice slice(8, 2); // four sets
  EXPECT_EQ(slice.capacityLines(), 8u);
  EXPECT_TRUE(slice.access(0, true, false).allocated);
  EXPECT_TRUE(slice.access(4, true, true).allocated); // same set, dirty
  EXPECT_TRUE(slice.access(0, true, false).hit);
  LlcResult third = slice.access(8, true, false);
  EXPECT_TRUE(third.allocated);
  EXPECT_TRUE(third.evictsDirty);
  EXPECT_EQ(third.evictedLine, 4u);
  EXPECT_TRUE(slice.access(0, false, false).hit);
  EXPECT_FALSE(slice.access(4, false, false).hit);
  EXPECT_TRUE(slice.access(1, true, false).allocated); // another set
  EXPECT_TRUE(slice.access(8, false, false).hit);
}

TEST(LlcTest, WithoutAllocationNothingChanges) {
  LlcSlice slice(8, 2);
  LlcResult miss = slice.access(3, false, false);
  EXPECT_FALSE(miss.hit);
  EXPECT_FALSE(miss.allocated);
  EXPECT_EQ(miss.ready, nullptr);
  EXPECT_FALSE(slice.access(3, false, false).hit);
  EXPECT_EQ(slice.readyTime(3), nullptr);
}

TEST(LlcTest, FlushNamesDirtyLinesOnce) {
  LlcSlice slice(16, 4);
  for (uint64_t line : {9, 2, 5, 7}) {
    slice.access(line, true, line != 5);
  }
  std::vector<uint64_t> lines;
  slice.flush(lines);
  EXPECT_EQ(lines, (std::vector<uint64_t>{2, 7, 9}));
  lines.clear();
  slice.flush(lines);
  EXPECT_TRUE(lines.empty());
  EXPECT_TRUE(slice.access(9, false, false).hit); // clean, still there
  slice.access(9, false, true);                   // a hit dirties it again
  slice.flush(lines);
  EXPECT_EQ(lines, (std::vector<uint64_t>{9}));
}

TEST(LlcTest, ReadyTimeIsTheLines) {
  LlcSlice slice(8, 2);
  *slice.access(6, true, false).ready = 1234;
  ASSERT_NE(slice.readyTime(6), nullptr);
  EXPECT_EQ(*slice.readyTime(6), 1234u);
  EXPECT_EQ(*slice.access(6, false, false).ready, 1234u);
}

TEST(LlcTest, DigestFollowsContents) {
  LlcSlice a(8, 2), b(8, 2);
  EXPECT_EQ(a.digest(), b.digest());
  a.access(1, true, false);
  EXPECT_NE(a.digest(), b.digest());
  b.access(1, true, true);
  EXPECT_NE(a.digest(), b.digest());
  a.reset();
  b.reset();
  EXPECT_EQ(a.digest(), b.digest());
  EXPECT_FALSE(a.access(1, false, false).hit);
}

TEST(LlcTest, NoLines) {
  LlcSlice slice(0, 16);
  LlcResult result = slice.access(1, true, true);
  EXPECT_FALSE(result.hit || result.allocated);
}

} // namespace
