//===- KernelRequest.h - Command line of chipwright kernel ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_KERNELREQUEST_H
#define CHIPWRIGHT_TOOLS_KERNELREQUEST_H

#include "chips/Diagnostic.h"
#include "runtime/KernelRun.h"
#include "tools/Sweep.h"
#include "tools/Tracing.h"

#include <boost/program_options.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chipwright::tools {

/// What the command line asks for.
struct KernelRequest {
  const Kernel *kernel = nullptr; // or:
  std::optional<UserKernel> user;
  bool hartOnly = false;
  KernelShape shape;
  RunOptions run;
  std::string chip;
  std::vector<std::string> sets;
  std::vector<SweepAxis> axes;
  unsigned jobs = 1;
  std::string json; // "" is none
  std::string emit; // "" is none
  TracingRequest tracing;
};

boost::program_options::options_description kernelOptions();

/// \returns the text of --help, with \p options described.
std::string
kernelHelp(const boost::program_options::options_description &options);

/// Refused: what is no value of its option, and options that do not go
/// together.
Result<KernelRequest>
readKernelRequest(const boost::program_options::variables_map &values);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_KERNELREQUEST_H
