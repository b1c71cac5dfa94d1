//===- CompileCommand.cpp - chipwright compile ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "package/PackageFile.h"
#include "runtime/KernelReport.h"
#include "runtime/Measurement.h"
#include "runtime/PackageReport.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/ModelOptions.h"
#include "tools/Output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

static constexpr const char *kCommand = "compile";

static constexpr const char *kHelp =
    R"(usage: chipwright compile --model DIR -o F.cwx [options]

Compiles a model to machine code for a chip. The folder needs a config.json;
weights are read when the package runs. One package serves steps of every size
up to its bounds.

)";

static constexpr const char *kExample = R"(
examples:
  chipwright compile --model llama --chip mtia-2i --dtype bf16 -o llama.cwx
  chipwright compile --model llama --max-tokens 64 --stop-after grid
)";

static po::options_description makeOptions() {
  auto text = [](const char *name) {
    return po::value<std::string>()->value_name(name);
  };
  po::options_description options("options", 80, 36);
  options.add_options()("help,h", "this text")(
      "model", text("DIR"), "folder of the model in Hugging Face form")(
      "output,o", text("FILE"), "the package, *.cwx");
  addChipOptions(options);
  addCompileOptions(options);
  options.add_options()(
      "stop-after", text("LEVEL"),
      "print the program of a level instead: llm, grid, program or pe")(
      "json", text("FILE"),
      "write JSON about the package to FILE, - is stdout");
  return options;
}

/// Reads and checks the command line, compiles, writes.
static Result<void> compile(const po::variables_map &values,
                            const std::string &commandLine) {
  auto given = [&](const char *name) {
    return values.count(name) ? values[name].as<std::string>() : std::string();
  };
  std::string level = given("stop-after"), output = given("output"),
              json = given("json");
  const std::vector<std::string> levels = {"llm", "grid", "program", "pe"};
  if (!level.empty() &&
      std::find(levels.begin(), levels.end(), level) == levels.end()) {
    return usageError(fmt::format("--stop-after is '{}', expected llm, grid, "
                                  "program or pe",
                                  level),
                      kCommand);
  }
  if (given("model").empty() || (output.empty() && level.empty())) {
    return usageError(given("model").empty()
                          ? "--model is missing, the folder of a model"
                          : "-o is missing, the file to write",
                      kCommand);
  }
  if (!level.empty() && !json.empty()) {
    return usageError("--stop-after makes no package to write JSON about",
                      kCommand);
  }
  for (const std::string &path : {output, json}) {
    if (!path.empty()) {
      if (auto possible = checkOutput(path); !possible) {
        return possible;
      }
    }
  }
  auto wish = readCompileWish(values, kCommand);
  if (!wish) {
    return wish.error();
  }
  auto chip = readChip(values);
  if (!chip) {
    return chip.error();
  }
  auto model = openModel(given("model"), /*withWeights=*/false);
  if (!model) {
    return model.error();
  }
  CompileRequest request;
  request.config = &model->config;
  request.graph = &model->graph;
  request.chip = &*chip;
  request.productType = wish->dtype.value_or(request.productType);
  auto take = [](const std::optional<uint64_t> &from, int64_t &to) {
    to = from ? static_cast<int64_t>(*from) : to;
  };
  take(wish->maxTokens, request.maxTokens);
  take(wish->maxBatch, request.maxBatch);
  take(wish->maxContext, request.maxContext);
  request.stopAfter = level;
  double before = processCpuSeconds(/*withChildren=*/true);
  auto compiled = compileModel(request);
  if (!compiled) {
    return compiled.error();
  }
  if (!level.empty()) {
    return writeOutput(output.empty() ? "-" : output, compiled->text);
  }
  double seconds = processCpuSeconds(/*withChildren=*/true) - before;
  std::vector<uint8_t> bytes = encodePackage(compiled->package);
  if (auto done = writeOutput(output, {bytes.begin(), bytes.end()}); !done) {
    return done;
  }
  if (!json.empty()) {
    Json all = {{"package", toJson(compiled->package)},
                {"path", output},
                {"compile_cpu_seconds", seconds},
                {"version", versionString()},
                {"command_line", commandLine},
                {"chip_hash", formatHash(chip->hash())},
                {"chip", toJson(*chip)}};
    if (auto done = writeOutput(json, all.dump(2) + "\n"); !done) {
      return done;
    }
  }
  if (json == "-" || output == "-") {
    return {};
  }
  return print(formatPackage(compiled->package) +
               fmt::format("  {:<14}{}, {} bytes, {:.1f} CPU s\n", "file",
                           output, bytes.size(), seconds));
}

int tools::compileCommand(const std::vector<std::string> &arguments,
                          const std::string &commandLine) {
  po::options_description options = makeOptions();
  auto parsed = parseOptions(arguments, options, nullptr, kCommand);
  if (!parsed) {
    return report(parsed.error());
  }
  if (parsed->count("help")) {
    std::ostringstream text;
    text << kHelp << options << kExample;
    auto done = print(text.str());
    return done ? int(ExitOk) : report(done.error());
  }
  auto done = compile(*parsed, commandLine);
  return done ? int(ExitOk) : report(done.error());
}
