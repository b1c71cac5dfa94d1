//===- Tracing.h - --trace and --watch --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_TRACING_H
#define CHIPWRIGHT_TOOLS_TRACING_H

#include "chips/Diagnostic.h"
#include "runtime/KernelRun.h"
#include "sim/trace/CbWatch.h"
#include "sim/trace/PerfettoTrace.h"

#include <memory>
#include <optional>
#include <string>

namespace chipwright::tools {

/// What the command line says; empty strings where it says nothing.
struct TracingRequest {
  std::string path, pes, window, watch;
  uint64_t maxBytes = 100000000;
  bool watchToStderr = false;
};

/// The observers of one run.
class Tracing {
public:
  /// Makes what \p request names and hooks it into \p options.
  Result<void> begin(const TracingRequest &request, const ChipSpec &spec,
                     RunOptions &options);

  /// Tells the trace that \p image is launched for \p op of a model ("": none),
  /// and what came of it.
  void beforeLaunch(const sim::KernelImage &image, const std::string &op);
  void afterLaunch(const std::string &op, const sim::JobResult &result);

  /// Puts the trace file into its place, and says on stderr what is missing
  /// in it.
  Result<void> finish();

private:
  std::unique_ptr<sim::PerfettoTrace> trace;
  std::optional<sim::CbWatch> watch;
  sim::TraceFan fan;
};

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_TRACING_H
