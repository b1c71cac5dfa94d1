//===- KernelCommand.cpp - chipwright kernel ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KernelReport.h"
#include "sim/hart/HartOnly.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/KernelJob.h"
#include "tools/Output.h"
#include "tools/Sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

static constexpr const char *kCommand = "kernel";

namespace {

int runSweep(const KernelRequest &request, const std::string &commandLine) {
  std::vector<Strings> points = sweepPoints(request.axes);
  auto work = [&](size_t i) {
    KernelOutcome one = runKernelOnce(request, points[i], commandLine);
    Json packed = {{"status", one.status},
                   {"error", one.error},
                   {"row", one.row},
                   {"json", one.json}};
    return packed.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  auto packed = runInProcesses(points.size(), request.jobs, work);
  if (!packed) {
    return report(packed.error());
  }
  Json list = Json::array();
  std::string table, firstPlace, firstError;
  int status = ExitOk;
  size_t failed = 0, withResult = 0;
  bool toStdout = request.json == "-";
  size_t width = 8;
  for (const Strings &point : points) {
    width = std::max(width, fmt::format("{}", fmt::join(point, " ")).size());
  }
  table = fmt::format("{:<{}} {:>12} {:>12} {:>7} {:>8}  {}\n", "point", width,
                      "cycles", "us", "peak", "DRAM", "verdict");
  for (size_t i = 0; i < points.size(); ++i) {
    Json one = Json::parse((*packed)[i], nullptr, /*allow_exceptions=*/false);
    if (one.is_discarded()) {
      return report({fmt::format("sweep: the worker of point {} answered "
                                 "nothing",
                                 i),
                     ExitStopped});
    }
    std::string error = one["error"].get<std::string>();
    std::string row = one["row"].get<std::string>();
    table +=
        fmt::format("{:<{}} {}\n", fmt::format("{}", fmt::join(points[i], " ")),
                    width, row.empty() ? "error: " + error : row);
    withResult += !row.empty();
    int pointStatus = one["status"].get<int>();
    status = status == ExitOk ? pointStatus : status;
    if (pointStatus != ExitOk && failed++ == 0) {
      firstPlace = fmt::format("{}", fmt::join(points[i], " "));
      firstError = error;
    }
    Json entry = {{"set", points[i]}};
    if (one["json"].is_null()) {
      entry["error"] = error;
    } else {
      entry.update(one["json"]);
    }
    list.push_back(entry);
  }
  // Without any result there is nothing to leave in a file.
  if (!request.json.empty() && (withResult > 0 || toStdout)) {
    Json all = {{"points", list},
                {"version", versionString()},
                {"command_line", commandLine}};
    if (auto done = writeOutput(request.json, all.dump(2) + "\n"); !done) {
      return report(done.error());
    }
  }
  if (!toStdout) {
    if (auto done = print(table); !done) {
      return report(done.error());
    }
  }
  if (failed != 0) {
    return report({fmt::format("{} of {} points of the sweep failed, first "
                               "{}: {}",
                               failed, points.size(), firstPlace, firstError),
                   status});
  }
  return status;
}

int runHart(const KernelRequest &request) {
  Result<ResolvedChip> chip = loadChip(request.chip, request.sets);
  if (!chip) {
    return report(chip.error());
  }
  sim::HartOnlyResult result =
      sim::runHartOnly(chip->spec.hart, request.user->path);
  if (result.status == sim::HartOnlyStatus::BadProgram) {
    return report({result.error, ExitBadInput});
  }
  if (result.status == sim::HartOnlyStatus::Stopped) {
    return report({result.error, ExitStopped});
  }
  if (auto done = print(describe(result) + "\n"); !done) {
    return report(done.error());
  }
  return result.exitCode == 0 ? ExitOk : ExitMismatch;
}
} // namespace

int tools::kernelCommand(const Strings &arguments,
                         const std::string &commandLine) {
  po::options_description visible = kernelOptions();
  po::options_description all(visible);
  all.add_options()("name", po::value<Strings>());
  auto parsed = parseOptions(arguments, all, "name", kCommand);
  if (!parsed) {
    return report(parsed.error());
  }
  if (parsed->count("help")) {
    auto done = print(kernelHelp(visible));
    return done ? int(ExitOk) : report(done.error());
  }
  Result<KernelRequest> request = readKernelRequest(*parsed);
  if (!request) {
    return report(request.error());
  }
  if (!request->json.empty()) {
    if (auto possible = checkOutput(request->json); !possible) {
      return report(possible.error());
    }
  }
  if (request->hartOnly) {
    return runHart(*request);
  }
  setKernelCompiler();
  if (!request->emit.empty()) {
    Result<std::string> text = kernelProgram(*request);
    if (!text) {
      return report(text.error());
    }
    auto done = writeOutput(request->emit, *text);
    return done ? int(ExitOk) : report(done.error());
  }
  if (!request->axes.empty()) {
    return runSweep(*request, commandLine);
  }
  KernelOutcome outcome = runKernelOnce(*request, {}, commandLine);
  if (outcome.json.is_null()) {
    return report({outcome.error, outcome.status});
  }
  // A stopped run has no result to leave in a file.
  bool isWritten = outcome.status != ExitStopped || request->json == "-";
  if (!request->json.empty() && isWritten) {
    std::string text =
        outcome.json.dump(2, ' ', false, Json::error_handler_t::replace);
    if (auto done = writeOutput(request->json, text + "\n"); !done) {
      return report(done.error());
    }
  }
  if (outcome.status == ExitStopped) {
    return report({outcome.error, outcome.status});
  }
  if (request->json != "-" && request->tracing.path != "-") {
    if (auto done = print(outcome.text); !done) {
      return report(done.error());
    }
  }
  if (outcome.status != ExitOk) {
    return report({outcome.error, outcome.status});
  }
  return ExitOk;
}
