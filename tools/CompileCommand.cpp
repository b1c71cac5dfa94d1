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
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

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
  chipwright compile --model llama --stop-after grid -o grid.mlir
  chipwright compile --model llama --start-from grid grid.mlir -o llama.cwx
  chipwright compile --model llama -o llama.cwx --print-schedule s.txt
  chipwright compile --model llama -o llama.cwx --schedule s.txt --dump-ir ir

Levels are llm, grid, program, pe, llvm and asm. Their texts hold the type of
products and the bounds; with --start-from no option changes those.
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
      "print the text of a level instead: llm, grid, program, pe, llvm or asm")(
      "start-from",
      po::value<Strings>()->value_name("LEVEL FILE")->multitoken(),
      "begin with the text of a level; --model may be left out with "
      "--stop-after")("dump-ir", text("DIR"),
                      "write the text of every level, as a whole and by "
                      "program, to DIR")(
      "print-schedule", text("FILE"),
      "write the schedules of all programs to FILE, - is stdout")(
      "schedule", text("FILE"),
      "schedules to use, as --print-schedule writes "
      "them; what FILE leaves out is chosen")(
      "timing", "print the time of each pass on stderr")(
      "json", text("FILE"),
      "write JSON about the package to FILE, - is stdout");
  return options;
}

/// What the command line asks for besides the chip and the model.
namespace {
struct Wanted {
  std::string model, output, json, schedules, dump;
  CompileRequest request;
};
} // namespace

static Result<Stage> readStage(const std::string &option,
                               const std::string &name) {
  if (auto stage = stageFromName(name)) {
    return *stage;
  }
  return usageError(fmt::format("{} is '{}', expected llm, grid, program, pe, "
                                "llvm or asm",
                                option, name),
                    kCommand);
}

static Result<std::string> readInput(const std::string &path) {
  std::error_code failed;
  auto type = std::filesystem::status(path, failed).type();
  if (type != std::filesystem::file_type::regular &&
      type != std::filesystem::file_type::fifo) {
    return Diagnostic{path + ": expected a file that can be read, found none",
                      ExitBadInput};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    return Diagnostic{path +
                          ": the file cannot be read: " + std::strerror(errno),
                      ExitBadInput};
  }
  return text;
}

/// Where options do not go together.
static Result<void> checkWanted(const Wanted &wanted, const CompileWish &wish) {
  const CompileRequest &request = wanted.request;
  auto refuse = [](const std::string &message) {
    return usageError(message, kCommand);
  };
  bool isText = request.stopAfter != Stage::Package;
  Stage from = request.startFrom.value_or(Stage::Llm);
  if (wanted.model.empty() && !(request.startFrom && isText)) {
    return refuse("--model is missing, the folder of a model");
  }
  if (wanted.output.empty() && !isText) {
    return refuse("-o is missing, the file to write");
  }
  if (isText && !wanted.json.empty()) {
    return refuse("--stop-after makes no package to write JSON about");
  }
  if (from > request.stopAfter) {
    return refuse(fmt::format("--start-from {} lies behind --stop-after {}",
                              stageName(from), stageName(request.stopAfter)));
  }
  if (request.startFrom && !wish.isEmpty()) {
    return refuse("the text of --start-from says type and bounds (attributes "
                  "llm.product and llm.bounds); leave out --dtype, "
                  "--weight-dtype and --max-*, "
                  "or edit the text");
  }
  bool isScheduled = from <= Stage::Grid && request.stopAfter > Stage::Grid;
  if (!isScheduled &&
      (!request.schedulesName.empty() || !wanted.schedules.empty())) {
    return refuse("--schedule and --print-schedule need the step from level "
                  "grid to program");
  }
  return {};
}

/// Reads and checks the command line.
static Result<Wanted> readWanted(const po::variables_map &values) {
  auto given = [&](const char *name) {
    return values.count(name) ? values[name].as<std::string>() : std::string();
  };
  Wanted wanted;
  wanted.model = given("model");
  wanted.output = given("output");
  wanted.json = given("json");
  wanted.schedules = given("print-schedule");
  wanted.dump = given("dump-ir");
  CompileRequest &request = wanted.request;
  request.wantsTiming = values.count("timing") != 0;
  request.schedulesName = given("schedule");
  if (values.count("stop-after")) {
    auto stage = readStage("--stop-after", given("stop-after"));
    if (!stage) {
      return stage.error();
    }
    request.stopAfter = *stage;
  }
  if (values.count("start-from")) {
    const auto &words = values["start-from"].as<Strings>();
    if (words.size() != 2) {
      return usageError(fmt::format("--start-from takes a level and a file "
                                    "such as 'grid f.mlir', found '{}'",
                                    fmt::join(words, " ")),
                        kCommand);
    }
    auto stage = readStage("--start-from", words[0]);
    if (!stage) {
      return stage.error();
    }
    request.startFrom = *stage;
    request.textName = words[1];
  }
  auto wish = readCompileWish(values, kCommand);
  if (!wish) {
    return wish.error();
  }
  if (auto good = checkWanted(wanted, *wish); !good) {
    return good.error();
  }
  request.productType = wish->dtype.value_or(request.productType);
  request.linearType = wish->linearType;
  request.weightType = wish->weightType;
  auto take = [](const std::optional<uint64_t> &from, int64_t &to) {
    to = from ? static_cast<int64_t>(*from) : to;
  };
  take(wish->maxTokens, request.maxTokens);
  take(wish->maxBatch, request.maxBatch);
  take(wish->maxContext, request.maxContext);
  for (const std::string &path :
       {wanted.output, wanted.json, wanted.schedules}) {
    if (!path.empty()) {
      if (auto possible = checkOutput(path); !possible) {
        return possible.error();
      }
    }
  }
  for (auto [path, text] :
       {std::pair(&request.textName, &request.text),
        std::pair(&request.schedulesName, &request.schedules)}) {
    if (!path->empty()) {
      auto read = readInput(*path);
      if (!read) {
        return read.error();
      }
      *text = read.take();
    }
  }
  return wanted;
}

/// Writes a file of --dump-ir.
static Result<void> dumpFile(const std::string &folder, const std::string &file,
                             const std::string &contents) {
  std::filesystem::path path = std::filesystem::path(folder) / file;
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  if (failed) {
    return Diagnostic{fmt::format("{}: cannot be made for --dump-ir: {}; name "
                                  "a folder",
                                  path.parent_path().string(),
                                  failed.message()),
                      ExitBadInput};
  }
  return writeOutput(path.string(), contents);
}

/// Compiles and writes.
static Result<void> compile(const po::variables_map &values,
                            const std::string &commandLine) {
  auto read = readWanted(values);
  if (!read) {
    return read.error();
  }
  Wanted &wanted = *read;
  CompileRequest &request = wanted.request;
  const std::string &output = wanted.output, &json = wanted.json;
  auto chip = readChip(values);
  if (!chip) {
    return chip.error();
  }
  request.chip = &*chip;
  std::optional<OpenedModel> model;
  if (!wanted.model.empty()) {
    auto opened = openModel(wanted.model, /*withWeights=*/false);
    if (!opened) {
      return opened.error();
    }
    model = opened.take();
    request.config = &model->config;
    request.graph = &model->graph;
  }
  if (!wanted.dump.empty()) {
    request.dump = [&](const std::string &file, const std::string &contents) {
      return dumpFile(wanted.dump, file, contents);
    };
  }
  double before = processCpuSeconds(/*withChildren=*/true);
  auto compiled = compileModel(request);
  if (!compiled) {
    return compiled.error();
  }
  std::fputs(compiled->timing.c_str(), stderr);
  if (!wanted.schedules.empty()) {
    if (auto done = writeOutput(wanted.schedules, compiled->schedules); !done) {
      return done;
    }
  }
  if (request.stopAfter != Stage::Package) {
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
  if (json == "-" || output == "-" || wanted.schedules == "-") {
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
