//===- KernelStep.h - Kernels of several launches ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_KERNELSTEP_H
#define CHIPWRIGHT_RUNTIME_KERNELSTEP_H

#include "runtime/KernelRun.h"

namespace chipwright {

/// runKernel() for a plan with `step`. Launches follow each other as in a step
/// of a model: a launch is dispatched when the one before it is complete, the
/// LLC keeps what it holds; dirty lines are in DRAM at the end of the last one.
Result<KernelResult> runSteps(const Kernel &kernel, const KernelPlan &plan,
                              const ResolvedChip &chip,
                              const RunOptions &options);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_KERNELSTEP_H
