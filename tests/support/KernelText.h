//===- KernelText.h - Kernels given as C text -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_SUPPORT_KERNELTEXT_H
#define CHIPWRIGHT_TESTS_SUPPORT_KERNELTEXT_H

#include "chips/ChipSpec.h"
#include "sim/machine/Job.h"

#include <string>

namespace chipwright::test {

/// Compiles \p text, C that defines kernel_load(const void *) for hart 0 and
/// kernel_compute(const void *) for hart 1; "xpe.h" is included before it.
/// Throws std::runtime_error with what the compiler said.
sim::KernelImage kernelFromText(const ChipSpec &spec, const std::string &text);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_SUPPORT_KERNELTEXT_H
