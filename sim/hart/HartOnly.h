//===- HartOnly.h - One hart with flat memory -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Runs a bare-metal program on one hart with nothing around it but RAM. The
// program ends by storing to the symbol `tohost`, as programs for Spike do
// (host-target interface, riscv-isa-sim): an odd 64-bit value is exit code
// value >> 1. Instruction and data caches are not modelled: RAM answers like
// local memory.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_HARTONLY_H
#define CHIPWRIGHT_SIM_HART_HARTONLY_H

#include "sim/hart/ElfImage.h"
#include "sim/hart/Hart.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::sim {

struct HartOnlyOptions {
  uint64_t ramBase = 0x80000000;
  uint64_t ramBytes = uint64_t(64) << 20;
  uint64_t maxInstructions = 1000000000;
};

enum class HartOnlyStatus : uint8_t {
  Exited,     // the program stored an exit code
  BadProgram, // refused; see HartOnlyResult::error
  Stopped,    // error or budget; see HartOnlyResult::error
};

struct HartOnlyResult {
  HartOnlyStatus status = HartOnlyStatus::BadProgram;
  uint64_t exitCode = 0;
  uint64_t instructions = 0, cycles = 0, pcHash = 0;
  HartErrorKind errorKind = HartErrorKind::None;
  std::string error; // one sentence
};

/// Runs the program \p path to its end on a hart with the latencies of
/// \p spec. \p counts, if given, receives executed instructions by opcode.
HartOnlyResult runHartOnly(const HartSpec &spec, const std::string &path,
                           const HartOnlyOptions &options = {},
                           OpCounts *counts = nullptr);

/// The same for a program that is already read.
HartOnlyResult runHartOnly(const HartSpec &spec, const ElfImage &program,
                           const HartOnlyOptions &options = {},
                           OpCounts *counts = nullptr);

/// \returns one line: exit code, instructions and cycles, or the error.
std::string describe(const HartOnlyResult &result);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_HARTONLY_H
