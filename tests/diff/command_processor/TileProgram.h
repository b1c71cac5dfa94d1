//===- TileProgram.h - Random sequential tile programs ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A tile program is one sequence of steps for all PEs of a grid, with loops
// whose trip counts stand in each PE's control record. Steps belong to hart 0
// (loads and scalars) or hart 1 (everything else); both harts run the loops.
// A region (loop body or whole program) leaves as many slots in every circular
// buffer as it found, so the sequence is legal whatever the counts are.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_TILEPROGRAM_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_TILEPROGRAM_H

#include "sim/pe/Command.h"
#include "tests/diff/command_processor/Random.h"

#include <array>
#include <cstdint>
#include <vector>

namespace chipwright::test {

struct Step {
  enum class Kind {
    Loop,    // body, as often as control word `control` says
    Command, // opcode, operands
    Push,    // `bytes` of `cb` by hart 1
    Pop,     // `bytes` of `cb` by hart 1
    Scalar,  // hart 0 hands control word `control` to hart 1 through `cb`
    Phase,   // all writes are done, then a barrier over both harts of all PEs
  };
  Kind kind;
  uint8_t hart = 1;
  isa::Opcode opcode{};
  sim::CommandOperands operands;
  uint8_t cb = 0;
  uint32_t bytes = 0;
  unsigned control = 0;
  /// Loop: hart 1 takes its count from the Scalar step before.
  bool countFromScalar = false;
  std::vector<Step> body;

  /// DMA: the address of execution n is control word `control` + n * stride.
  uint64_t stride = 0;
  /// DMA in: the control words after the address hold mode and mask fields.
  bool multicast = false;
  /// Number of this DMA statement, counted over the program.
  unsigned statement = 0;
};

/// Circular buffers of a program; slots of one buffer have one size.
struct RingUse {
  uint32_t slotBytes = 0;
};

/// Buffers outside the PEs.
struct MemoryPlan {
  uint64_t inBase = 0, inBytes = 0;
  uint64_t outBase = 0, outBytes = 0;
  uint64_t controlBase = 0;
};

struct TileProgram {
  unsigned rows = 1, cols = 1; // of PEs
  unsigned numPes() const { return rows * cols; }
  /// Ring 0 is for scalars; hart 0 fills rings below firstMiddle, hart 1 the
  /// others. Hart 1 empties all of them.
  std::vector<RingUse> rings;
  unsigned firstMiddle = 1;
  std::vector<Step> steps;
  unsigned statements = 0; // DMA
  MemoryPlan memory;
  /// Control record of each PE, 64-bit words.
  std::vector<std::vector<uint64_t>> control;
  unsigned recordBytes() const {
    return static_cast<unsigned>(control[0].size() * 8);
  }
};

/// What of the architecture a program must respect.
struct ProgramLimits {
  unsigned banks;
  unsigned maxPasses;
  unsigned kBytes; // of one matrix pass
  uint64_t sramScratchBytes;
};

inline constexpr uint8_t kScalarRing = 0;
inline constexpr unsigned kScalarBytes = 16;

TileProgram randomProgram(Random &random, const ProgramLimits &limits);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_TILEPROGRAM_H
