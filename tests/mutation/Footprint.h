//===- Footprint.h - What a command reads and writes ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Derived from the manual's description of the fields, apart from the
// simulator: bytes of CB streams, accumulator banks, memory, pointer moves.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_MUTATION_FOOTPRINT_H
#define CHIPWRIGHT_TESTS_MUTATION_FOOTPRINT_H

#include "chips/ChipSpec.h"
#include "dialects/isa/Xpe.h"

#include <array>
#include <cstdint>
#include <vector>

namespace chipwright::test {

/// One command as it was issued, with the pointers of the CBs at that time.
struct IssuedCommand {
  unsigned pe = 0, hart = 0;
  uint64_t number = 0; // in program order of the hart
  isa::Opcode opcode{};
  std::array<uint64_t, isa::fieldCount> fields{};
  uint64_t word = 0;
  struct Pointers {
    uint64_t reader, writer; // logical, bytes since setup
  };
  std::vector<Pointers> pointers; // by CB
};

struct StreamRange {
  unsigned cb;
  uint64_t begin, bytes;
};
struct MemoryRange {
  uint64_t begin, bytes;
};
struct PointerMove {
  unsigned cb;
  bool write;
  uint64_t bytes;
  bool operator==(const PointerMove &) const = default;
};

struct Footprint {
  bool legal = true; // fields decode
  std::vector<StreamRange> reads, writes;
  std::vector<MemoryRange> memoryReads, memoryWrites;
  std::vector<PointerMove> moves;
  int bank = -1;
  bool readsBank = false, writesBank = false;
  unsigned bankRows = 0, bankCols = 0;
};

Footprint footprintOf(const IssuedCommand &command, const ChipSpec &spec);

/// \returns why slice \p name of the command decides nothing under the other
/// fields ("y1 is not used"), or null if it may.
const char *whyDead(const IssuedCommand &command, const char *name);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_MUTATION_FOOTPRINT_H
