//===- TestSupport.cpp - Helpers of the instruction set tests -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/unit/isa/TestSupport.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace chipwright::isa::test {

std::mt19937_64 makeRandom() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  const uint64_t seed =
      given ? std::strtoull(given, nullptr, 0) : std::random_device()();
  std::printf("CHIPWRIGHT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return std::mt19937_64(seed);
}

std::vector<Opcode> allOpcodes() {
  std::vector<Opcode> result;
  for (unsigned i = 0; i < opcodeCount; ++i) {
    result.push_back(static_cast<Opcode>(i));
  }
  return result;
}

std::vector<Opcode> allCommands() {
  std::vector<Opcode> result;
  for (Opcode opcode : allOpcodes()) {
    if (instInfo(opcode).isCommand) {
      result.push_back(opcode);
    }
  }
  return result;
}

DecodedXpe randomInst(Opcode opcode, std::mt19937_64 &random) {
  const InstInfo &info = instInfo(opcode);
  auto below = [&](unsigned limit) {
    return static_cast<uint8_t>(random() % limit);
  };
  DecodedXpe inst;
  inst.opcode = opcode;
  inst.rd = info.writesRd ? below(32) : 0;
  inst.rs1 = info.readsRs1 ? below(32) : 0;
  inst.rs2 = info.readsRs2 ? below(32) : 0;
  // The operands that stand in the rs2 and funct7 parts, written from the
  // contract and not from the tables under test.
  const std::string name = info.mnemonic;
  if (info.isCommand || opcode == Opcode::Set) {
    inst.ctx = below(32);
  }
  if (opcode == Opcode::Set) {
    inst.field = below(16);
  }
  if (name.starts_with("xpe.cb.")) {
    inst.cb = below(32);
  }
  if (opcode == Opcode::SemWait || opcode == Opcode::SemTake) {
    inst.sem = below(32);
  }
  if (name.starts_with("xpe.barrier")) {
    inst.id = below(32);
  }
  if (opcode == Opcode::Info) {
    inst.which = below(10);
  }
  if (opcode == Opcode::Counter) {
    inst.which = below(8);
  }
  return inst;
}

void randomCommand(Opcode opcode, std::mt19937_64 &random,
                   uint64_t (&fieldValues)[fieldCount], uint64_t &word) {
  for (uint64_t &value : fieldValues) {
    value = 0;
  }
  word = 0;
  for (const SliceInfo &slice : slices(opcode)) {
    const uint64_t mask =
        slice.width == 64 ? ~uint64_t(0) : (uint64_t(1) << slice.width) - 1;
    uint64_t value = random() & mask;
    if (slice.codeNames) {
      value %= slice.codeCount;
    }
    if (slice.termLo >= 0) {
      const uint64_t termMask = slice.termWidth == 64
                                    ? ~uint64_t(0)
                                    : (uint64_t(1) << slice.termWidth) - 1;
      // value + term <= mask
      uint64_t term = random() & termMask;
      if (term > mask - value) {
        term = mask - value;
      }
      word |= (term & termMask) << slice.termLo;
    }
    fieldValues[slice.field] |= value << slice.lo;
  }
}

ScratchFolder::ScratchFolder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "chipwright-isa-XXXXXX")
          .string();
  if (!mkdtemp(pattern.data())) {
    throw std::runtime_error("cannot create " + pattern);
  }
  folder = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void writeFile(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

CommandResult runShell(const std::string &command) {
  CommandResult result;
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) {
    throw std::runtime_error("cannot run " + command);
  }
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    result.output.append(buffer, count);
  }
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

} // namespace chipwright::isa::test
