//===- CommandTagsTest.cpp - Sections that name commands ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/machine/CommandTags.h"
#include "sim/memory/AddressMap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

using namespace chipwright::sim;
using testing::HasSubstr;

namespace {

std::vector<uint8_t> bytesOf(std::string_view text) {
  return {text.begin(), text.end()};
}

void addEntry(std::vector<uint8_t> &ops, uint64_t pc, uint32_t tag) {
  for (unsigned i = 0; i < 8; ++i) {
    ops.push_back(static_cast<uint8_t>(pc >> 8 * i));
  }
  for (unsigned i = 0; i < 4; ++i) {
    ops.push_back(static_cast<uint8_t>(tag >> 8 * i));
  }
}

KernelImage imageOf(size_t bytes) {
  KernelImage image;
  image.bytes.resize(bytes);
  return image;
}

TEST(CommandTags, AreFoundByAddress) {
  std::vector<uint8_t> ops;
  addEntry(ops, kImageBase + 12, 1);
  addEntry(ops, kImageBase + 4, 0);
  addEntry(ops, kImageBase + 8, 1);
  KernelImage image = imageOf(16);
  std::string_view tags("linear\0k.mlir:3:1\0", 18);
  EXPECT_EQ(readCommandTags(ops, bytesOf(tags), image), "");
  EXPECT_EQ(image.tagOf(kImageBase + 4), "linear");
  EXPECT_EQ(image.tagOf(kImageBase + 8), "k.mlir:3:1");
  EXPECT_EQ(image.tagOf(kImageBase + 12), "k.mlir:3:1");
  for (uint64_t other : {uint64_t(0), kImageBase, kImageBase + 6,
                         kImageBase + 16, ~uint64_t(0)}) {
    EXPECT_EQ(image.tagOf(other), "") << other;
  }
}

TEST(CommandTags, NoneAreNoFault) {
  KernelImage image = imageOf(16);
  EXPECT_EQ(readCommandTags({}, {}, image), "");
  EXPECT_EQ(image.tagOf(kImageBase), "");
}

TEST(CommandTags, WrongSectionsAreRefused) {
  auto refusal = [](uint64_t pc, uint32_t tag, std::string_view tags,
                    size_t cut = 0) {
    std::vector<uint8_t> ops;
    addEntry(ops, pc, tag);
    ops.resize(ops.size() - cut);
    KernelImage image = imageOf(16);
    return readCommandTags(ops, bytesOf(tags), image);
  };
  constexpr std::string_view kOne("a\0", 2);
  EXPECT_EQ(refusal(kImageBase, 0, kOne), "");
  EXPECT_THAT(refusal(kImageBase, 0, kOne, 1), HasSubstr("found 11 bytes"));
  EXPECT_THAT(refusal(kImageBase, 1, kOne), HasSubstr("tags 0 to 0"));
  EXPECT_THAT(refusal(kImageBase - 1, 0, kOne), HasSubstr("of the image"));
  EXPECT_THAT(refusal(kImageBase + 16, 0, kOne), HasSubstr("of the image"));
  EXPECT_THAT(refusal(kImageBase, 0, "a"), HasSubstr("end with a zero"));
  EXPECT_THAT(refusal(kImageBase, 0, std::string_view("a\n\0", 3)),
              HasSubstr("printable"));
}

} // namespace
