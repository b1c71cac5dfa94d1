//===- DecoderTest.cpp - Tests of instruction words -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/isa/TestSupport.h"

#include <gtest/gtest.h>

#include <set>

using namespace chipwright::isa;
using namespace chipwright::isa::test;

/// R-type word, written out by hand.
static uint32_t rType(uint32_t opcode, uint32_t funct3, uint32_t funct7,
                      uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

namespace {
struct Example {
  uint32_t word;
  const char *text;
};
} // namespace

TEST(Decoder, WordsOfTheContract) {
  const Example examples[] = {
      {rType(0x0b, 0, 5, 0, 10, 3), "xpe.set 3, 5, a0"},
      {rType(0x0b, 0, 15, 0, 0, 31), "xpe.set 31, 15, zero"},
      {rType(0x2b, 0, 0x01, 0, 10, 0), "xpe.dma.in 0, a0"},
      {rType(0x2b, 0, 0x02, 0, 11, 1), "xpe.dma.out 1, a1"},
      {rType(0x2b, 0, 0x03, 0, 12, 2), "xpe.dma.prefetch 2, a2"},
      {rType(0x2b, 0, 0x10, 0, 5, 7), "xpe.mml 7, t0"},
      {rType(0x2b, 0, 0x10, 0, 0, 7), "xpe.mml 7, auto"},
      {rType(0x2b, 0, 0x11, 0, 6, 8), "xpe.bank.init 8, t1"},
      {rType(0x2b, 0, 0x12, 0, 7, 9), "xpe.reduce 9, t2"},
      {rType(0x2b, 0, 0x20, 0, 28, 10), "xpe.drain 10, t3"},
      {rType(0x2b, 0, 0x21, 0, 8, 11), "xpe.se 11, s0"},
      {rType(0x2b, 0, 0x22, 0, 9, 12), "xpe.row_topk 12, s1"},
      {rType(0x2b, 0, 0x30, 0, 18, 13), "xpe.mlu.transpose 13, s2"},
      {rType(0x2b, 0, 0x31, 0, 27, 14), "xpe.mlu.copy 14, s11"},
      {rType(0x5b, 0, 0, 10, 11, 4), "xpe.cb.wait a0, 4, a1"},
      {rType(0x5b, 0, 1, 10, 11, 4), "xpe.cb.reserve a0, 4, a1"},
      {rType(0x5b, 0, 2, 0, 11, 4), "xpe.cb.push 4, a1"},
      {rType(0x5b, 0, 3, 0, 11, 4), "xpe.cb.pop 4, a1"},
      {rType(0x5b, 0, 4, 0, 11, 4), "xpe.cb.setup 4, a1"},
      {rType(0x7b, 0, 0, 0, 10, 11), "xpe.sem.post a0, a1"},
      {rType(0x7b, 1, 0, 0, 10, 6), "xpe.sem.wait 6, a0"},
      {rType(0x7b, 1, 1, 0, 10, 6), "xpe.sem.take 6, a0"},
      {rType(0x7b, 2, 0, 0, 10, 2), "xpe.barrier 2, a0"},
      {rType(0x7b, 2, 1, 0, 10, 2), "xpe.barrier.hart 2, a0"},
      {rType(0x7b, 3, 0, 0, 0, 0), "xpe.fence"},
      {rType(0x7b, 3, 1, 0, 10, 11), "xpe.inval a0, a1"},
      {rType(0x7b, 4, 0, 10, 0, 9), "xpe.info a0, pe_stride"},
      {rType(0x7b, 4, 1, 10, 0, 2), "xpe.counter a0, dpe_busy"},
      {rType(0x7b, 7, 0, 0, 0, 0), "xpe.halt"},
  };
  std::set<Opcode> seen;
  for (const Example &example : examples) {
    EXPECT_EQ(disassemble(example.word), example.text);
    const std::optional<DecodedXpe> inst = decode(example.word);
    ASSERT_TRUE(inst) << example.text;
    EXPECT_EQ(encode(*inst), example.word) << example.text;
    seen.insert(inst->opcode);
  }
  EXPECT_EQ(seen.size(), opcodeCount) << "an instruction has no example";
}

TEST(Decoder, Engines) {
  EXPECT_EQ(instInfo(Opcode::DmaIn).engine, Engine::FiIn);
  EXPECT_EQ(instInfo(Opcode::DmaOut).engine, Engine::FiOut);
  EXPECT_EQ(instInfo(Opcode::DmaPrefetch).engine, Engine::FiIn);
  EXPECT_EQ(instInfo(Opcode::Mml).engine, Engine::Dpe);
  EXPECT_EQ(instInfo(Opcode::BankInit).engine, Engine::Re);
  EXPECT_EQ(instInfo(Opcode::Reduce).engine, Engine::Re);
  EXPECT_EQ(instInfo(Opcode::Drain).engine, Engine::Re);
  EXPECT_EQ(instInfo(Opcode::Se).engine, Engine::Se);
  EXPECT_EQ(instInfo(Opcode::RowTopk).engine, Engine::Se);
  EXPECT_EQ(instInfo(Opcode::MluTranspose).engine, Engine::Mlu);
  EXPECT_EQ(instInfo(Opcode::MluCopy).engine, Engine::Mlu);
  EXPECT_EQ(instInfo(Opcode::CbPush).engine, Engine::Cp);
  EXPECT_FALSE(instInfo(Opcode::CbPush).isCommand);
  EXPECT_TRUE(instInfo(Opcode::Se).isCommand);
}

TEST(Decoder, RoundTripOfRandomOperands) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allOpcodes()) {
    for (int i = 0; i < 1000; ++i) {
      const DecodedXpe inst = randomInst(opcode, random);
      const std::optional<uint32_t> word = encode(inst);
      ASSERT_TRUE(word) << instInfo(opcode).mnemonic;
      const std::optional<DecodedXpe> back = decode(*word);
      ASSERT_TRUE(back) << disassemble(*word);
      EXPECT_EQ(*back, inst) << disassemble(*word);
    }
  }
}

/// The bits of a word that hold an operand. Immediates with fewer values than
/// their part may have bits that are neither always legal nor always illegal;
/// `partial` marks those.
static void operandBits(Opcode opcode, uint32_t &free, uint32_t &partial) {
  const InstInfo &info = instInfo(opcode);
  free = partial = 0;
  free |= info.writesRd ? 31u << 7 : 0;
  free |= info.readsRs1 ? 31u << 15 : 0;
  free |= info.readsRs2 ? 31u << 20 : 0;
  const std::string name = info.mnemonic;
  if (info.isCommand || opcode == Opcode::Set || name.starts_with("xpe.cb.") ||
      opcode == Opcode::SemWait || opcode == Opcode::SemTake ||
      name.starts_with("xpe.barrier")) {
    free |= 31u << 20;
  }
  if (opcode == Opcode::Set) {
    free |= 15u << 25;
  }
  if (opcode == Opcode::Counter) {
    free |= 7u << 20;
  }
  if (opcode == Opcode::Info) {
    partial |= 15u << 20;
  }
}

TEST(Decoder, FlippedUnusedBitsAreRefused) {
  std::mt19937_64 random = makeRandom();
  for (Opcode opcode : allOpcodes()) {
    uint32_t free = 0;
    uint32_t partial = 0;
    operandBits(opcode, free, partial);
    for (int i = 0; i < 50; ++i) {
      const uint32_t word = *encode(randomInst(opcode, random));
      for (unsigned bit = 0; bit < 32; ++bit) {
        const uint32_t mask = 1u << bit;
        const std::optional<DecodedXpe> other = decode(word ^ mask);
        if (free & mask) {
          ASSERT_TRUE(other) << disassemble(word) << " bit " << bit;
          EXPECT_EQ(other->opcode, opcode);
        } else if (!(partial & mask)) {
          // Not this instruction any more: illegal, or another encoding.
          EXPECT_TRUE(!other || other->opcode != opcode)
              << disassemble(word) << " bit " << bit;
        }
      }
    }
  }
}

TEST(Decoder, InfoItemsAreBounded) {
  for (uint32_t which = 0; which < 32; ++which) {
    EXPECT_EQ(decode(rType(0x7b, 4, 0, 10, 0, which)).has_value(), which < 10);
    EXPECT_EQ(decode(rType(0x7b, 4, 1, 10, 0, which)).has_value(), which < 8);
  }
}

TEST(Decoder, RandomWordsRefuseOrReencode) {
  std::mt19937_64 random = makeRandom();
  const uint32_t majors[] = {0x0b, 0x2b, 0x5b, 0x7b};
  unsigned legal = 0;
  for (int i = 0; i < 1000000; ++i) {
    uint32_t word = static_cast<uint32_t>(random());
    word = (word & ~0x7fu) | majors[random() % 4];
    // Purely random words are nearly never legal: clear parts at random.
    const uint64_t clear = random();
    word &= (clear & 3) ? ~(31u << 7) : ~0u;
    word &= (clear & 12) ? ~(7u << 12) : ~0u;
    word &= (clear & 48) ? ~(0x70u << 25) : ~0u;
    word &= (clear & 192) == 0 ? ~(31u << 15) : ~0u;
    if (const std::optional<DecodedXpe> inst = decode(word)) {
      ++legal;
      ASSERT_EQ(encode(*inst), word) << disassemble(word);
    } else {
      ASSERT_TRUE(disassemble(word).starts_with(".word 0x"));
    }
  }
  EXPECT_GT(legal, 100000u);
  EXPECT_LT(legal, 900000u);
}

TEST(Decoder, OtherOpcodesAreNotXpe) {
  std::mt19937_64 random = makeRandom();
  for (uint32_t opcode = 0; opcode < 128; ++opcode) {
    if (opcode == 0x0b || opcode == 0x2b || opcode == 0x5b || opcode == 0x7b) {
      continue;
    }
    for (int i = 0; i < 1000; ++i) {
      const uint32_t word = *encode(
          randomInst(static_cast<Opcode>(random() % opcodeCount), random));
      EXPECT_FALSE(decode((word & ~0x7fu) | opcode));
    }
  }
  EXPECT_EQ(disassemble(0x00000013), ".word 0x00000013");
}

TEST(Decoder, EncodeRefusesOperands) {
  DecodedXpe inst;
  inst.opcode = Opcode::Set;
  inst.field = 16;
  EXPECT_FALSE(encode(inst));
  inst.field = 15;
  EXPECT_TRUE(encode(inst));
  inst.ctx = 32;
  EXPECT_FALSE(encode(inst));
  inst.ctx = 31;
  inst.rd = 1; // xpe.set has no destination
  EXPECT_FALSE(encode(inst));
  inst = {};
  inst.opcode = Opcode::Fence;
  EXPECT_TRUE(encode(inst));
  inst.cb = 1;
  EXPECT_FALSE(encode(inst));
  inst = {};
  inst.opcode = static_cast<Opcode>(opcodeCount);
  EXPECT_FALSE(encode(inst));
}
