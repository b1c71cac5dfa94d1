//===- RandomProgram.h - Random RISC-V programs -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A program is a list of sequences. Each loads all registers with special and
// random values, executes a body of random instructions, and writes all
// registers, fcsr and, now and then, the data area to standard output with a
// Linux system call. The body has forward branches and jumps only, so that it
// ends.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_HART_RANDOMPROGRAM_H
#define CHIPWRIGHT_TESTS_DIFF_HART_RANDOMPROGRAM_H

#include <cstdint>
#include <vector>

namespace chipwright::test {

/// Memory map of a random program.
constexpr uint64_t textBase = 0x10000000;
constexpr uint64_t dataBase = 0x20000000;
constexpr unsigned tableEntries = 4096; // special values, 8 bytes each
constexpr unsigned tableBytes = tableEntries * 8;
constexpr uint64_t dumpBase = dataBase + tableBytes;
constexpr unsigned stateBytes = 66 * 8; // x0-x31, f0-f31, fcsr, padding
constexpr unsigned arenaBytes = 4096;   // what the body loads and stores
constexpr uint64_t arenaBase = dumpBase + stateBytes;
constexpr unsigned dataBytes = tableBytes + stateBytes + arenaBytes;

struct SequenceInfo {
  uint64_t firstPc, endPc;            // the body
  uint64_t outputOffset, outputBytes; // its record in the output
};

struct RandomProgram {
  std::vector<uint8_t> text, data; // at textBase and dataBase; entry textBase
  std::vector<SequenceInfo> sequences;
  uint64_t bodyInstructions = 0; // generated; branches skip some of them

  /// \returns a static ELF64 executable.
  std::vector<uint8_t> elf() const;
};

/// Generates \p sequences bodies of about \p bodyItems random instructions.
RandomProgram generateProgram(uint64_t seed, unsigned sequences,
                              unsigned bodyItems);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_HART_RANDOMPROGRAM_H
