//===- SimdCommand.h - What se and drain commands compute -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The element-wise chain of the SIMD engine and of accumulator read-out:
//
//   v = x                  (neighbour pairs exchanged if swapPairs)
//   v = v * scaleImm       (if scale)
//   v = v op1 y1           (unless y1Kind is None)
//   v = fillImm            (if window, in columns outside [lo(row), hi(row)))
//   v = f(v)
//   v = v op2 y2           (unless y2Kind is None)
//   out = convert(v)       (if store)
//   red = reduce(v)        (over the columns of each segment, unrounded v)
//   red = combine(run, red) (if running)
//
// All in fp32, each step rounded once to nearest even.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_SIMDCOMMAND_H
#define CHIPWRIGHT_SIM_NUMERICS_SIMDCOMMAND_H

#include "chips/ChipSpec.h"
#include "sim/numerics/HostIsa.h"
#include "sim/numerics/RowOps.h"
#include "sim/numerics/SeFunctions.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace chipwright::sim {

/// Shape of a second operand; values are the encodings of y1_kind, y2_kind.
enum class SimdOperand : uint8_t {
  None = 0,
  Tile = 1,      // one value per element
  PerRow = 2,    // one value per row, `pitch` bytes apart
  PerColumn = 3, // one value per column, shared by all rows
  Immediate = 4,
  PerSegment = 5, // one value per segment of a row, adjacent; rows `pitch`
                  // bytes apart
};
inline constexpr unsigned numSimdOperands = 6;

/// What a chain does, without its data: all that its cost depends on.
struct SimdChain {
  bool swapPairs = false;
  bool scale = false;
  SimdOperand y1Kind = SimdOperand::None;
  SimdOp op1 = SimdOp::Add;
  bool window = false;
  SeFunction f = SeFunction::Identity;
  SimdOperand y2Kind = SimdOperand::None;
  SimdOp op2 = SimdOp::Add;
  bool store = false;
  SimdReduce reduce = SimdReduce::None;
  bool running = false;
};

/// A matrix or vector of elements in local memory.
struct SimdSource {
  const uint8_t *data = nullptr;
  size_t pitch = 0; // bytes from one row to the next
  DType dtype = DType::F32;
};

struct SimdTarget {
  uint8_t *data = nullptr;
  size_t pitch = 0; // bytes from one row to the next
  DType dtype = DType::F32;
};

/// One se or drain command with its operands resolved to host memory, any
/// alignment. Operands that the chain does not use are ignored. `out` may be
/// `x`, `y1` or `y2` itself with the same pitch and element size; other
/// overlap of inputs and outputs is undefined, except that `run` may be `red`.
struct SimdArgs {
  unsigned rows = 0, cols = 0;
  unsigned segment = 0; // columns per segment (of the reduction and of operands
                        // that are PerSegment), 0 = the whole row;
                        // the last segment may be shorter
  SimdChain chain;
  SimdSource x;
  SimdSource y1, y2;
  float scaleImm = 1.0f;
  float fillImm = 0.0f;
  float y1Imm = 0.0f, y2Imm = 0.0f;
  SimdTarget out;
  SimdTarget red;               // per row, the values of the segments adjacent
  SimdSource run;               // as red; its dtype is ignored, red's holds
  const uint8_t *win = nullptr; // int32 {lo, hi} per row
  int32_t winBase = 0;          // index of the command's column 0
};

/// \returns a sentence part that names what is wrong with the shape or codes
/// of \p args ("swap_pairs needs an even number of columns, found 7"), or an
/// empty string. Pointers are the caller's to check.
std::string simdArgsError(const SimdArgs &args);

/// Executes one command for which simdArgsError() is empty.
void simdExecute(const SimdArgs &args, HostIsa isa = hostIsa());

/// \returns the number of reduction values per row.
unsigned simdSegments(unsigned cols, unsigned segment);

/// ALU operations of \p chain on one element: one each for the scale, op1, the
/// window's select, f, op2, and the reduction; two for absmax and sumsq, which
/// have an operation in front of the combining one. recip and rsqrt are not
/// counted here (simdSlots() adds them). The exchange of pairs, conversions on
/// load and store, and the running combine (once per row) are free.
unsigned simdAluOps(const SimdChain &chain);

/// Issue slots of a lane for one element of \p chain:
/// max(1, ceil(simdAluOps / opsPerSlot)) and, for recip and rsqrt, divSlots
/// more. \p opsPerSlot is se.ops_per_slot, \p divSlots se.div_slots.
unsigned simdSlots(const SimdChain &chain, unsigned opsPerSlot,
                   unsigned divSlots);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_SIMDCOMMAND_H
