//===- MemoryCheck.h - Does a package fit a chip's memory? ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_PACKAGE_MEMORYCHECK_H
#define CHIPWRIGHT_PACKAGE_MEMORYCHECK_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "package/Package.h"

namespace chipwright {

/// Buffers of a package begin on pages of so many bytes.
inline constexpr uint64_t packagePageBytes = 4096;

/// Checks that the buffers of \p package, at their bounds, fit the memory of
/// \p spec: weights, tables and caches in DRAM; inputs, activations and output
/// together in SRAM scratch, or in DRAM too. Programs and launches do not
/// matter.
/// \returns what there is, what each role needs, and which bounds would fit
/// (exit status ExitDoesNotFit).
Result<void> checkMemory(const ChipSpec &spec, const Package &package);

} // namespace chipwright

#endif // CHIPWRIGHT_PACKAGE_MEMORYCHECK_H
