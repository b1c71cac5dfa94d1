//===- RunRequest.h - Command line of chipwright run ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_RUNREQUEST_H
#define CHIPWRIGHT_TOOLS_RUNREQUEST_H

#include "chips/Diagnostic.h"
#include "runtime/Sampler.h"
#include "sim/machine/Machine.h"
#include "tools/ModelOptions.h"
#include "tools/Tracing.h"

#include <boost/program_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipwright::tools {

/// What the command line asks for.
struct RunRequest {
  std::string model, package, device, json, saveTensors, saveRouting, routing,
      inject, replay, reproduceOp, reproduceTo;
  sim::Mode mode = sim::Mode::Functional;
  std::vector<std::vector<int32_t>> prompts;
  /// Prompts in words, which become `prompts` when the model's tokenizer is
  /// known.
  std::vector<std::string> texts;
  bool isChat = false;
  int64_t newTokens = 16, prefillTokens = 0;
  bool checkCpu = false, checkOps = false, allLogits = false,
       perplexity = false;
  std::optional<double> errorBound;
  Sampling sampling;
  CompileWish compile;
  uint64_t maxCycles = uint64_t(1) << 40;
  TracingRequest tracing;
  std::string chipOptions; // the words that name the chip
};

boost::program_options::options_description runOptions();

/// \returns the text of --help.
std::string runHelp();

/// Refused: what is no value of its option, and options that do not go
/// together.
Result<RunRequest>
readRunRequest(const boost::program_options::variables_map &values);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_RUNREQUEST_H
