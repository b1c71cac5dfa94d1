//===- KernelJob.h - One run of chipwright kernel ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_KERNELJOB_H
#define CHIPWRIGHT_TOOLS_KERNELJOB_H

#include "tools/KernelRequest.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace chipwright::tools {

/// What became of one run.
struct KernelOutcome {
  int status = ExitOk;
  std::string error; // why there is no result
  std::string text;  // for people
  std::string row;   // of a sweep's table
  nlohmann::ordered_json json;
};

/// Gives the runtime the compiler for tile programs.
void setKernelCompiler();

/// Compiles and runs once, with \p more settings of the chip than the
/// request's.
KernelOutcome runKernelOnce(const KernelRequest &request,
                            const std::vector<std::string> &more,
                            const std::string &commandLine);

/// \returns the tile program of --emit.
Result<std::string> kernelProgram(const KernelRequest &request);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_KERNELJOB_H
