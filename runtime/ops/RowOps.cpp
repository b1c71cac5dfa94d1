//===- RowOps.cpp - What row-wise kernels share ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The sizes of runtime/kernels/rows.h for slots of one row.
//
//===----------------------------------------------------------------------===//

#include "runtime/ops/RowOps.h"

using namespace chipwright;

static uint64_t roundUp(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

uint64_t ops::rowSlotBytes(uint64_t rowBytes) { return roundUp(rowBytes); }

uint64_t ops::rowStatBytes(unsigned rings) { return rings * 2 * roundUp(4); }

std::vector<std::pair<std::string, std::string>>
ops::rowDefines(DType type, uint64_t rowBytes) {
  auto defines = dtypeDefines(type);
  defines.emplace_back("KERNEL_ROW_BYTES", std::to_string(rowBytes));
  return defines;
}
