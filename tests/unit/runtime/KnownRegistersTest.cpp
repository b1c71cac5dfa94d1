//===- KnownRegistersTest.cpp - Constants in machine code -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KnownRegisters.h"

#include "sim/hart/Instruction.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

using namespace chipwright;

namespace {

constexpr uint64_t kBase = 0x40000000;
constexpr unsigned kA0 = 10, kA1 = 11, kA2 = 12, kA3 = 13;

sim::KernelImage imageOf(const std::vector<uint32_t> &words) {
  sim::KernelImage image;
  image.bytes.resize(words.size() * sizeof(uint32_t));
  std::memcpy(image.bytes.data(), words.data(), image.bytes.size());
  image.entry = kBase;
  image.decoded = std::make_shared<sim::DecodedImage>(kBase, image.bytes);
  image.functions = {{kBase, "f"}};
  return image;
}

TEST(KnownRegisters, FollowsConstantsAndForgetsAtJoins) {
  // Words by llvm-mc -triple riscv64 -mattr=+zba.
  const sim::KernelImage image = imageOf({
      0x00500513, // 00 addi a0, zero, 5
      0x00351593, // 04 slli a1, a0, 3
      0x00a58633, // 08 add a2, a1, a0
      0x00069463, // 0c bne a3, zero, 8
      0x00700513, // 10 addi a0, zero, 7
      0x00b50633, // 14 add a2, a0, a1
      0x00000697, // 18 auipc a3, 0
      0x00c6b683, // 1c ld a3, 12(a3)
      0x00008067, // 20 jalr zero, 0(ra)
      0x9abcdef0, // 24 the constant
      0x12345678,
  });
  const KnownRegisters known(image);
  EXPECT_EQ(known.at(kBase, kA0), std::nullopt);
  EXPECT_EQ(known.at(kBase, 0), 0U);
  EXPECT_EQ(known.at(kBase + 0x0c, kA0), 5U);
  EXPECT_EQ(known.at(kBase + 0x0c, kA1), 40U);
  EXPECT_EQ(known.at(kBase + 0x0c, kA2), 45U);
  // Two ways lead here: a0 is 5 or 7, a1 is 40 in both.
  EXPECT_EQ(known.at(kBase + 0x14, kA0), std::nullopt);
  EXPECT_EQ(known.at(kBase + 0x14, kA1), 40U);
  EXPECT_EQ(known.at(kBase + 0x18, kA2), std::nullopt);
  EXPECT_EQ(known.at(kBase + 0x1c, kA3), kBase + 0x18);
  EXPECT_EQ(known.at(kBase + 0x20, kA3), 0x123456789abcdef0U);
  // Behind the return nothing is executed.
  EXPECT_EQ(known.at(kBase + 0x24, kA1), std::nullopt);
  EXPECT_EQ(known.at(kBase + 0x2c, kA1), std::nullopt);
}

TEST(KnownRegisters, LoopsKeepOnlyWhatTheyDoNotChange) {
  const sim::KernelImage image = imageOf({
      0x00000513, // 00 addi a0, zero, 0
      0x00900593, // 04 addi a1, zero, 9
      0x00150513, // 08 addi a0, a0, 1
      0xfeb51ee3, // 0c bne a0, a1, -4
      0x00008067, // 10 jalr zero, 0(ra)
  });
  const KnownRegisters known(image);
  EXPECT_EQ(known.at(kBase + 0x08, kA0), std::nullopt);
  EXPECT_EQ(known.at(kBase + 0x08, kA1), 9U);
  EXPECT_EQ(known.at(kBase + 0x10, kA0), std::nullopt);
}

} // namespace
