//===- MemoryCheckTest.cpp - Does a package fit a chip's memory? ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "package/MemoryCheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

using namespace chipwright;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr uint64_t kPage = packagePageBytes;

ChipSpec chipWith(uint64_t dram, uint64_t scratch) {
  ChipSpec spec;
  spec.name = "x";
  spec.dram.bytes = dram;
  spec.sram.llsBytes = scratch;
  return spec;
}

/// A byte for each weight, slot, position and token.
Package packageOf(int64_t weights, int64_t tokens, int64_t batch,
                  int64_t context) {
  Package package;
  package.bounds = {{"tokens", tokens},
                    {"outputs", tokens},
                    {"batch", batch},
                    {"context", context},
                    {"slots", (context + 127) / 128 * 128 * batch}};
  auto add = [&](const char *name, PackageSize size, BufferRole role) {
    PackageBuffer buffer;
    buffer.name = name;
    buffer.dtype = DType::I8;
    buffer.shape = {size};
    buffer.role = role;
    package.buffers.push_back(buffer);
  };
  add("w", {weights, ""}, BufferRole::Weight);
  add("rope", {context, ""}, BufferRole::Table);
  add("kv", {1, "slots"}, BufferRole::Cache);
  add("x", {1, "tokens"}, BufferRole::Activation);
  return package;
}

bool fits(const ChipSpec &spec, const Package &package) {
  return static_cast<bool>(checkMemory(spec, package));
}

TEST(MemoryCheck, ThePageThatIsOneTooMany) {
  // Weights, table, cache: a page each; the activation in the scratch.
  Package package = packageOf(kPage, 100, 1, 128);
  EXPECT_TRUE(fits(chipWith(3 * kPage, kPage), package));
  EXPECT_FALSE(fits(chipWith(3 * kPage - 1, kPage), package));
  // Or, if the scratch is too small, in DRAM too.
  EXPECT_FALSE(fits(chipWith(3 * kPage, kPage - 1), package));
  EXPECT_TRUE(fits(chipWith(4 * kPage, kPage - 1), package));
  // A byte more of weights takes another page.
  EXPECT_FALSE(
      fits(chipWith(3 * kPage, kPage), packageOf(kPage + 1, 100, 1, 128)));
}

/// The number behind \p option in \p message; 0: not there.
int64_t offered(const std::string &message, const std::string &option) {
  size_t place = message.find(option + " ");
  return place == std::string::npos
             ? 0
             : std::strtoll(message.c_str() + place + option.size(), nullptr,
                            10);
}

TEST(MemoryCheck, WhatItOffersFitsAndOneMoreDoesNot) {
  ChipSpec spec = chipWith(100 * kPage, kPage);
  Package package = packageOf(30 * kPage, 100, 16, 100000);
  auto refused = checkMemory(spec, package);
  ASSERT_FALSE(refused);
  const std::string &message = refused.error().message;
  EXPECT_EQ(refused.error().exitStatus, ExitDoesNotFit);
  EXPECT_THAT(message, HasSubstr("has 409600 bytes (dram.bytes)"));
  EXPECT_THAT(message, HasSubstr("weight 122880"));
  EXPECT_THAT(message, HasSubstr("cache 1601536"));
  EXPECT_THAT(message, HasSubstr("activation 4096 in the scratch"));
  int64_t context = offered(message, "--max-context"),
          batch = offered(message, "--max-batch");
  ASSERT_GT(context, 0) << message;
  ASSERT_GT(batch, 0) << message;
  EXPECT_TRUE(fits(spec, packageOf(30 * kPage, 100, 16, context)));
  EXPECT_FALSE(fits(spec, packageOf(30 * kPage, 100, 16, context + 1)));
  EXPECT_TRUE(fits(spec, packageOf(30 * kPage, 100, batch, 100000)));
  EXPECT_FALSE(fits(spec, packageOf(30 * kPage, 100, batch + 1, 100000)));
  // Fewer tokens alone do not help.
  EXPECT_EQ(offered(message, "--max-tokens"), 0);
}

TEST(MemoryCheck, WeightsAloneNeedAnotherChip) {
  ChipSpec spec = chipWith(100 * kPage, kPage);
  auto refused = checkMemory(spec, packageOf(101 * kPage, 100, 2, 1000));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("; use a chip with more"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("--max")));
}

TEST(MemoryCheck, AllBoundsTogether) {
  ChipSpec spec = chipWith(10 * kPage, 0);
  auto refused = checkMemory(spec, packageOf(kPage, 1 << 20, 1 << 20, 1 << 20));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("less of --max-context, --max-batch and --max-tokens"));
}

TEST(MemoryCheck, HugeSizesDoNotWrap) {
  ChipSpec spec = chipWith(uint64_t(1) << 40, 0);
  int64_t most = int64_t(1) << 30;
  Package package = packageOf(kPage, most, most, most);
  package.buffers[2].shape.push_back({most, ""});
  package.buffers[2].shape.push_back({most, ""});
  EXPECT_FALSE(fits(spec, package));
}

} // namespace
