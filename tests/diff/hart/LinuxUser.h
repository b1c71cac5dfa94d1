//===- LinuxUser.h - A hart with two Linux system calls ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Runs a static RISC-V Linux program that needs only write and exit, on our
// hart and under qemu-riscv64.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_DIFF_HART_LINUXUSER_H
#define CHIPWRIGHT_TESTS_DIFF_HART_LINUXUSER_H

#include "sim/hart/ElfImage.h"
#include "sim/hart/Hart.h"

#include <functional>
#include <string>
#include <vector>

namespace chipwright::test {

struct UserRun {
  bool exited = false;
  int exitCode = -1;
  std::string output; // bytes written to descriptor 1
  std::string error;  // why it did not exit
  uint64_t instructions = 0;
};

/// Latencies for tests that are not about time.
HartSpec unitLatencies();

/// Called before each instruction from the given pc on, for traces.
using StepHook = std::function<void(const sim::Hart &)>;

/// Runs \p program on a hart; its segments are its only memory, plus
/// \p stackBytes of stack. \p hook sees every instruction (slow).
UserRun runOnHart(const sim::ElfImage &program, sim::OpCounts *counts,
                  uint64_t maxInstructions, uint64_t stackBytes = 0,
                  const StepHook &hook = {});

/// Writes \p elf to a temporary file and runs it under qemu-riscv64.
UserRun runOnQemu(const std::vector<uint8_t> &elf);
UserRun runOnQemu(const std::string &path);

} // namespace chipwright::test

#endif // CHIPWRIGHT_TESTS_DIFF_HART_LINUXUSER_H
