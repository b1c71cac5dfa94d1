//===- CommandsTest.cpp - Tests of command fields -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipSpec.h"
#include "tests/unit/isa/TestSupport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

using namespace chipwright::isa;
using namespace chipwright::isa::test;
using testing::HasSubstr;

// Chip descriptions and command fields number element types alike.
#define SAME_TYPE(chip, isa)                                                   \
  static_assert(static_cast<int>(chipwright::DType::chip) ==                   \
                static_cast<int>(ElementType::isa))
SAME_TYPE(F32, F32);
SAME_TYPE(F16, F16);
SAME_TYPE(BF16, Bf16);
SAME_TYPE(I8, I8);
SAME_TYPE(I32, I32);
SAME_TYPE(F8E4M3, F8e4m3);
SAME_TYPE(F8E5M2, F8e5m2);
SAME_TYPE(TF32, Tf32);

/// Decodes with the struct of \p opcode and, if the command is legal, writes
/// the sum of fields and word back with encodeFields.
static bool decodeAny(Opcode opcode, const uint64_t *values, uint64_t word,
                      uint64_t (&back)[fieldCount], std::string &whyNot) {
  auto finish = [&](bool ok, const auto &command) {
    std::fill(std::begin(back), std::end(back), 0);
    return ok && encodeFields(command, back);
  };
  switch (opcode) {
#define CASE(name, type, function)                                             \
  case Opcode::name: {                                                         \
    type command;                                                              \
    const bool ok = type::function(values, word, command, whyNot);             \
    return finish(ok, command);                                                \
  }
    CASE(DmaIn, DmaInCommand, decode)
    CASE(DmaOut, DmaOutCommand, decode)
    CASE(DmaPrefetch, DmaPrefetchCommand, decode)
    CASE(Mml, MmlCommand, decode)
    CASE(BankInit, BankInitCommand, decode)
    CASE(Reduce, ReduceCommand, decode)
    CASE(Drain, SeCommand, decodeDrain)
    CASE(Se, SeCommand, decode)
    CASE(RowTopk, RowTopkCommand, decode)
#undef CASE
  case Opcode::MluTranspose:
  case Opcode::MluCopy: {
    MluCommand command;
    const bool ok = MluCommand::decode(values, word, command, whyNot, opcode);
    return finish(ok, command);
  }
  default:
    ADD_FAILURE() << instInfo(opcode).mnemonic << " has no struct";
    return false;
  }
}

static uint64_t maskOf(unsigned width) {
  return width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
}

/// Adds the terms of the word as the contract says, slice by slice.
static void addWord(Opcode opcode, const uint64_t *values, uint64_t word,
                    uint64_t (&sum)[fieldCount]) {
  std::copy(values, values + fieldCount, sum);
  for (const SliceInfo &slice : slices(opcode)) {
    if (slice.termLo >= 0) {
      sum[slice.field] += (word >> slice.termLo & maskOf(slice.termWidth))
                          << slice.lo;
    }
  }
}

TEST(Commands, MmlAddsTheWord) {
  const uint64_t values[fieldCount] = {
      1 | uint64_t(0x100) << 8 | uint64_t(64) << 32,
      2 | uint64_t(0x200) << 8 | uint64_t(128) << 32,
      32 | 16 << 16 | uint64_t(4) << 32 | uint64_t(1) << 40 |
          uint64_t(2) << 44 | uint64_t(1) << 48,
      3, 640 | uint64_t(1280) << 32};
  const uint64_t word =
      0x10 | uint64_t(0x20) << 24 | uint64_t(5) << 48 | uint64_t(1) << 56;
  MmlCommand command;
  std::string whyNot;
  ASSERT_TRUE(MmlCommand::decode(values, word, command, whyNot)) << whyNot;
  MmlCommand expected;
  expected.aCb = 1;
  expected.aOffset = 0x110;
  expected.aPitch = 64;
  expected.bCb = 2;
  expected.bOffset = 0x220;
  expected.bPitch = 128;
  expected.aRows = 32;
  expected.bRows = 16;
  expected.passes = 4;
  expected.aDtype = 1;
  expected.bDtype = 2;
  expected.bKn = 1;
  expected.bank = 8;
  expected.accumulate = 1;
  expected.aStep = 640;
  expected.bStep = 1280;
  EXPECT_EQ(command, expected);
  EXPECT_EQ(toString(command),
            "mml{a_cb=1, a_offset=272, a_pitch=64, b_cb=2, b_offset=544, "
            "b_pitch=128, a_rows=32, b_rows=16, passes=4, a_dtype=f16, "
            "b_dtype=bf16, b_kn=1, bank=8, accumulate=1, a_step=640, "
            "b_step=1280}");
}

TEST(Commands, MmlRefusals) {
  uint64_t values[fieldCount] = {};
  MmlCommand command;
  std::string whyNot;
  values[2] = uint64_t(1) << 49;
  EXPECT_FALSE(MmlCommand::decode(values, 0, command, whyNot));
  EXPECT_EQ(whyNot, "xpe.mml: reserved bits 49 of field 2 (shape) are set in "
                    "0x2000000000000; expected 0 in bits that no slice "
                    "covers");
  values[2] = 0;
  EXPECT_FALSE(MmlCommand::decode(values, uint64_t(3) << 57, command, whyNot));
  EXPECT_THAT(whyNot, HasSubstr("reserved bits 57..58 of the word"));
  values[0] = uint64_t(0xfffff0) << 8;
  EXPECT_TRUE(MmlCommand::decode(values, 0xf, command, whyNot));
  EXPECT_FALSE(MmlCommand::decode(values, 0x10, command, whyNot));
  EXPECT_EQ(whyNot,
            "xpe.mml: term overflows slice a_offset of field 0 (a): 0xfffff0 "
            "in the field plus 0x10 in the word is more than the 24-bit "
            "maximum 0xffffff; a smaller base in the field leaves room for "
            "the term");
  values[0] = 0;
  values[2] = uint64_t(11) << 40;
  EXPECT_FALSE(MmlCommand::decode(values, 0, command, whyNot));
  EXPECT_EQ(whyNot, "xpe.mml: slice a_dtype of field 2 (shape) holds the "
                    "unknown code 11; expected 0 (f32) to 10 (f8e8m0)");
  // The fields for block scales and sparsity have no slices yet.
  values[2] = 0;
  values[6] = 1;
  EXPECT_FALSE(MmlCommand::decode(values, 0, command, whyNot));
  EXPECT_THAT(whyNot, HasSubstr("field 6 (sparse)"));
}

TEST(Commands, DmaAddressAndSignedPitch) {
  uint64_t values[fieldCount] = {};
  values[0] = 0xffffffffffff0000;
  values[2] = 0xffffffff00; // -256 in 40 bits
  DmaInCommand command;
  std::string whyNot;
  ASSERT_TRUE(DmaInCommand::decode(values, 0xffff, command, whyNot));
  EXPECT_EQ(command.addr, 0xffffffffffffffffu);
  EXPECT_EQ(command.pitch, -256);
  EXPECT_FALSE(DmaInCommand::decode(values, 0x10000, command, whyNot));
  EXPECT_THAT(whyNot, HasSubstr("term overflows slice addr"));
}

TEST(Commands, DrainAndSeDifferInTheWord) {
  uint64_t values[fieldCount] = {};
  const uint64_t word = 7 | uint64_t(64) << 21 | uint64_t(128) << 42;
  SeCommand command;
  std::string whyNot;
  ASSERT_TRUE(SeCommand::decode(values, word, command, whyNot));
  EXPECT_EQ(command.offset, 7u);
  EXPECT_EQ(command.cb, 0u);
  EXPECT_EQ(command.y1Offset, 64u);
  EXPECT_EQ(command.outOffset, 128u);
  ASSERT_TRUE(SeCommand::decodeDrain(values, word, command, whyNot));
  EXPECT_EQ(command.offset, 0u);
  EXPECT_EQ(command.cb, 7u);
  EXPECT_EQ(command.y1Offset, 64u);
  EXPECT_EQ(command.outOffset, 128u);
  EXPECT_FALSE(SeCommand::decodeDrain(values, 0x100, command, whyNot));
  EXPECT_THAT(whyNot, HasSubstr("xpe.drain"));
  EXPECT_FALSE(SeCommand::decode(values, uint64_t(1) << 63, command, whyNot));
}

TEST(Commands, SharedDecoderNamesTheCommand) {
  uint64_t values[fieldCount] = {};
  values[0] = uint64_t(1) << 56;
  MluCommand command;
  std::string whyNot;
  EXPECT_FALSE(MluCommand::decode(values, 0, command, whyNot, Opcode::MluCopy));
  EXPECT_THAT(whyNot, HasSubstr("xpe.mlu.copy:"));
}

TEST(Commands, EncodeFieldsReportsWhatDoesNotFit) {
  MmlCommand command;
  uint64_t values[fieldCount] = {};
  EXPECT_TRUE(encodeFields(command, values));
  command.aOffset = 1 << 24;
  EXPECT_FALSE(encodeFields(command, values));
  DmaInCommand dma;
  dma.pitch = -(int64_t(1) << 39);
  EXPECT_TRUE(encodeFields(dma, values));
  dma.pitch -= 1;
  EXPECT_FALSE(encodeFields(dma, values));
}

TEST(Commands, LegalCommandsDecodeToTheSum) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allCommands()) {
    for (int i = 0; i < 500; ++i) {
      uint64_t values[fieldCount];
      uint64_t word = 0;
      randomCommand(opcode, random, values, word);
      uint64_t expected[fieldCount];
      addWord(opcode, values, word, expected);
      // What other commands left in their fields does not matter.
      for (unsigned field = 0; field < fieldCount; ++field) {
        if (!(fieldMask(opcode) >> field & 1)) {
          values[field] = random();
        }
      }
      uint64_t back[fieldCount];
      std::string whyNot;
      ASSERT_TRUE(decodeAny(opcode, values, word, back, whyNot)) << whyNot;
      EXPECT_TRUE(std::equal(back, back + fieldCount, expected))
          << instInfo(opcode).mnemonic;
      EXPECT_EQ(explainCommand(opcode, values, word), "");
    }
  }
}

TEST(Commands, EveryReservedBitIsRefused) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allCommands()) {
    uint64_t values[fieldCount];
    uint64_t word = 0;
    randomCommand(opcode, random, values, word);
    uint64_t used[fieldCount] = {};
    for (const SliceInfo &slice : slices(opcode)) {
      used[slice.field] |= maskOf(slice.width) << slice.lo;
    }
    uint64_t back[fieldCount];
    std::string whyNot;
    for (unsigned field = 0; field < fieldCount; ++field) {
      if (!(fieldMask(opcode) >> field & 1)) {
        EXPECT_EQ(used[field], 0u);
        continue;
      }
      for (unsigned bit = 0; bit < 64; ++bit) {
        if (used[field] >> bit & 1) {
          continue;
        }
        values[field] ^= uint64_t(1) << bit;
        EXPECT_FALSE(decodeAny(opcode, values, word, back, whyNot));
        EXPECT_THAT(whyNot,
                    HasSubstr("reserved bits " + std::to_string(bit) +
                              " of field " + std::to_string(field) + " ("));
        values[field] ^= uint64_t(1) << bit;
      }
    }
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (!(wordMask(opcode) >> bit & 1)) {
        EXPECT_FALSE(
            decodeAny(opcode, values, word | uint64_t(1) << bit, back, whyNot));
      }
    }
  }
}

/// Any single changed bit of a used field either changes the decoded command
/// or is refused: no bit is without effect.
TEST(Commands, EveryBitMatters) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allCommands()) {
    uint64_t values[fieldCount];
    uint64_t word = 0;
    randomCommand(opcode, random, values, word);
    uint64_t original[fieldCount];
    uint64_t back[fieldCount];
    std::string whyNot;
    ASSERT_TRUE(decodeAny(opcode, values, word, original, whyNot));
    for (unsigned field = 0; field < fieldCount; ++field) {
      for (unsigned bit = 0; bit < 64; ++bit) {
        values[field] ^= uint64_t(1) << bit;
        if (decodeAny(opcode, values, word, back, whyNot)) {
          EXPECT_EQ(std::equal(back, back + fieldCount, original),
                    !(fieldMask(opcode) >> field & 1))
              << instInfo(opcode).mnemonic << " field " << field << " bit "
              << bit;
        }
        values[field] ^= uint64_t(1) << bit;
      }
    }
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (decodeAny(opcode, values, word ^ uint64_t(1) << bit, back, whyNot)) {
        EXPECT_FALSE(std::equal(back, back + fieldCount, original));
      }
    }
  }
}

/// The inline decoders and the tables refuse the same commands.
TEST(Commands, DecodersAgreeWithTables) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allCommands()) {
    unsigned refused = 0;
    const unsigned runs = 3000;
    for (unsigned i = 0; i < runs; ++i) {
      uint64_t values[fieldCount];
      uint64_t word = 0;
      randomCommand(opcode, random, values, word);
      switch (random() % 4) {
      case 0:
        values[random() % fieldCount] ^= uint64_t(1) << random() % 64;
        break;
      case 1:
        word ^= uint64_t(1) << random() % 64;
        break;
      case 2:
        word = random() & wordMask(opcode);
        break;
      default:
        break;
      }
      uint64_t back[fieldCount];
      std::string whyNot;
      const bool ok = decodeAny(opcode, values, word, back, whyNot);
      const std::string explanation = explainCommand(opcode, values, word);
      ASSERT_EQ(ok, explanation.empty()) << explanation;
      if (!ok) {
        ASSERT_EQ(whyNot, explanation);
        ++refused;
      }
    }
    EXPECT_GT(refused, 0u) << instInfo(opcode).mnemonic;
    EXPECT_LT(refused, runs) << instInfo(opcode).mnemonic;
  }
}

TEST(Commands, Tables) {
  EXPECT_EQ(fieldMask(Opcode::Mml), 0x7f);
  EXPECT_EQ(fieldMask(Opcode::Se), 0x7ff);
  EXPECT_EQ(fieldMask(Opcode::Reduce), 0x0e);
  EXPECT_EQ(fieldMask(Opcode::DmaOut), 0xbf);
  EXPECT_EQ(fieldMask(Opcode::Fence), 0);
  EXPECT_TRUE(slices(Opcode::Fence).empty());
  size_t count = 0;
  for (Opcode opcode : allCommands()) {
    for (const SliceInfo &slice : slices(opcode)) {
      EXPECT_EQ(slice.opcode, opcode);
      EXPECT_TRUE(fieldMask(opcode) >> slice.field & 1);
      EXPECT_LT(slice.field, autoField);
      ++count;
    }
  }
  EXPECT_EQ(slices().size(), count);
  EXPECT_EQ(wordMask(Opcode::Mml), (uint64_t(1) << 57) - 1);
}
