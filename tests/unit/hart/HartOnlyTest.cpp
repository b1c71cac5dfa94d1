//===- HartOnlyTest.cpp - Bare-metal programs on one hart -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/HartOnly.h"
#include "tests/unit/hart/Assembler.h"
#include "tests/unit/hart/TestElf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chipwright::test {
namespace {

using namespace sim;
using testing::HasSubstr;

constexpr uint64_t text = 0x80000000, tohost = 0x80001000;

HartOnlyResult runWords(const std::vector<uint32_t> &words,
                        HartOnlyOptions options = {}, bool symbol = true,
                        uint64_t tohostAddress = tohost) {
  TestElf elf;
  elf.addText(text, words);
  elf.addSegment(0x80001000, std::vector<uint8_t>(64), PF_R | PF_W);
  elf.symbols = {{"main", text, words.size() * 4, true}};
  if (symbol) {
    elf.symbols.push_back({"tohost", tohostAddress, 8, false});
  }
  ElfImage image;
  std::string error;
  EXPECT_TRUE(ElfImage::parse(elf.write(), "k.elf", {}, image, error)) << error;
  return runHartOnly(testSpec(), image, options);
}

// t0 <- tohost: lui t0, 0x80001 sign-extends, so clear the upper half.
const uint32_t getTohost = uType(Op::Auipc, t0, 1); // at the first word

TEST(HartOnly, ExitCode) {
  HartOnlyResult r =
      runWords({getTohost, addi(a0, zero, 85), sType(Op::Sd, a0, 0, t0)});
  EXPECT_EQ(r.status, HartOnlyStatus::Exited) << r.error;
  EXPECT_EQ(r.exitCode, 42u);
  EXPECT_EQ(r.instructions, 3u);
  EXPECT_EQ(r.cycles, 3u);
  EXPECT_EQ(describe(r), "exit code 42, 3 instructions, 3 cycles");
  // Zero stores do not end the program; a word store does.
  r = runWords({getTohost, sType(Op::Sd, zero, 0, t0), addi(a0, zero, 1),
                sType(Op::Sw, a0, 0, t0)});
  EXPECT_EQ(r.status, HartOnlyStatus::Exited) << r.error;
  EXPECT_EQ(r.exitCode, 0u);
}

TEST(HartOnly, MemoryOnBothSidesOfTohost) {
  HartOnlyResult r =
      runWords({getTohost, addi(a0, zero, 85), sType(Op::Sd, a0, 8, t0),
                sType(Op::Sd, a0, -8, t0), iType(Op::Ld, a1, t0, 8),
                iType(Op::Ld, a2, t0, -8), iType(Op::Ld, a3, t0, 0),
                rType(Op::Add, a1, a1, a2), rType(Op::Add, a1, a1, a3),
                addi(a1, a1, 1), sType(Op::Sd, a1, 0, t0)});
  EXPECT_EQ(r.status, HartOnlyStatus::Exited) << r.error;
  EXPECT_EQ(r.exitCode, 85u);
}

TEST(HartOnly, OtherRequestsAreRefused) {
  HartOnlyResult r = runWords({getTohost, sType(Op::Sd, t0, 0, t0)});
  EXPECT_EQ(r.status, HartOnlyStatus::Stopped);
  EXPECT_THAT(r.error, HasSubstr("only exit"));
}

TEST(HartOnly, BudgetStopsALoop) {
  HartOnlyOptions options;
  options.maxInstructions = 1000;
  HartOnlyResult r = runWords({nop, jal(zero, 0)}, options);
  EXPECT_EQ(r.status, HartOnlyStatus::Stopped);
  EXPECT_EQ(r.instructions, 1000u);
  EXPECT_THAT(r.error, HasSubstr("1000"));
  EXPECT_THAT(r.error, HasSubstr("main+0x4"));
}

TEST(HartOnly, ErrorsNameTheFunction) {
  HartOnlyResult r = runWords({nop, iType(Op::Ld, a0, zero, 0)});
  EXPECT_EQ(r.status, HartOnlyStatus::Stopped);
  EXPECT_EQ(r.errorKind, HartErrorKind::BadAccess);
  EXPECT_THAT(r.error, HasSubstr("main+0x4"));
  // The trap handler at 0 does not exist, so an illegal instruction ends it.
  r = runWords({0xffffffff});
  EXPECT_EQ(r.errorKind, HartErrorKind::IllegalInstruction);
}

TEST(HartOnly, TextIsReadOnly) {
  HartOnlyResult r =
      runWords({uType(Op::Auipc, t0, 0), sType(Op::Sd, zero, 16, t0), nop, nop,
                nop, nop});
  EXPECT_EQ(r.status, HartOnlyStatus::Stopped);
  EXPECT_THAT(r.error, HasSubstr("read-only"));
}

TEST(HartOnly, UnfitProgramsAreRefused) {
  HartOnlyResult r = runWords({nop}, {}, false);
  EXPECT_EQ(r.status, HartOnlyStatus::BadProgram);
  EXPECT_THAT(r.error, HasSubstr("tohost"));
  for (uint64_t bad : {uint64_t(0), text + 0x7000000, text}) {
    r = runWords({nop}, {}, true, bad);
    EXPECT_EQ(r.status, HartOnlyStatus::BadProgram);
    EXPECT_THAT(r.error, HasSubstr("tohost"));
  }
  HartOnlyOptions small;
  small.ramBytes = 4096;
  r = runWords({nop}, small, true, text + 2048);
  EXPECT_EQ(r.status, HartOnlyStatus::BadProgram);
  EXPECT_THAT(r.error, HasSubstr("more memory"));
  small.ramBytes = ~uint64_t(0);
  r = runWords({nop}, small);
  EXPECT_EQ(r.status, HartOnlyStatus::BadProgram);
  EXPECT_THAT(runHartOnly(testSpec(), "/nonexistent").error,
              HasSubstr("/nonexistent"));
}

} // namespace
} // namespace chipwright::test
