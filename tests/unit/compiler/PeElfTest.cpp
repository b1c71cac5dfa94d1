//===- PeElfTest.cpp - What stands in the ELF files of pe programs --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "PeRun.h"

#include "compiler/PeToElf.h"
#include "dialects/isa/Xpe.h"
#include "runtime/KernelBuild.h"

#include <gmock/gmock.h>

#include <elf.h>
#include <map>

using namespace chipwright;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

using Bytes = std::vector<uint8_t>;

template <typename T> T readAt(const Bytes &bytes, size_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) {
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
  }
  return value;
}

struct Section {
  Elf64_Shdr header;
  Bytes bytes;
};

std::map<std::string, Section> sectionsOf(const Bytes &elf) {
  auto header = readAt<Elf64_Ehdr>(elf, 0);
  auto at = [&](unsigned i) {
    return readAt<Elf64_Shdr>(elf, header.e_shoff + i * sizeof(Elf64_Shdr));
  };
  std::map<std::string, Section> result;
  uint64_t names = at(header.e_shstrndx).sh_offset;
  for (unsigned i = 1; i < header.e_shnum; ++i) {
    Elf64_Shdr section = at(i);
    const char *name =
        reinterpret_cast<const char *>(elf.data()) + names + section.sh_name;
    auto begin = elf.begin() + static_cast<ptrdiff_t>(section.sh_offset);
    result[name] = {section,
                    {begin, begin + static_cast<ptrdiff_t>(section.sh_size)}};
  }
  return result;
}

Result<Bytes> compile(const std::string &text,
                      const std::vector<std::string> &sets = {}) {
  return compilePeText(chipForTest("mtia-2i", sets).spec, text, "t.mlir");
}

/// A module whose hart 0 does \p body and whose hart 1 does nothing.
std::string moduleOf(const std::string &body) {
  return "func.func @kernel_load(%args: i64) {\n" + body +
         "\n  return\n}\nfunc.func @kernel_compute(%args: i64) {\n  "
         "return\n}\n";
}

std::string errorOf(const std::string &text,
                    const std::vector<std::string> &sets = {}) {
  Result<Bytes> elf = compile(text, sets);
  EXPECT_FALSE(bool(elf));
  if (elf) {
    return "";
  }
  EXPECT_EQ(elf.error().exitStatus, ExitBadInput);
  return elf.error().message;
}

TEST(PeElf, CommandsAreListedWithTheirTags) {
  Result<Bytes> elf = compile(kernelText("gemm.mlir"));
  ASSERT_TRUE(bool(elf)) << elf.error().message;
  std::map<std::string, Section> sections = sectionsOf(*elf);
  ASSERT_TRUE(sections.count(".text"));
  ASSERT_TRUE(sections.count(".chipwright.ops"));
  ASSERT_TRUE(sections.count(".chipwright.tags"));
  const Section &text = sections[".text"], &ops = sections[".chipwright.ops"];
  EXPECT_EQ(text.header.sh_addr, 0x40000000u);
  // Not loaded.
  EXPECT_FALSE(ops.header.sh_flags & SHF_ALLOC);
  EXPECT_FALSE(sections[".chipwright.tags"].header.sh_flags & SHF_ALLOC);

  std::vector<std::string> tags;
  const Bytes &names = sections[".chipwright.tags"].bytes;
  for (size_t begin = 0; begin < names.size();) {
    tags.emplace_back(reinterpret_cast<const char *>(names.data()) + begin);
    begin += tags.back().size() + 1;
  }
  EXPECT_THAT(tags,
              testing::UnorderedElementsAre("gemm.a", "gemm.b", "gemm.mml",
                                            "gemm.drain", "gemm.out"));

  // Every entry is the address of a command, and every command has an entry.
  std::map<std::string, isa::Opcode> expected = {
      {"gemm.a", isa::Opcode::DmaIn},
      {"gemm.b", isa::Opcode::DmaIn},
      {"gemm.mml", isa::Opcode::Mml},
      {"gemm.drain", isa::Opcode::Drain},
      {"gemm.out", isa::Opcode::DmaOut}};
  std::map<uint64_t, std::string> byPc;
  ASSERT_EQ(ops.bytes.size() % 12, 0u);
  for (size_t at = 0; at < ops.bytes.size(); at += 12) {
    auto number = readAt<uint32_t>(ops.bytes, at + 8);
    ASSERT_LT(number, tags.size());
    byPc[readAt<uint64_t>(ops.bytes, at)] = tags[number];
  }
  size_t commands = 0;
  for (uint64_t offset = 0; offset + 4 <= text.bytes.size();) {
    auto word = readAt<uint32_t>(text.bytes, offset);
    auto inst = (word & 3) == 3 ? isa::decode(word) : std::nullopt;
    if (inst && isa::instInfo(inst->opcode).isCommand) {
      ++commands;
      uint64_t pc = text.header.sh_addr + offset;
      ASSERT_TRUE(byPc.count(pc)) << pc;
      EXPECT_EQ(inst->opcode, expected[byPc[pc]]);
    }
    offset += (word & 3) == 3 ? 4 : 2;
  }
  EXPECT_EQ(commands, byPc.size());
  EXPECT_EQ(commands, 2u + 32 + 4 + 1);
}

TEST(PeElf, EqualTextGivesEqualBytes) {
  Result<Bytes> one = compile(kernelText("gemm.mlir"));
  Result<Bytes> other = compile(kernelText("gemm.mlir"));
  ASSERT_TRUE(one && other);
  EXPECT_EQ(*one, *other);
  // The chip's contexts are part of the code.
  Result<Bytes> without = compile(kernelText("gemm.mlir"), {"cp.contexts=0"});
  ASSERT_TRUE(bool(without));
  EXPECT_NE(*one, *without);
}

TEST(PeElf, KernelsLoadWithTheirFunctions) {
  Result<Bytes> elf = compile(moduleOf("  pe.mlu_copy {rows = 1}"));
  ASSERT_TRUE(bool(elf)) << elf.error().message;
  Result<sim::KernelImage> image = loadKernel(*elf, "t");
  ASSERT_TRUE(bool(image)) << image.error().message;
  EXPECT_EQ(image->entry, 0x40000000u);
  std::vector<std::string> names;
  for (const auto &[address, name] : image->functions) {
    names.push_back(name);
  }
  EXPECT_THAT(names, testing::IsSupersetOf(
                         {"_start", "kernel_load", "kernel_compute"}));
  // Labels of commands would hide the functions in messages and traces.
  EXPECT_THAT(names, testing::Each(testing::Not(StartsWith(".L"))));
}

TEST(PeElf, ErrorsNameThePlace) {
  EXPECT_THAT(errorOf(moduleOf("  pe.mlu_copy {rows = 65536}")),
              StartsWith("t.mlir:2:3: 'pe.mlu_copy' op constant 65536 does "
                         "not fit slice 'rows'"));
  EXPECT_THAT(errorOf("pe.mlu_copy {"), StartsWith("t.mlir:1:"));
  EXPECT_THAT(errorOf(""), HasSubstr("the module has no function kernel_load"));
  EXPECT_THAT(errorOf("func.func private @f()\n" +
                      moduleOf("  func.call @f() : () -> ()")),
              StartsWith("t.mlir:3:3: 'func.call' op calls 'f', which the "
                         "module does not define"));
  EXPECT_THAT(errorOf(std::string("\0\xff", 2)), HasSubstr("t.mlir"));
}

TEST(PeElf, MissingInstructionsAreUndefinedFunctions) {
  const std::string text = moduleOf(R"(
  %n = pe.arg %args[0] : i64
  %m = pe.arg %args[8] : i64
  %q = arith.divui %n, %m : i64
  pe.mlu_copy {rows = %q})");
  EXPECT_TRUE(bool(compile(text)));
  // Without M a division is a call that nothing answers.
  EXPECT_THAT(errorOf(text, {"hart.isa=rv64ic"}),
              HasSubstr("'__udivdi3' in kernel_load"));
}

TEST(PeElf, MissingFiles) {
  ResolvedChip chip = chipForTest("mtia-2i");
  for (const char *path : {"/nowhere/k.mlir", "/tmp"}) {
    Result<Bytes> elf = compilePeFile(chip.spec, path);
    ASSERT_FALSE(bool(elf)) << path;
    EXPECT_EQ(elf.error().exitStatus, ExitBadInput);
    EXPECT_THAT(elf.error().message, StartsWith(path));
  }
}

} // namespace
