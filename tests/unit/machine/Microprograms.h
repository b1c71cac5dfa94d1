//===- Microprograms.h - Programs with predicted cycles ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Each function builds a program of a few instructions for a chip and says,
// from the chip's values alone, how many cycles it takes. The derivation
// stands above the arithmetic. Times count from the start of the PE's harts;
// T is the cycle in which an instruction issues, E the one in which a command
// leaves check-and-dispatch: E = T + cp.launch_cycles + cp.dispatch_cycles.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MACHINE_MICROPROGRAMS_H
#define CHIPWRIGHT_TESTS_UNIT_MACHINE_MICROPROGRAMS_H

#include "tests/support/HartProgram.h"
#include "tests/support/MicroMachine.h"

#include <utility>
#include <vector>

namespace chipwright::test {

using sim::Cycle;

/// A program and the cycles that it must take.
struct Micro {
  explicit Micro(const ChipSpec &spec) : program(spec) {}

  HartProgram program;
  unsigned rows = 1, cols = 1;
  bool writeBack = false;
  /// The prediction is of JobResult::cycles, not of kernelCycles.
  bool wholeLaunch = false;
  Cycle cycles = 0;
};

using MicroBuilder = Micro (*)(const ChipSpec &);

/// Local time of a hart while its code is written: straight-line code adds its
/// issue cost, at a wait the test says when the hart goes on.
class HartClock {
public:
  HartClock(const ChipSpec &spec, const HartCode &code)
      : spec(spec), code(code), base(HartProgram::prologueCycles(spec)) {}

  Cycle now() const { return base + code.cost().cycles(spec) - passed; }
  /// The next instruction issues at \p cycle.
  void goOn(Cycle cycle) {
    base = cycle;
    passed = code.cost().cycles(spec);
  }

private:
  const ChipSpec &spec;
  const HartCode &code;
  Cycle base, passed = 0;
};

// Memory programs of more than one piece need a chip with one memory unit,
// so that all pieces take the same way.
Sets oneUnit();
/// The same on a mesh.
Sets oneUnitMesh();

//===----------------------------------------------------------------------===//
// Common terms of the derivations
//===----------------------------------------------------------------------===//

/// Control core to PE.
Cycle controlLatency(const ChipSpec &spec, unsigned row, unsigned col);
/// Kernel cycles if the PEs of the job finish at these times, each counted
/// from the start of that PE: a PE starts later by its distance, its message
/// of completion travels back, and the last one counts.
struct PeFinish {
  unsigned row, col;
  Cycle at;
};
Cycle kernelCycles(const ChipSpec &spec, const std::vector<PeFinish> &pes);
/// The same for a job of PE 0,0 alone.
Cycle kernelCycles(const ChipSpec &spec, Cycle finish);
/// E of the command that issues at \p issue.
Cycle eligible(const ChipSpec &spec, Cycle issue);
/// An engine that would take \p duration alone, but moves \p bytes through
/// local memory.
Cycle bounded(const ChipSpec &spec, Cycle duration, uint64_t bytes);
/// One control packet between a PE and a memory unit: wires and crossbar.
Cycle wayToUnit(const ChipSpec &spec, unsigned unit, unsigned row,
                unsigned col);
/// Between two PEs.
Cycle wayBetween(const ChipSpec &spec, unsigned rows, unsigned cols);
/// Memory unit of an SRAM address.
unsigned sramUnit(const ChipSpec &spec, uint64_t address);
/// From the request of one piece of \p bytes of SRAM at unit \p unit to its
/// last byte in the local memory of PE 0,0; nothing else under way.
Cycle sramReadLatency(const ChipSpec &spec, unsigned unit, uint64_t bytes);

//===----------------------------------------------------------------------===//
// Harts (HartPrograms.cpp)
//===----------------------------------------------------------------------===//

Micro emptyKernel(const ChipSpec &spec);
Micro wholeLaunch(const ChipSpec &spec);
Micro hartArithmetic(const ChipSpec &spec);
Micro fieldWrites(const ChipSpec &spec);
Micro queueCredit(const ChipSpec &spec);
Micro cbHandOver(const ChipSpec &spec);
Micro dataCacheStream(const ChipSpec &spec);
Micro dataCacheReuse(const ChipSpec &spec);
Micro dataCacheConflict(const ChipSpec &spec);
Micro instructionCache(const ChipSpec &spec);

//===----------------------------------------------------------------------===//
// Engines (EnginePrograms.cpp)
//===----------------------------------------------------------------------===//

Micro mluCopy(const ChipSpec &spec);
Micro mluTranspose(const ChipSpec &spec);
Micro simdChain(const ChipSpec &spec);
Micro simdReciprocal(const ChipSpec &spec);
Micro rowTopk(const ChipSpec &spec);
Micro matrixPass(const ChipSpec &spec);
Micro matrixPassInt8(const ChipSpec &spec);
Micro matrixPassTf32(const ChipSpec &spec);
Micro matrixLoadBound(const ChipSpec &spec);
Micro matrixShortPasses(const ChipSpec &spec);
Micro matrixDrain(const ChipSpec &spec);
Micro bankPreload(const ChipSpec &spec);
Micro localContention(const ChipSpec &spec);

//===----------------------------------------------------------------------===//
// DMA (DmaPrograms.cpp)
//===----------------------------------------------------------------------===//

Micro dmaOnePiece(const ChipSpec &spec);
Micro dmaStream(const ChipSpec &spec);
Micro dmaStore(const ChipSpec &spec);
Micro dmaWindow(const ChipSpec &spec);
Micro dmaShaping(const ChipSpec &spec);
Micro dmaHost(const ChipSpec &spec);
Micro dmaStrided(const ChipSpec &spec);

//===----------------------------------------------------------------------===//
// Several PEs (GridPrograms.cpp); grids of at least 2 x 2
//===----------------------------------------------------------------------===//

Micro gridBarrier(const ChipSpec &spec);
Micro gridSemaphore(const ChipSpec &spec);
Micro gridReduce(const ChipSpec &spec);
Micro gridMulticast(const ChipSpec &spec);
Micro gridNeighbourRead(const ChipSpec &spec);
Micro gridTrains(const ChipSpec &spec);
Micro gridMulticastCommands(const ChipSpec &spec);

//===----------------------------------------------------------------------===//
// DRAM (Dram*Programs.cpp): one channel whose command clock is the PE clock
//===----------------------------------------------------------------------===//

/// 1 x 1 PE, one channel, no cache, no code, refresh far away, tCK = 1 cycle.
Sets dramChip();

Micro dramRead(const ChipSpec &spec);
Micro dramPairConflict(const ChipSpec &spec);
Micro dramLongConflict(const ChipSpec &spec);
Micro dramPairNeighbour(const ChipSpec &spec);
Micro dramPairGroup(const ChipSpec &spec);
Micro dramPairRow(const ChipSpec &spec);
Micro dramFiveBanks(const ChipSpec &spec);
Micro dramTwoStreams(const ChipSpec &spec);
Micro dramWrite(const ChipSpec &spec);
Micro dramWriteAck(const ChipSpec &spec);
Micro dramWriteThenReadShort(const ChipSpec &spec);
Micro dramWriteThenReadLong(const ChipSpec &spec);
Micro dramReadThenWrite(const ChipSpec &spec);
Micro dramDrain(const ChipSpec &spec);
Micro dramRefresh(const ChipSpec &spec);
Micro dramRefreshOpen(const ChipSpec &spec);
Micro dramWriteThenConflict(const ChipSpec &spec);
Micro dramClock(const ChipSpec &spec);
Micro dramCacheWays(const ChipSpec &spec);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_UNIT_MACHINE_MICROPROGRAMS_H
