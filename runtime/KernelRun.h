//===- KernelRun.h - One kernel, from source to checked result --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KERNELRUN_H
#define CHIPWRIGHT_RUNTIME_KERNELRUN_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "runtime/Kernel.h"
#include "runtime/Measurement.h"
#include "runtime/Placement.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chipwright {

struct RunOptions {
  sim::Mode mode = sim::Mode::Timing;
  uint64_t seed = 1;
  sim::Cycle maxCycles = sim::Cycle(1) << 40;
  uint64_t shuffleSeed = 0; // see MachineOptions
  PlacementOptions placement;
  sim::TraceSink *trace = nullptr;
  /// Called with the kernel's image before the launch (names for a trace).
  std::function<void(const sim::KernelImage &)> imageLoaded = {};
};

/// A buffer of a finished run.
struct BufferResult {
  std::string name, space; // "dram" or "sram"
  uint64_t address = 0, bytes = 0;
  bool isTemporary = false; // between launches
};

/// A launch of a kernel with several.
struct KernelLaunch {
  std::string program; // "experts_inner_0"
  sim::Cycle cycles = 0;
};

struct KernelResult {
  std::string kernel;
  sim::Mode mode = sim::Mode::Timing;
  uint64_t seed = 0;
  /// Nothing where the DPE has no part or lacks the type.
  std::optional<double> flops, peakFraction;
  std::optional<DType> dtype;
  uint64_t minimalBytes = 0;
  std::vector<BufferResult> buffers;
  Measurement measurement;
  std::vector<KernelLaunch> launches; // none: there was one
  std::optional<RoutedTokens> routed;
  /// Functional mode, kernels with a reference: the error and its bound.
  std::optional<double> relativeError, errorBound;
  bool agrees = true; // error within the bound, where there is one

  /// ExitOk, ExitMismatch or, if the simulation was stopped, ExitStopped.
  int exitStatus() const;
};

/// Builds \p kernel for \p chip and runs it once on a fresh machine.
///
/// The LLC is empty at the start; the end is when all dirty lines are in
/// DRAM. In functional mode inputs are random, outputs are filled with a
/// pattern (NaN for floating-point types) before the launch, and the result is
/// compared with the reference.
/// \returns the result, also of a run that was stopped; an error if it could
/// not begin.
Result<KernelResult> runKernel(const Kernel &kernel, const KernelShape &shape,
                               const ResolvedChip &chip,
                               const RunOptions &options);

/// Sets operations and the part of the peak of \p result from its time.
void setFlops(const KernelPlan &plan, const ChipSpec &spec,
              KernelResult &result);

/// A buffer that a user's kernel asks for.
struct UserBuffer {
  std::string name;
  uint64_t bytes = 0;
  std::optional<MemoryChoice> memory; // else RunOptions::placement
  bool isControl = false;
};

/// A kernel from a file of the user's, C (".c") or ELF. Its argument block is
/// the addresses of \p buffers, then \p arguments, each a 64-bit word.
/// In functional mode bulk buffers hold random bytes, control buffers zeros
/// (in both modes).
struct UserKernel {
  std::string path;
  std::vector<UserBuffer> buffers;
  std::vector<uint64_t> arguments;
  /// The ELF file's bytes if another compiler has made them of the file at
  /// `path`; else empty.
  std::vector<uint8_t> elf = {};
};

Result<KernelResult> runUserKernel(const UserKernel &kernel,
                                   const ResolvedChip &chip,
                                   const RunOptions &options);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KERNELRUN_H
