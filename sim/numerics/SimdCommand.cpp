//===- SimdCommand.cpp - What se and drain commands compute ---------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/SimdCommand.h"

#include "sim/numerics/Element.h"

#include <algorithm>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// Columns that pass through the chain together: even, for swapPairs, and
/// small enough that the working rows stay in the first-level cache.
constexpr unsigned blockColumns = 1024;

/// One operand y of a chain step and its step.
struct Step {
  SimdOperand kind;
  SimdOp op;
  const SimdSource &source;
  float immediate;
  unsigned segment; // columns, not 0
};

void applyStep(const Step &step, float *v, float *scratch, unsigned row,
               unsigned column, unsigned n, HostIsa isa) {
  const SimdSource &y = step.source;
  switch (step.kind) {
  case SimdOperand::None:
    return;
  case SimdOperand::Immediate:
    rowOpScalar(step.op, v, step.immediate, n, isa);
    return;
  case SimdOperand::PerRow: {
    float value = 0.0f;
    loadRow(y.dtype, y.data + row * y.pitch, &value, 1, isa);
    rowOpScalar(step.op, v, value, n, isa);
    return;
  }
  case SimdOperand::PerSegment: {
    float values[blockColumns];
    unsigned first = column / step.segment,
             count = (column + n - 1) / step.segment - first + 1;
    loadRow(y.dtype,
            y.data + row * y.pitch + size_t(first) * elementBytes(y.dtype),
            values, count, isa);
    unsigned done = 0, left = step.segment - column % step.segment;
    for (unsigned i = 0; i < count; ++i, left = step.segment) {
      left = std::min(left, n - done);
      std::fill_n(scratch + done, left, values[i]);
      done += left;
    }
    rowOp(step.op, v, scratch, n, isa);
    return;
  }
  case SimdOperand::Tile:
  case SimdOperand::PerColumn: {
    size_t offset = step.kind == SimdOperand::Tile ? row * y.pitch : 0;
    loadRow(y.dtype, y.data + offset + size_t(column) * elementBytes(y.dtype),
            scratch, n, isa);
    rowOp(step.op, v, scratch, n, isa);
    return;
  }
  }
}

/// Fills the columns of [column, column + n) outside the row's window.
void applyWindow(const SimdArgs &args, float *v, unsigned row, unsigned column,
                 unsigned n) {
  int32_t bounds[2];
  std::memcpy(bounds, args.win + size_t(row) * sizeof(bounds), sizeof(bounds));
  int64_t first = int64_t(args.winBase) + column;
  int64_t lo = std::clamp<int64_t>(bounds[0] - first, 0, n);
  int64_t hi = std::clamp<int64_t>(bounds[1] - first, lo, n);
  std::fill(v, v + lo, args.fillImm);
  std::fill(v + hi, v + n, args.fillImm);
}

/// Reduces the row's segments as blocks of it arrive.
class RowSegments {
public:
  RowSegments(const SimdArgs &command, unsigned rowNumber, HostIsa hostSet)
      : args(command), row(rowNumber), isa(hostSet),
        segment(args.segment == 0 ? args.cols : args.segment),
        reduction(args.chain.reduce, hostSet) {}

  void add(const float *v, unsigned n) {
    while (n > 0) {
      unsigned take = std::min(n, segment - filled);
      reduction.add(v, take);
      v += take;
      n -= take;
      filled += take;
      seen += take;
      if (filled == segment || seen == args.cols) {
        finishSegment();
      }
    }
  }

private:
  void finishSegment() {
    float value = reduction.finish();
    size_t offset = size_t(index) * elementBytes(args.red.dtype);
    if (args.chain.running) {
      float previous = 0.0f;
      loadRow(args.red.dtype, args.run.data + row * args.run.pitch + offset,
              &previous, 1, isa);
      value = RowReduction::combine(args.chain.reduce, previous, value);
    }
    storeRow(args.red.dtype, &value,
             args.red.data + row * args.red.pitch + offset, 1, isa);
    reduction = RowReduction(args.chain.reduce, isa);
    filled = 0;
    ++index;
  }

  const SimdArgs &args;
  unsigned row;
  HostIsa isa;
  unsigned segment;
  RowReduction reduction;
  unsigned filled = 0; // elements of the open segment
  unsigned seen = 0;   // elements of the row
  unsigned index = 0;  // number of the open segment
};

void executeRow(const SimdArgs &args, unsigned row, HostIsa isa) {
  alignas(64) float v[blockColumns];
  alignas(64) float scratch[blockColumns];
  const SimdChain &chain = args.chain;
  const unsigned segment = args.segment == 0 ? args.cols : args.segment;
  const Step first{chain.y1Kind, chain.op1, args.y1, args.y1Imm, segment};
  const Step second{chain.y2Kind, chain.op2, args.y2, args.y2Imm, segment};
  RowSegments segments(args, row, isa);
  for (unsigned column = 0; column < args.cols; column += blockColumns) {
    unsigned n = std::min(blockColumns, args.cols - column);
    loadRow(args.x.dtype,
            args.x.data + row * args.x.pitch +
                elementBytes(args.x.dtype, column), // blocks are even
            v, n, isa);
    if (chain.swapPairs) {
      rowSwapPairs(v, n, isa);
    }
    if (chain.scale) {
      rowOpScalar(SimdOp::Mul, v, args.scaleImm, n, isa);
    }
    applyStep(first, v, scratch, row, column, n, isa);
    if (chain.window) {
      applyWindow(args, v, row, column, n);
    }
    if (chain.f != SeFunction::Identity) {
      seFunctionRow(chain.f, v, n, isa);
    }
    applyStep(second, v, scratch, row, column, n, isa);
    if (chain.store) {
      storeRow(args.out.dtype, v,
               args.out.data + row * args.out.pitch +
                   size_t(column) * elementBytes(args.out.dtype),
               n, isa);
    }
    if (chain.reduce != SimdReduce::None) {
      segments.add(v, n);
    }
  }
}

template <class Code>
std::string codeError(const char *field, Code code, unsigned limit) {
  unsigned value = static_cast<unsigned>(code);
  if (value < limit) {
    return {};
  }
  return std::string(field) + " is " + std::to_string(value) +
         ", the largest defined code is " + std::to_string(limit - 1);
}

std::string dtypeError(const char *field, DType type) {
  return codeError(field, type, static_cast<unsigned>(DType::F8E8M0) + 1);
}

/// A second operand: elements lie at whole bytes.
std::string operandTypeError(const char *field, DType type) {
  if (std::string error = dtypeError(field, type); !error.empty()) {
    return error;
  }
  return elementBytes(type) != 0
             ? std::string()
             : std::string(field) + " is " + std::to_string(unsigned(type)) +
                   ", a type of half a byte, which only x may have; convert it "
                   "by a command of its own";
}

std::string resultTypeError(const char *field, DType type) {
  if (std::string error = dtypeError(field, type); !error.empty()) {
    return error;
  }
  return !isReadOnly(type)
             ? std::string()
             : std::string(field) + " is " + std::to_string(unsigned(type)) +
                   ", a type that engines read and do not write";
}

bool readsMemory(SimdOperand kind) {
  return kind != SimdOperand::None && kind != SimdOperand::Immediate;
}

} // namespace

std::string chipwright::sim::simdArgsError(const SimdArgs &args) {
  const SimdChain &chain = args.chain;
  for (const std::string &error :
       {codeError("y1_kind", chain.y1Kind, numSimdOperands),
        codeError("op1", chain.op1, numSimdOps),
        codeError("f", chain.f, numSeFunctions),
        codeError("y2_kind", chain.y2Kind, numSimdOperands),
        codeError("op2", chain.op2, numSimdOps),
        codeError("reduce", chain.reduce, numSimdReduces),
        dtypeError("dtype", args.x.dtype),
        readsMemory(chain.y1Kind) ? operandTypeError("y1_dtype", args.y1.dtype)
                                  : std::string(),
        readsMemory(chain.y2Kind) ? operandTypeError("y2_dtype", args.y2.dtype)
                                  : std::string(),
        chain.store ? resultTypeError("out_dtype", args.out.dtype)
                    : std::string(),
        chain.reduce != SimdReduce::None
            ? resultTypeError("red_dtype", args.red.dtype)
            : std::string()}) {
    if (!error.empty()) {
      return error;
    }
  }
  if (chain.swapPairs && args.cols % 2 != 0) {
    return "swap_pairs needs an even number of columns, found " +
           std::to_string(args.cols);
  }
  if (chain.running && chain.reduce == SimdReduce::None) {
    return "running needs a reduction, found reduce 0";
  }
  return {};
}

void chipwright::sim::simdExecute(const SimdArgs &args, HostIsa isa) {
  for (unsigned row = 0; row < args.rows; ++row) {
    executeRow(args, row, isa);
  }
}

unsigned chipwright::sim::simdSegments(unsigned cols, unsigned segment) {
  return segment == 0 ? (cols > 0 ? 1 : 0) : (cols + segment - 1) / segment;
}

static bool usesDivider(SeFunction f) {
  return f == SeFunction::Recip || f == SeFunction::Rsqrt;
}

unsigned chipwright::sim::simdAluOps(const SimdChain &chain) {
  unsigned ops = 0;
  ops += chain.scale;
  ops += chain.y1Kind != SimdOperand::None;
  ops += chain.window;
  ops += chain.f != SeFunction::Identity && !usesDivider(chain.f);
  ops += chain.y2Kind != SimdOperand::None;
  switch (chain.reduce) {
  case SimdReduce::None:
    break;
  case SimdReduce::Sum:
  case SimdReduce::Max:
    ops += 1;
    break;
  case SimdReduce::AbsMax:
  case SimdReduce::SumSquares:
    ops += 2;
    break;
  }
  return ops;
}

unsigned chipwright::sim::simdSlots(const SimdChain &chain, unsigned opsPerSlot,
                                    unsigned divSlots) {
  unsigned ops = simdAluOps(chain);
  unsigned plain = std::max(1u, (ops + opsPerSlot - 1) / opsPerSlot);
  return plain + (usesDivider(chain.f) ? divSlots : 0);
}
