//===- PeRun.h - pe programs on the simulated machine -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_COMPILER_PERUN_H
#define CHIPWRIGHT_TESTS_UNIT_COMPILER_PERUN_H

#include "chips/ResolvedChip.h"
#include "runtime/Kernel.h"
#include "sim/machine/Machine.h"

#include <string>
#include <vector>

namespace chipwright {

/// A chip with burst-level DRAM, which takes less time.
ResolvedChip chipForTest(const std::string &name,
                         std::vector<std::string> sets = {});

/// $CHIPWRIGHT_SEED or a constant; printed, so that a failure can be repeated.
uint64_t seedForTest();

/// The text of a file in tests/unit/compiler/kernels.
std::string kernelText(const std::string &name);

struct PeRun {
  std::string error; // why it did not run to its end, or ""
  sim::JobResult job;
  /// Functional mode: contents of the last buffer, as bytes.
  std::vector<uint8_t> output;
  /// The inputs as they were.
  std::vector<std::vector<uint8_t>> inputs;
};

/// Compiles \p text and runs it on a fresh machine with \p buffers in SRAM
/// (all but the last are random inputs) and \p arguments behind their
/// addresses.
PeRun runPe(const std::string &text, const ResolvedChip &chip, sim::Mode mode,
            const std::vector<KernelBuffer> &buffers,
            const std::vector<uint64_t> &arguments, uint64_t seed);

} // namespace chipwright

#endif // CHIPWRIGHT_TESTS_UNIT_COMPILER_PERUN_H
