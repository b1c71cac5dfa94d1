//===- KernelAbi.h - What compilers and launches agree on -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The upper end of a PE's local memory belongs to the kernel's launch: the
// argument block and a stack per hart. Circular buffers lie below.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_KERNELABI_H
#define CHIPWRIGHT_CHIPS_KERNELABI_H

#include "chips/ChipSpec.h"

#include <cstdint>

namespace chipwright {

/// Stack of one hart, in bytes.
inline constexpr uint64_t kStackBytes = 2048;

/// Bytes of local memory that a kernel must leave alone at its end: the
/// argument block and two stacks.
inline uint64_t reservedLocalBytes(const ChipSpec &spec) {
  return spec.control.descriptorBytes + 2 * kStackBytes;
}

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_KERNELABI_H
