//===- ElfImageTest.cpp - What the program reader accepts and refuses -----===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/ElfImage.h"
#include "tests/unit/hart/TestElf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace chipwright::test {
namespace {

using namespace sim;
using testing::HasSubstr;

constexpr ElfImage::Range ram{0x80000000, 0x10000};

TestElf goodElf() {
  TestElf elf;
  elf.addText(0x80000000, {0x13, 0x6f});
  elf.addSegment(0x80001000, {1, 2, 3, 4}, PF_R | PF_W, 64);
  elf.symbols = {{"main", 0x80000000, 4, true},
                 {"loop", 0x80000004, 4, true},
                 {"counter", 0x80001000, 4, false}};
  elf.note = {9, 8, 7};
  return elf;
}

std::string refusal(const std::vector<uint8_t> &bytes) {
  ElfImage image;
  std::string error;
  bool accepted = ElfImage::parse(bytes, "k.elf", ram, image, error);
  EXPECT_EQ(accepted, error.empty());
  return error;
}

TEST(ElfImage, ReadsAProgram) {
  ElfImage image;
  std::string error;
  ASSERT_TRUE(ElfImage::parse(goodElf().write(), "k.elf", ram, image, error))
      << error;
  EXPECT_EQ(image.entry(), 0x80000000u);
  ASSERT_EQ(image.segments().size(), 2u);
  EXPECT_TRUE(image.segments()[0].executable);
  EXPECT_FALSE(image.segments()[0].writable);
  EXPECT_EQ(image.segments()[1].memoryBytes, 64u);
  EXPECT_EQ(image.segments()[1].data, (std::vector<uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(image.symbolAddress("counter"), 0x80001000u);
  EXPECT_EQ(image.symbolAddress("nothing"), std::nullopt);
  EXPECT_EQ(image.describePc(0x80000000), "main");
  EXPECT_EQ(image.describePc(0x80000006), "loop+0x2");
  EXPECT_EQ(image.describePc(0x80000008), "");
  ASSERT_NE(image.section(".chipwright.note"), nullptr);
  EXPECT_EQ(*image.section(".chipwright.note"),
            (std::vector<uint8_t>{9, 8, 7}));
  EXPECT_EQ(image.section(".text"), nullptr);
  auto text = image.decodeText();
  EXPECT_EQ(text->base(), 0x80000000u);
  EXPECT_EQ(text->halfwords(), 4u);
  EXPECT_EQ(text->ops()[2].op, Op::Jal);
}

TEST(ElfImage, RefusesWithOneSentence) {
  struct Case {
    std::function<void(TestElf &)> spoil;
    const char *says;
  };
  const Case cases[] = {
      {[](TestElf &e) { e.header.e_ident[0] = 'M'; }, "ELF mark"},
      {[](TestElf &e) { e.header.e_ident[EI_CLASS] = ELFCLASS32; }, "class"},
      {[](TestElf &e) { e.header.e_ident[EI_DATA] = ELFDATA2MSB; }, "order"},
      {[](TestElf &e) { e.header.e_version = 2; }, "version"},
      {[](TestElf &e) { e.header.e_machine = EM_X86_64; }, "machine"},
      {[](TestElf &e) { e.header.e_type = ET_DYN; }, "-no-pie"},
      {[](TestElf &e) { e.header.e_type = ET_REL; }, "link the object"},
      {[](TestElf &e) { e.header.e_flags = 8; }, "RV64E"},
      {[](TestElf &e) { e.header.e_phentsize = 32; }, "program headers"},
      {[](TestElf &e) { e.segments.clear(); }, "program headers"},
      {[](TestElf &e) { e.segments[1].p_type = PT_INTERP; }, "dynamic"},
      {[](TestElf &e) { e.segments[1].p_type = PT_DYNAMIC; }, "dynamic"},
      {[](TestElf &e) { e.segments[1].p_type = PT_TLS; }, "thread-local"},
      {[](TestElf &e) { e.segments[1].p_memsz = 2; }, "must not be larger"},
      {[](TestElf &e) { e.segments[1].p_filesz = 1 << 20; },
       "must not be larger"},
      {[](TestElf &e) {
         e.segments[1].p_filesz = e.segments[1].p_memsz = 1 << 15;
       },
       "truncated"},
      {[](TestElf &e) { e.segments[1].p_vaddr = 0x7ffff000; }, "memory is"},
      {[](TestElf &e) { e.segments[1].p_vaddr = 0x8000ffff; }, "memory is"},
      {[](TestElf &e) { e.segments[1].p_memsz = ~uint64_t(0); }, "memory is"},
      {[](TestElf &e) { e.segments[1].p_vaddr = 0x80000004; }, "overlap"},
      {[](TestElf &e) { e.segments[0].p_flags = PF_R; }, "no executable"},
      {[](TestElf &e) { e.segments[0].p_vaddr += 1; }, "odd"},
      {[](TestElf &e) { e.header.e_entry += 1; }, "entry point"},
      {[](TestElf &e) { e.header.e_entry = 0x80001000; }, "entry point"},
      {[](TestElf &e) { e.header.e_shentsize = 8; }, "section headers"},
  };
  for (const Case &c : cases) {
    TestElf elf = goodElf();
    c.spoil(elf);
    std::string error = refusal(elf.write());
    EXPECT_THAT(error, HasSubstr(c.says));
    EXPECT_THAT(error, testing::StartsWith("k.elf: "));
  }
}

TEST(ElfImage, EveryTruncationIsRefused) {
  std::vector<uint8_t> whole = goodElf().write();
  EXPECT_EQ(refusal(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal({whole.begin(), whole.begin() + long(size)}), "") << size;
  }
}

TEST(ElfImage, NoByteChangeCrashes) {
  // Some changes are harmless; none may read out of bounds (the sanitizer
  // build sees that) or give a program outside its memory.
  std::vector<uint8_t> whole = goodElf().write();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (uint8_t value : {0x00, 0x7f, 0x80, 0xff}) {
      std::vector<uint8_t> bytes = whole;
      bytes[i] = value;
      ElfImage image;
      std::string error;
      if (ElfImage::parse(bytes, "k.elf", ram, image, error)) {
        for (const ElfSegment &segment : image.segments()) {
          EXPECT_GE(segment.address, ram.base);
          EXPECT_LE(segment.end(), ram.base + ram.size);
        }
        image.decodeText();
        image.describePc(0x80000004);
      }
    }
  }
}

TEST(ElfImage, MissingFile) {
  ElfImage image;
  std::string error;
  EXPECT_FALSE(ElfImage::read("/nonexistent/k.elf", ram, image, error));
  EXPECT_THAT(error, HasSubstr("/nonexistent/k.elf"));
}

} // namespace
} // namespace chipwright::test
