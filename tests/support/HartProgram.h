//===- HartProgram.h - Programs with a known issue cost ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Programs of a few instructions for tests that predict cycles exactly. They
// are assembled here, word by word, because what a compiler makes of C may
// change from one version to the next. HartCode counts what it emits by kind,
// so that a test can say when a straight line of code reaches a point:
//
//   one-cycle instructions + field writes * max(1, cp.write_cycles)
//                          + issues       * max(1, cp.launch_cycles).
//
// The image starts with a jump table by PE and hart. Every hart of every PE
// passes it in the same time, prologueCycles().
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_SUPPORT_HARTPROGRAM_H
#define CHIPWRIGHT_TESTS_SUPPORT_HARTPROGRAM_H

#include "chips/ChipSpec.h"
#include "dialects/isa/Xpe.h"
#include "sim/machine/Job.h"

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace chipwright::test {

/// Time of straight-line code, by kind of instruction.
struct IssueCost {
  unsigned plain = 0;  // one cycle each
  unsigned writes = 0; // xpe.set
  unsigned issues = 0; // commands, CB, semaphore operations

  /// Cycles from the first instruction to the one after the last.
  sim::Cycle cycles(const ChipSpec &spec) const;
};

/// The code of one hart.
class HartCode {
public:
  // Registers that constants and waits may use; the rest is the program's.
  static constexpr unsigned kValue = 5, kOther = 6;

  /// An instruction that takes one cycle and whose result is there in the
  /// next.
  HartCode &plain(uint32_t word);
  /// An instruction whose time the test accounts for itself.
  HartCode &other(uint32_t word);
  /// Loads \p value in as many one-cycle instructions as it takes.
  HartCode &constant(unsigned reg, uint64_t value);
  /// \p cycles one-cycle instructions.
  HartCode &idle(unsigned cycles);

  HartCode &set(unsigned ctx, unsigned field, uint64_t value);
  /// Writes the fields of \p command that are not zero. Contexts are zero at
  /// launch; bind a context twice only with commands of the same shape.
  template <typename CommandT>
  HartCode &bind(unsigned ctx, const CommandT &command) {
    std::array<uint64_t, isa::fieldCount> fields{};
    encodeFields(command, fields.data());
    return setAll(ctx, fields);
  }
  /// As bind(), for a drain, which shares its struct with se.
  HartCode &setAll(unsigned ctx,
                   const std::array<uint64_t, isa::fieldCount> &fields);
  /// Issues a command with varying word 0.
  HartCode &go(isa::Opcode opcode, unsigned ctx);
  /// Issues a command with the word in register \p reg.
  HartCode &goWith(isa::Opcode opcode, unsigned ctx, unsigned reg);

  HartCode &cbSetup(unsigned cb, uint32_t base, uint32_t bytes);
  HartCode &cbPush(unsigned cb, uint64_t bytes);
  HartCode &cbPop(unsigned cb, uint64_t bytes);
  HartCode &cbWait(unsigned cb, uint64_t bytes);
  HartCode &cbReserve(unsigned cb, uint64_t bytes);
  HartCode &semPost(uint64_t address, uint64_t amount);
  HartCode &semWait(unsigned sem, uint64_t amount);
  HartCode &barrier(unsigned id, uint32_t rows, uint32_t cols);
  HartCode &fence();

  IssueCost cost() const { return count; }

private:
  friend class HartProgram;
  HartCode &xpe(isa::DecodedXpe inst, bool isIssue);

  std::vector<uint32_t> words;
  IssueCost count;
};

/// Code for all harts of a grid; harts without code halt at once. The last
/// instruction of every hart is a halt, which this class adds.
class HartProgram {
public:
  explicit HartProgram(const ChipSpec &spec) : spec(spec) {}

  HartCode &on(unsigned row, unsigned col, unsigned hart) {
    return code[{row * spec.grid.cols + col, hart}];
  }
  /// Hart 0 of PE 0,0.
  HartCode &main() { return on(0, 0, 0); }

  sim::KernelImage image() const;

  /// From a hart's start to its first instruction.
  static sim::Cycle prologueCycles(const ChipSpec &spec);
  /// From a hart's start to the instruction after its code so far, if nothing
  /// made it wait.
  sim::Cycle reached(const HartCode &hart) const {
    return prologueCycles(spec) + hart.cost().cycles(spec);
  }

private:
  const ChipSpec &spec;
  std::map<std::pair<unsigned, unsigned>, HartCode> code;
};

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_SUPPORT_HARTPROGRAM_H
