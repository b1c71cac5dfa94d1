//===- KernelJob.cpp - One run of chipwright kernel -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/KernelJob.h"

#include "compiler/PeToElf.h"
#include "compiler/StepCompiler.h"
#include "runtime/KernelBuild.h"
#include "runtime/KernelReport.h"
#include "tools/Arguments.h"

#include <fmt/format.h>

using namespace chipwright;
using namespace chipwright::tools;
using Strings = std::vector<std::string>;

/// Compiles a program of the grid or pe dialect.
static Result<std::vector<uint8_t>> compilePe(const ChipSpec &spec,
                                              const std::string &path) {
  if (spec.ls.bytes <= reservedLocalBytes(spec)) {
    return Diagnostic{
        fmt::format("{}: local memory has {} bytes (ls.bytes), stacks and "
                    "arguments of a kernel take {}",
                    path, spec.ls.bytes, reservedLocalBytes(spec)),
        ExitDoesNotFit};
  }
  return compilePeFile(spec, path);
}

void tools::setKernelCompiler() {
  setProgramCompiler(
      [](const ChipSpec &spec, const std::string &text,
         const std::string &name) { return compilePeText(spec, text, name); });
  setStepCompiler(compileStepText);
}

KernelOutcome tools::runKernelOnce(const KernelRequest &request,
                                   const Strings &more,
                                   const std::string &commandLine) {
  KernelOutcome outcome;
  auto refused = [&](const Diagnostic &why) {
    outcome.status = why.exitStatus;
    outcome.error = why.message;
    return outcome;
  };
  Strings sets = request.sets;
  sets.insert(sets.end(), more.begin(), more.end());
  Result<ResolvedChip> chip = loadChip(request.chip, sets);
  if (!chip) {
    return refused(chip.error());
  }
  Tracing tracing;
  RunOptions run = request.run;
  if (auto ready = tracing.begin(request.tracing, chip->spec, run); !ready) {
    return refused(ready.error());
  }
  std::optional<UserKernel> user = request.user;
  if (user && user->path.ends_with(".mlir")) {
    Result<std::vector<uint8_t>> elf = compilePe(chip->spec, user->path);
    if (!elf) {
      return refused(elf.error());
    }
    user->elf = elf.take();
  }
  Result<KernelResult> result =
      request.kernel ? runKernel(*request.kernel, request.shape, *chip, run)
                     : runUserKernel(*user, *chip, run);
  if (!result) {
    return refused(result.error());
  }
  if (auto done = tracing.finish(); !done) {
    return refused(done.error());
  }
  outcome.status = result->exitStatus();
  outcome.text = formatKernel(*result, *chip);
  outcome.json = toJson(*result, *chip, commandLine);
  const Measurement &m = result->measurement;
  if (!m.job.finished) {
    outcome.error = m.job.fault.text;
    return outcome;
  }
  outcome.row = fmt::format(
      "{:>12} {:>12.3f} {:>7} {:>6.1f} %  {}", m.job.cycles, m.seconds * 1e6,
      result->peakFraction
          ? fmt::format("{:.1f} %", *result->peakFraction * 100)
          : "-",
      dramBandwidthFraction(*result, chip->spec) * 100, verdict(*result));
  if (!result->agrees) {
    outcome.error = "numbers disagree with the reference";
  }
  return outcome;
}

Result<std::string> tools::kernelProgram(const KernelRequest &request) {
  Result<ResolvedChip> chip = loadChip(request.chip, request.sets);
  if (!chip) {
    return chip.error();
  }
  Result<KernelPlan> plan =
      planKernel(*request.kernel, chip->spec, request.shape);
  if (!plan) {
    return plan.error();
  }
  if (plan->program.empty() && plan->step.empty()) {
    return usageError(fmt::format("kernel {} is written in C ({}) and has no "
                                  "tile program",
                                  request.kernel->name, request.kernel->source),
                      "kernel");
  }
  Result<std::string> text =
      plan->step.empty()
          ? scheduledText(chip->spec, plan->program, request.kernel->name)
          : scheduledStepText(chip->spec, plan->step, request.kernel->name);
  if (!text) {
    return Diagnostic{text.error().message, ExitDoesNotFit};
  }
  return text;
}
