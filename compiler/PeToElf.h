//===- PeToElf.h - Programs of the pe dialect to machine code ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// For callers without MLIR: no type of MLIR or LLVM and no exception crosses
// this header.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PETOELF_H
#define CHIPWRIGHT_COMPILER_PETOELF_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "chips/KernelAbi.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright {

struct PeCompileOptions {
  /// Stack of one hart, in bytes; both lie below the argument block at the end
  /// of local memory.
  uint64_t stackBytes = kStackBytes;
  /// Loops with constant bounds are unrolled up to so many commands.
  unsigned unrollCommands = 32;
};

/// Compiles a module of the pe dialect with the functions `kernel_load` (hart
/// 0) and `kernel_compute` (hart 1) for \p spec. \p name stands for the text
/// in messages.
/// \returns the bytes of an ELF file, or all errors of the compiler, one a
/// line: `name:line:column: message`.
Result<std::vector<uint8_t>>
compilePeText(const ChipSpec &spec, const std::string &text,
              const std::string &name, const PeCompileOptions &options = {});

/// The tile program \p text with the schedules that compilePeText() would
/// give it for \p spec, in a form that can be edited and compiled.
Result<std::string> scheduledText(const ChipSpec &spec, const std::string &text,
                                  const std::string &name);

/// compilePeText() for a file, "-" is refused.
Result<std::vector<uint8_t>>
compilePeFile(const ChipSpec &spec, const std::string &path,
              const PeCompileOptions &options = {});

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_PETOELF_H
