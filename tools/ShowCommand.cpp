//===- ShowCommand.cpp - chipwright show ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipReport.h"
#include "package/PackageFile.h"
#include "runtime/KernelReport.h"
#include "runtime/PackageReport.h"
#include "runtime/ProgramListing.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/Output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

static constexpr const char *kHelp = R"(usage: chipwright show WHAT [options]

  show chips      all chips, one line each
  show chip X     peaks, bandwidths and capacities of a chip, a name or a file
  show isa        manual of the custom instructions
  show package F  what a compiled model holds

)";

static constexpr const char *kExample = R"(
examples:
  chipwright show chip mtia-2i
  chipwright show chip mtia-300 --diff mtia-2i
  chipwright show chip mtia-2i --paths     what --set can change, with sources
  chipwright show package llama.cwx --launches --memory-map
)";

static int chips(const po::variables_map &values,
                 const std::string &commandLine) {
  if (!values.count("json")) {
    auto done = print(formatChipTable());
    return done ? int(ExitOk) : report(done.error());
  }
  Json list = Json::array();
  for (const ChipListing &chip : listChips()) {
    list.push_back({{"name", chip.name},
                    {"path", chip.path},
                    {"kind", chip.kind},
                    {"description", chip.description}});
  }
  Json json = {{"chips", list},
               {"version", versionString()},
               {"command_line", commandLine}};
  auto done =
      writeOutput(values["json"].as<std::string>(), json.dump(2) + "\n");
  return done ? int(ExitOk) : report(done.error());
}

static int chip(const po::variables_map &values, const std::string &name,
                const std::string &commandLine) {
  auto sets = values.count("set") ? values["set"].as<std::vector<std::string>>()
                                  : std::vector<std::string>();
  Result<ResolvedChip> first = loadChip(name, sets);
  if (!first) {
    return report(first.error());
  }
  std::string text;
  if (values.count("json")) {
    Json json = {{"chip", toJson(*first)},
                 {"chip_hash", formatHash(first->hash())},
                 {"version", versionString()},
                 {"command_line", commandLine}};
    auto done =
        writeOutput(values["json"].as<std::string>(), json.dump(2) + "\n");
    if (!done) {
      return report(done.error());
    }
    if (values["json"].as<std::string>() == "-") {
      return ExitOk;
    }
  }
  if (values.count("diff")) {
    Result<ResolvedChip> second = loadChip(values["diff"].as<std::string>());
    if (!second) {
      return report(second.error());
    }
    text = formatChipDiff(*first, *second);
  } else {
    text = values.count("paths") ? formatChipPaths(*first) : formatChip(*first);
  }
  auto done = print(text);
  return done ? int(ExitOk) : report(done.error());
}

static int instructionSet() {
  const char *given = std::getenv("CHIPWRIGHT_ISA_MANUAL_FILE");
  std::string path = given && *given ? given : CHIPWRIGHT_ISA_MANUAL;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    return report({path + ": the manual of the instruction set cannot be "
                          "read; build the target update-isa-reference",
                   ExitBadInput});
  }
  auto done = print(text);
  return done ? int(ExitOk) : report(done.error());
}

static int package(const po::variables_map &values, const std::string &path,
                   const std::string &commandLine) {
  Result<Package> read = readPackage(path);
  if (!read) {
    return report(read.error());
  }
  if (values.count("json")) {
    Json json = {{"package", toJson(*read)},
                 {"version", versionString()},
                 {"command_line", commandLine}};
    std::string file = values["json"].as<std::string>();
    if (auto done = writeOutput(file, json.dump(2) + "\n"); !done) {
      return report(done.error());
    }
    if (file == "-") {
      return ExitOk;
    }
  }
  std::string text = formatPackage(*read);
  if (values.count("launches")) {
    text += formatLaunches(*read);
  }
  if (values.count("memory-map")) {
    Result<ResolvedChip> chip = loadChip(
        values.count("chip") ? values["chip"].as<std::string>() : read->chip);
    if (!chip) {
      return report(chip.error());
    }
    Result<std::string> map = formatMemoryMap(*read, chip->spec);
    if (!map) {
      return report(map.error());
    }
    text += *map;
  }
  if (values.count("disasm")) {
    Result<std::string> code = formatPrograms(*read, path);
    if (!code) {
      return report(code.error());
    }
    text += *code;
  }
  auto done = print(text);
  return done ? int(ExitOk) : report(done.error());
}

int tools::showCommand(const std::vector<std::string> &arguments,
                       const std::string &commandLine) {
  po::options_description visible("options", 80, 40);
  visible.add_options()("help,h", "this text")(
      "paths", "every parameter of the chip with unit, range and source")(
      "diff", po::value<std::string>()->value_name("CHIP"),
      "parameters that differ from another chip")(
      "set", po::value<std::vector<std::string>>()->value_name("PATH=VALUE"),
      "change a parameter of the chip; may be repeated")(
      "launches", "package: the launches of a step with their arguments")(
      "memory-map",
      "package: where the buffers lie")("disasm", "package: the machine code")(
      "chip", po::value<std::string>()->value_name("CHIP"),
      "chip of --memory-map, else the one that the package names")(
      "json", po::value<std::string>()->value_name("FILE"),
      "write JSON to FILE, - is stdout");
  po::options_description all(visible);
  all.add_options()("what", po::value<std::vector<std::string>>());
  auto parsed = parseOptions(arguments, all, "what", "show");
  if (!parsed) {
    return report(parsed.error());
  }
  const po::variables_map &values = *parsed;
  if (values.count("help")) {
    auto done = print(fmt::format(
        "{}{}{}", kHelp,
        [&] {
          std::ostringstream text;
          text << visible;
          return text.str();
        }(),
        kExample));
    return done ? int(ExitOk) : report(done.error());
  }
  auto what = values.count("what")
                  ? values["what"].as<std::vector<std::string>>()
                  : std::vector<std::string>();
  if (values.count("json")) {
    auto possible = checkOutput(values["json"].as<std::string>());
    if (!possible) {
      return report(possible.error());
    }
  }
  if (what.empty()) {
    return report(
        usageError("show what: chips, chip X, isa or package F", "show"));
  }
  bool packageOptions = values.count("launches") ||
                        values.count("memory-map") || values.count("disasm") ||
                        values.count("chip");
  if (packageOptions && what[0] != "package") {
    return report(usageError("--launches, --memory-map, --disasm and --chip "
                             "are for show package",
                             "show"));
  }
  if (what[0] == "package") {
    if (what.size() != 2 || values.count("paths") || values.count("diff") ||
        values.count("set")) {
      return report(usageError("show package takes one file and no options of "
                               "show chip",
                               "show"));
    }
    return package(values, what[1], commandLine);
  }
  bool chipOptions =
      values.count("paths") || values.count("diff") || values.count("set");
  if (what[0] != "chip" && (chipOptions || what.size() > 1)) {
    return report(usageError(
        what[0] == "chips" || what[0] == "isa"
            ? fmt::format("show {} takes no chip and no chip options", what[0])
            : fmt::format("there is no '{}' to show", what[0]),
        "show"));
  }
  if (what[0] == "chips") {
    return chips(values, commandLine);
  }
  if (what[0] == "isa") {
    return values.count("json")
               ? report(usageError("show isa has no JSON form", "show"))
               : instructionSet();
  }
  if (what[0] == "chip") {
    if (what.size() != 2) {
      return report(usageError("show chip takes the name of one chip", "show"));
    }
    return chip(values, what[1], commandLine);
  }
  std::string meant = closest(what[0], {"chips", "chip", "isa", "package"});
  return report(usageError(
      fmt::format("there is no '{}' to show{}", what[0],
                  meant.empty() ? "" : ", did you mean " + meant + "?"),
      "show"));
}
