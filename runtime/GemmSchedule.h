//===- GemmSchedule.h - How gemm.c cuts a product ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_GEMMSCHEDULE_H
#define CHIPWRIGHT_RUNTIME_GEMMSCHEDULE_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"

#include <cstdint>

namespace chipwright {

/// The constants that runtime/kernels/gemm.c is compiled with.
struct GemmSchedule {
  unsigned mBlock = 0, nBlock = 0; // rows and columns of C per block
  unsigned chunkBytes = 0;         // of K, per slot of the operand rings
  unsigned depth = 0;              // slots of a ring
  unsigned passes = 0;             // of a matrix command
  bool spreadN = false;            // block columns over all PEs
  /// Estimated cycles, for ranking only.
  uint64_t estimate = 0;
};

/// Chooses a schedule for C[m,n] = A[m,k] B[n,k]^T in \p type: the one with
/// the least estimated time among all block shapes that fit the accumulator
/// banks and the local memory. \returns ExitDoesNotFit if none does.
Result<GemmSchedule> scheduleGemm(const ChipSpec &spec, uint64_t m, uint64_t n,
                                  uint64_t k, DType type);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_GEMMSCHEDULE_H
