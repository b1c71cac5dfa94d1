//===- SequentialOracle.h - Tile programs in order --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Executes a tile program one step after the other, PE after PE. A circular
// buffer is an endless stream here: nothing wraps, nothing overlaps, nothing
// takes time. What remains is the meaning of the program, the slots that it
// needs, and the list of operations of each hart.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_SEQUENTIALORACLE_H
#define CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_SEQUENTIALORACLE_H

#include "chips/ChipSpec.h"
#include "tests/diff/command_processor/TileProgram.h"

#include <string>
#include <vector>

namespace chipwright::test {

/// A range of a stream, by its end.
struct StreamEnd {
  uint8_t cb;
  uint64_t end;
};

/// One operation of one hart, in program order.
struct HartOperation {
  enum class Kind { Command, Push, Pop, Wait, Reserve, Phase };
  Kind kind;
  unsigned engine = 0;
  std::vector<StreamEnd> inputs, outputs;
  int bank = -1;
  uint8_t cb = 0;     // of the pointer that moves, of a wait
  uint64_t bytes = 0; // of the move; end of the range of a wait
  bool movesWriter = false, movesReader = false; // DMA
  unsigned mcast = 0; // as the command's field
  uint64_t mask = 0;
};

struct OracleResult {
  std::vector<uint8_t> out; // final contents of the output buffer
  /// By ring: most slots occupied at once, and the furthest that a command
  /// reached from a pointer, over all PEs.
  std::vector<unsigned> peakSlots, reachSlots;
  /// [PE][hart]
  std::vector<std::array<std::vector<HartOperation>, 2>> operations;
  uint64_t commands = 0;
  std::string error; // the program is not legal: a defect of the generator
};

/// \p in and \p out are the buffers' contents at the start.
OracleResult runSequentially(const TileProgram &program, const ChipSpec &spec,
                             const std::vector<uint8_t> &in,
                             const std::vector<uint8_t> &out);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_COMMAND_PROCESSOR_SEQUENTIALORACLE_H
