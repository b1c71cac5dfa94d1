//===- KernelBuild.h - Kernels to machine code ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KERNELBUILD_H
#define CHIPWRIGHT_RUNTIME_KERNELBUILD_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "chips/KernelAbi.h"
#include "package/Package.h"
#include "sim/machine/Job.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chipwright {

struct KernelBuildOptions {
  /// Preprocessor definitions, name and value.
  std::vector<std::pair<std::string, std::string>> defines;
};

/// Compiles the C file \p source for \p spec with clang-22, together with the
/// entry code, and links it at the image base. Architectural parameters are
/// visible to the kernel as XPE_* macros (see kernel.h).
/// \returns the ELF file's bytes, or what the compiler said.
Result<std::vector<uint8_t>>
buildKernel(const ChipSpec &spec, const std::string &source,
            const KernelBuildOptions &options = {});

/// Compiles the tile program \p text for a chip to the bytes of an ELF file.
/// \p name stands for the text in messages.
using ProgramCompiler = std::function<Result<std::vector<uint8_t>>(
    const ChipSpec &spec, const std::string &text, const std::string &name)>;

/// Gives the runtime, which knows no compiler of its own, the one that
/// buildProgram() uses. Called once, before threads start.
void setProgramCompiler(ProgramCompiler compiler);

/// \returns the program's ELF file, what the compiler said, or an error if
/// local memory has no room besides stacks and arguments.
Result<std::vector<uint8_t>> buildProgram(const ChipSpec &spec,
                                          const std::string &text,
                                          const std::string &name);

/// Compiles \p text, a function @step of the llm dialect, for a chip to
/// buffers, programs and launches; \p bounds are the sizes of its symbols
/// (compiler/StepCompiler.h).
using StepCompiler = std::function<Result<Package>(
    const ChipSpec &spec, const std::string &text, const std::string &name,
    const std::map<std::string, int64_t> &bounds)>;

/// As setProgramCompiler(), for buildStep().
void setStepCompiler(StepCompiler compiler);

/// \returns the launches, what the compiler said, or an error if local memory
/// has no room besides stacks and arguments.
Result<Package> buildStep(const ChipSpec &spec, const std::string &text,
                          const std::string &name,
                          const std::map<std::string, int64_t> &bounds);

/// Reads a kernel ELF into the form that PEs execute. \p name stands for it in
/// messages.
Result<sim::KernelImage> loadKernel(const std::vector<uint8_t> &elf,
                                    const std::string &name);

/// Directory of the kernels that ship with the tool: $CHIPWRIGHT_KERNELS or
/// the source tree's runtime/kernels.
std::string kernelDirectory();

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KERNELBUILD_H
