//===- DecoderDiffTest.cpp - Decoder against llvm-mc ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Words go through LLVM's disassembler and ours: text, and what is no
// instruction at all, must agree. LLVM refuses nonzero reserved fields of
// fence and fence.i, which the specification tells a hart to ignore, and knows
// privileged instructions that the hart does not have; those are left out.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Csr.h"
#include "sim/hart/Instruction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace chipwright::test {
namespace {

using namespace sim;

/// Disassembles \p words (16-bit ones have bits 1:0 other than 11); "" stands
/// for what LLVM does not know.
std::vector<std::string> llvmTexts(const std::vector<uint32_t> &words) {
  std::vector<std::string> texts(words.size());
  const char *directory = std::getenv("TMPDIR");
  std::string base =
      std::string(directory ? directory : "/tmp") + "/chipwright-XXXXXX";
  int fd = mkstemp(base.data());
  if (fd < 0) {
    ADD_FAILURE() << "no temporary file " << base;
    return texts;
  }
  close(fd);
  {
    std::ofstream input(base);
    for (uint32_t w : words) {
      // Brackets keep LLVM from decoding the rest of a word it refuses.
      input << fmt::format("[{:#x} {:#x}", w & 255, w >> 8 & 255);
      if ((w & 3) == 3) {
        input << fmt::format(" {:#x} {:#x}", w >> 16 & 255, w >> 24);
      }
      input << "]\n";
    }
  }
  std::string command = fmt::format(
      "{0} --disassemble -triple=riscv64 -mattr=+m,+a,+f,+d,+c,+zba "
      "-M no-aliases {1} >{1}.out 2>{1}.err",
      CHIPWRIGHT_LLVM_MC, base);
  // It exits with 1 if any word is refused.
  int status = std::system(command.c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1) << command;
  std::set<size_t> unknown;
  std::string line;
  for (std::ifstream errors(base + ".err"); std::getline(errors, line);) {
    // FILE:LINE:COLUMN: warning: invalid instruction encoding
    if (line.rfind(base + ":", 0) == 0) {
      unknown.insert(
          std::strtoull(line.c_str() + base.size() + 1, nullptr, 10));
    }
  }
  std::ifstream output(base + ".out");
  for (size_t i = 0; i < words.size(); ++i) {
    if (!unknown.count(i + 1)) {
      if (!std::getline(output, line)) {
        ADD_FAILURE() << "llvm-mc printed too little";
        break;
      }
      texts[i] = line;
    }
  }
  EXPECT_FALSE(std::getline(output, line)) << "llvm-mc printed too much";
  for (const char *suffix : {"", ".out", ".err"}) {
    unlink((base + suffix).c_str());
  }
  return texts;
}

/// Splits into words and numbers, so that spacing and number base do not
/// matter.
std::vector<std::string> tokens(std::string text) {
  for (char &c : text) {
    c = c == '\t' || c == ',' || c == '(' || c == ')' ? ' ' : c;
  }
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string token; stream >> token;) {
    char *end = nullptr;
    bool negative = token[0] == '-';
    uint64_t value = std::strtoull(token.c_str() + negative, &end, 0);
    if (*end == 0) {
      token = std::to_string(negative ? 0 - value : value);
    }
    result.push_back(token);
  }
  return result;
}

struct Entry {
  uint32_t match, mask;
};
const Entry table[] = {
#define HART_OP(NAME, MNEMONIC, FORMAT, MATCH, MASK) {MATCH, MASK},
#include "sim/hart/Ops.def"
};

TEST(HartDiff, DisassemblyOfEveryOpAgreesWithLlvm) {
  std::mt19937_64 random(1);
  std::vector<uint32_t> words;
  for (unsigned i = 0; i < std::size(table); ++i) {
    OpFormat format = opFormat(Op(i));
    for (unsigned k = 0; k < 100; ++k) {
      uint32_t free = ~table[i].mask;
      if (format == OpFormat::Fence) {
        free = 0x0ff00000;
      } else if (Op(i) == Op::FenceI) {
        free = 0;
      }
      uint32_t word = table[i].match | (uint32_t(random()) & free);
      if (format == OpFormat::Csr || format == OpFormat::CsrI) {
        // LLVM has names for CSRs that the hart does not have.
        constexpr uint32_t csrs[] = {CsrFflags, CsrFcsr, CsrMtvec, CsrMhartid,
                                     CsrCycle};
        word = (word & 0xfffff) | csrs[k % std::size(csrs)] << 20;
      }
      words.push_back(word);
    }
  }
  std::vector<std::string> texts = llvmTexts(words);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string ours = disassemble(words[i], 0);
    if (texts[i].empty()) {
      EXPECT_EQ(decode(words[i]).op, Op::Illegal)
          << fmt::format("{:#x}: ", words[i]) << ours;
    } else {
      EXPECT_EQ(tokens(ours), tokens(texts[i]))
          << fmt::format("{:#x}: ", words[i]) << ours << " | " << texts[i];
    }
  }
}

TEST(HartDiff, EveryHalfwordDecodesAsLlvmDoes) {
  std::vector<uint32_t> words;
  for (uint32_t half = 1; half < 0x10000; ++half) {
    if ((half & 3) != 3) {
      words.push_back(half);
    }
  }
  std::vector<std::string> texts = llvmTexts(words);
  for (size_t i = 0; i < words.size(); ++i) {
    DecodedOp d = decode(words[i]);
    std::string name = texts[i].empty() ? "" : tokens(texts[i])[0];
    // LLVM's names for hints: c.nop with an operand, shifts by 0.
    if (name == "c.nop") {
      name = "c.addi";
    } else if (name.size() > 2 && name.substr(name.size() - 2) == "64") {
      name.resize(name.size() - 2);
    }
    EXPECT_EQ(d.op == Op::Illegal ? "" : cFormName(d.form), name)
        << fmt::format("{:#x}: ", words[i]) << texts[i];
  }
}

TEST(HartDiff, RandomWordsAreLegalAsInLlvm) {
  std::mt19937_64 random(2);
  std::vector<uint32_t> words;
  while (words.size() < 100000) {
    uint32_t word = uint32_t(random()) | 3;
    uint32_t opcode = word & 0x7f, f3 = word >> 12 & 7;
    bool custom =
        opcode == 0x0b || opcode == 0x2b || opcode == 0x5b || opcode == 0x7b;
    bool fence = opcode == 0x0f, system = opcode == 0x73 && f3 == 0;
    if (!custom && !fence && !system) {
      words.push_back(word);
    }
  }
  std::vector<std::string> texts = llvmTexts(words);
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(decode(words[i]).op == Op::Illegal, texts[i].empty())
        << fmt::format("{:#x}: ", words[i]) << texts[i];
  }
}

} // namespace
} // namespace chipwright::test
