//===- CheckpointCommand.cpp - chipwright checkpoint ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "models/MadeUpWeights.h"
#include "tools/Arguments.h"
#include "tools/Commands.h"
#include "tools/Output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;

static constexpr const char *kCommand = "checkpoint";

static constexpr const char *kHelp =
    R"(usage: chipwright checkpoint --preset NAME -o DIR [options]

Writes a checkpoint with made-up weights in Hugging Face form: something to run
where no trained model is at hand. Its time on a chip is that of a trained one
of the same sizes; its tokens mean nothing.

)";

static constexpr const char *kExample = R"(
example:
  chipwright checkpoint --preset llama4-demo -o build/demo
  chipwright run --model build/demo --prompt-ids 1,2,3 --check cpu
)";

static po::options_description makeOptions() {
  po::options_description options("options", 80, 36);
  options.add_options()("help,h", "this text")(
      "preset", po::value<std::string>()->value_name("NAME"),
      fmt::format("sizes: {}", fmt::join(models::presetNames(), ", ")).c_str())(
      "output,o", po::value<std::string>()->value_name("DIR"),
      "a folder that is empty or not there yet")(
      "seed", po::value<uint64_t>()->value_name("N")->default_value(1),
      "of the weights");
  return options;
}

static Result<void> write(const po::variables_map &values) {
  auto given = [&](const char *name) {
    return values.count(name) ? values[name].as<std::string>() : std::string();
  };
  if (given("preset").empty() || given("output").empty()) {
    return usageError(given("preset").empty()
                          ? "--preset is missing, the sizes of the model"
                          : "-o is missing, the folder to write",
                      kCommand);
  }
  auto config = models::presetConfigText(given("preset"));
  if (!config) {
    return config.error();
  }
  models::WeightRule rule;
  rule.seed = values["seed"].as<uint64_t>();
  constexpr uint64_t kShardBytes = uint64_t(4) << 30;
  if (auto done = models::writeMadeUpCheckpoint(
          given("output"), *config, rule, models::ExpertLayout::StackedInOut,
          kShardBytes);
      !done) {
    return done;
  }
  return print(fmt::format("wrote the model {} with made-up weights to {}\n",
                           given("preset"), given("output")));
}

int tools::checkpointCommand(const std::vector<std::string> &arguments,
                             const std::string &) {
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
  auto done = write(*parsed);
  return done ? int(ExitOk) : report(done.error());
}
