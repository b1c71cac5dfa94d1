//===- TestSupport.h - Helpers of the instruction set tests -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_ISA_TESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_ISA_TESTSUPPORT_H

#include "dialects/isa/Xpe.h"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace chipwright::isa::test {

/// A generator seeded by CHIPWRIGHT_SEED or by chance; prints its seed.
std::mt19937_64 makeRandom();

std::vector<Opcode> allOpcodes();
std::vector<Opcode> allCommands();

/// \returns a legal instruction of \p opcode with random operands.
DecodedXpe randomInst(Opcode opcode, std::mt19937_64 &random);

/// Fills the fields of \p opcode with random legal slices and leaves room for
/// the terms of \p word, which is also random and legal.
void randomCommand(Opcode opcode, std::mt19937_64 &random,
                   uint64_t (&fields)[fieldCount], uint64_t &word);

/// A folder that is removed with its contents at the end of the scope.
class ScratchFolder {
public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

  std::string path(const std::string &file) const {
    return (folder / file).string();
  }

private:
  std::filesystem::path folder;
};

void writeFile(const std::string &path, const std::string &text);
std::string readFile(const std::string &path);

struct CommandResult {
  int status = -1;
  /// stdout and stderr.
  std::string output;
};
/// Runs a shell command.
CommandResult runShell(const std::string &command);

} // namespace chipwright::isa::test

#endif // CHIPWRIGHT_TESTS_UNIT_ISA_TESTSUPPORT_H
