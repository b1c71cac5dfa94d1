//===- MatrixPass.h - What the dot-product engine computes ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One pass of the dot-product engine: bank (+)= A B^T over the k elements of a
// pass. The defined sequence for every element of a floating-point bank is
//
//   acc = accumulate ? bank : +0
//   for k in increasing order:  acc = fl(acc + fl(a[k] * b[k]))
//   bank = acc                  (a NaN becomes the canonical NaN)
//
// with fl() the rounding to fp32, to nearest even. Products of fp16 and fp8
// operands (11 and fewer significant bits, small exponents) are exact in fp32,
// so the inner rounding does nothing and a fused multiply-add gives the same
// bits; products of bf16 and tf32 operands are exact except where they
// overflow or fall below 2^-126; products of fp32 operands round.
//
// int8 operands accumulate in int32, exactly, modulo 2^32.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_MATRIXPASS_H
#define CHIPWRIGHT_SIM_NUMERICS_MATRIXPASS_H

#include "chips/ChipSpec.h"
#include "sim/numerics/HostIsa.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::sim {

/// A matrix operand of one pass in local memory, any alignment.
struct MatrixOperand {
  DType dtype = DType::F16;
  const uint8_t *data = nullptr;
  size_t pitch = 0;  // bytes from one row (of k, or of rows if kn) to the next
  unsigned rows = 0; // rows of A, or rows of B = columns of the bank
  unsigned k = 0;    // elements of the summed dimension
  bool kn = false;   // stored k x rows instead of rows x k (B only)
};

/// The operand that stays in the array while others stream past it: B of one
/// pass, converted once. Reusing an object keeps its memory.
class CachedOperand {
public:
  /// Converts \p operand; its memory may change afterwards.
  void load(const MatrixOperand &operand, HostIsa isa = hostIsa());

  DType dtype() const { return type; }
  unsigned rows() const { return numRows; }
  unsigned k() const { return depth; }

  /// Values as fp32 in k x padded-rows order, 64-byte aligned; rows beyond
  /// rows() are zero.
  const float *values() const { return lines.empty() ? nullptr : lines[0].v; }
  size_t pitch() const { return paddedRows; }

private:
  struct alignas(64) Line {
    float v[16];
  };
  std::vector<Line> lines;
  DType type = DType::F16;
  unsigned numRows = 0, depth = 0;
  size_t paddedRows = 0;
};

struct MatrixPassArgs {
  MatrixOperand a; // kn must be false; a.k equals b->k()
  const CachedOperand *b = nullptr;
  bool accumulate = false;
  uint32_t *bank = nullptr; // a.rows x b->rows() words, fp32 or int32 bits
  size_t bankPitch = 0;     // words from one row to the next
};

/// \returns a sentence part that names what is wrong with the operand types
/// (int8 multiplies int8 only; int32 is no operand), or an empty string.
/// Which types a chip multiplies is the chip's to say (dpe.dtypes).
std::string matrixTypesError(DType a, DType b);

/// Executes one pass for which matrixTypesError() is empty.
void matrixPass(const MatrixPassArgs &args, HostIsa isa = hostIsa());

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_MATRIXPASS_H
