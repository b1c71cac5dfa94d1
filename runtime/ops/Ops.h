//===- Ops.h - One kernel per file ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_OPS_OPS_H
#define CHIPWRIGHT_RUNTIME_OPS_OPS_H

#include "runtime/Kernel.h"

namespace chipwright::ops {

extern const Kernel gemm, attention, copy, add, stream, transpose, softmax,
    rmsnorm, moe, empty;

} // namespace chipwright::ops

#endif // CHIPWRIGHT_RUNTIME_OPS_OPS_H
