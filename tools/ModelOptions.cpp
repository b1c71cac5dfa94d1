//===- ModelOptions.cpp - Models and packages on the command line ---------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/ModelOptions.h"

#include "models/BlockQuantisation.h"
#include "models/Checkpoint.h"
#include "models/ConfigReader.h"
#include "models/RowQuantisation.h"
#include "tools/Arguments.h"

#include <fmt/format.h>

using namespace chipwright;
using namespace chipwright::tools;
namespace po = boost::program_options;
using Strings = std::vector<std::string>;

void tools::addChipOptions(po::options_description &options) {
  options.add_options()(
      "chip",
      po::value<std::string>()->value_name("NAME")->default_value("mtia-2i"),
      "chip, a name or a YAML file (chipwright show chips)")(
      "set", po::value<Strings>()->value_name("PATH=VALUE")->composing(),
      "change a parameter of the chip; may be repeated");
}

void tools::addCompileOptions(po::options_description &options) {
  auto text = [](const char *name) {
    return po::value<std::string>()->value_name(name);
  };
  options.add_options()("dtype", text("TYPE"),
                        "type of products: bf16 (the default) or fp16; int8, "
                        "fp8_e4m3, fp8_e5m2: linear maps and experts "
                        "quantised, others bf16")(
      "weight-dtype", text("TYPE"),
      "weights of linear maps and experts in memory: same (the default), or "
      "int4 or mxfp4, "
      "which the SIMD engine converts")("max-tokens", text("N"),
                                        "most tokens of a step")(
      "max-batch", text("N"), "most sequences")("max-context", text("N"),
                                                "most tokens of a sequence");
}

Result<CompileWish> tools::readCompileWish(const po::variables_map &values,
                                           const std::string &command) {
  CompileWish wish;
  constexpr uint64_t kMost = uint64_t(1) << 30;
  for (auto [name, target] : {std::pair("max-tokens", &wish.maxTokens),
                              std::pair("max-batch", &wish.maxBatch),
                              std::pair("max-context", &wish.maxContext)}) {
    if (!values.count(name)) {
      continue;
    }
    std::string text = values[name].as<std::string>();
    auto number = parseNumber(text, std::string("--") + name, command);
    if (!number) {
      return number.error();
    }
    if (*number < 1 || *number > kMost) {
      return usageError(
          fmt::format("--{} is {}, expected 1 to {}", name, text, kMost),
          command);
    }
    *target = *number;
  }
  if (values.count("dtype")) {
    std::string text = values["dtype"].as<std::string>();
    wish.dtype = dtypeFromName(text);
    if (wish.dtype && models::rowTypeOf(*wish.dtype)) {
      wish.linearType = wish.dtype;
      wish.dtype = DType::BF16;
    }
    if (wish.dtype != DType::BF16 && wish.dtype != DType::F16) {
      return usageError(fmt::format("--dtype is '{}', expected bf16, fp16, "
                                    "int8, fp8_e4m3 or fp8_e5m2",
                                    text),
                        command);
    }
  }
  if (values.count("weight-dtype")) {
    std::string text = values["weight-dtype"].as<std::string>();
    auto blocks = models::blockTypeFromName(text);
    if (!blocks && text != "same") {
      return usageError(fmt::format("--weight-dtype is '{}', expected same, "
                                    "int4 or mxfp4",
                                    text),
                        command);
    }
    if (blocks && wish.linearType) {
      return usageError(
          fmt::format("--weight-dtype {} goes with products in 16 bits, found "
                      "--dtype {}; use bf16 or fp16",
                      text, dtypeName(*wish.linearType)),
          command);
    }
    wish.weightType =
        blocks ? std::optional(models::codeType(*blocks)) : std::nullopt;
  }
  return wish;
}

Result<ResolvedChip> tools::readChip(const po::variables_map &values) {
  return loadChip(values["chip"].as<std::string>(),
                  values.count("set") ? values["set"].as<Strings>()
                                      : Strings());
}

Result<OpenedModel> tools::openModel(const std::string &directory,
                                     bool withWeights) {
  if (withWeights) {
    auto checkpoint = models::openCheckpoint(directory);
    if (!checkpoint) {
      return checkpoint.error();
    }
    return OpenedModel{std::move(checkpoint->config),
                       std::move(checkpoint->graph),
                       std::move(checkpoint->weights)};
  }
  auto parts = models::openCheckpointConfig(directory);
  if (!parts) {
    return parts.error();
  }
  auto config = models::parseModelConfig(parts->configText, parts->configFile);
  if (!config) {
    return config.error();
  }
  models::Graph graph = models::buildGraph(*config);
  return OpenedModel{config.take(), std::move(graph), std::nullopt};
}
