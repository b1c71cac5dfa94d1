//===- KernelRun.h - Compile and execute small kernels ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Compiles C with the kernels' compiler and executes the ELF on a minimal
// RV64IM interpreter that records what reaches the command processor. It knows
// nothing of time and is no model of the machine; it exists so that the
// header's tests check executed commands instead of assembly text.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_ISA_KERNELRUN_H
#define CHIPWRIGHT_TESTS_UNIT_ISA_KERNELRUN_H

#include "dialects/isa/Xpe.h"

#include <array>
#include <string>
#include <vector>

namespace chipwright::isa::test {

/// One executed Xpe instruction other than xpe.set.
struct Executed {
  DecodedXpe inst;
  /// Values of rs1 and rs2 where they are registers.
  uint64_t rs1Value = 0;
  uint64_t rs2Value = 0;
  /// Commands: fields of the context and the resolved word.
  std::array<uint64_t, fieldCount> fields{};
  uint64_t word = 0;
};

struct KernelRun {
  /// Empty if all went well.
  std::string error;
  std::vector<Executed> executed;
  /// All instructions, Xpe's included.
  uint64_t instructions = 0;
  /// xpe.set only.
  uint64_t fieldWrites = 0;
};

/// Compiles \p source, which defines `void kernel(uint64_t a, uint64_t b)`,
/// for a chip with \p contexts contexts and runs it until it returns.
/// Instructions with a destination register deliver 1000 + the immediate in
/// rs2 (`cb` or `which`).
KernelRun runKernel(const std::string &source, unsigned contexts,
                    uint64_t a = 0, uint64_t b = 0);

/// \returns the compiler's messages, "" if it accepts \p source.
std::string compileErrors(const std::string &source, unsigned contexts);

} // namespace chipwright::isa::test

#endif // CHIPWRIGHT_TESTS_UNIT_ISA_KERNELRUN_H
