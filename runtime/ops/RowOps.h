//===- RowOps.h - What row-wise kernels share -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_OPS_ROWOPS_H
#define CHIPWRIGHT_RUNTIME_OPS_ROWOPS_H

#include "runtime/Kernel.h"

namespace chipwright::ops {

/// Local memory of a slot with one row.
uint64_t rowSlotBytes(uint64_t rowBytes);

/// Local memory of \p rings rings of row statistics for such slots.
uint64_t rowStatBytes(unsigned rings);

/// dtypeDefines() and KERNEL_ROW_BYTES.
std::vector<std::pair<std::string, std::string>> rowDefines(DType type,
                                                            uint64_t rowBytes);

} // namespace chipwright::ops

#endif // CHIPWRIGHT_RUNTIME_OPS_ROWOPS_H
