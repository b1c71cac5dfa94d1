//===- ConfigReader.cpp - config.json to ModelConfig ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "models/Families.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace chipwright::models {

namespace {

struct Family {
  std::string_view modelType;
  Result<ModelConfig> (*read)(const Json &top, const std::string &file);
};

constexpr Family families[] = {
    {"llama4", readLlama4Config},        {"llama4_text", readLlama4Config},
    {"llama", readLlamaConfig},          {"mixtral", readMixtralConfig},
    {"qwen3_moe", readQwen3Config},      {"qwen3", readQwen3Config},
    {"gpt_oss", readGptOssConfig},       {"muse_glimmer", readMuseConfig},
    {"deepseek_v3", readDeepSeekConfig},
};

// Published files have a few KB, those with long lists of quantised modules
// some hundred.
constexpr uint64_t maxConfigBytes = 16 << 20;

std::string knownTypes() {
  std::string names;
  for (const Family &family : families) {
    names += names.empty() ? "" : ", ";
    names += family.modelType;
  }
  return names;
}

} // namespace

Result<ModelConfig> parseModelConfig(std::string_view text,
                                     const std::string &file) {
  Result<Json> top = parseJson(text, file);
  if (!top) {
    return top.error();
  }
  if (!top->is_object()) {
    return Diagnostic{fmt::format(
        "{}: expected an object with model_type and the model's sizes, found "
        "{}; take the config.json published with the model",
        file, describeJson(*top))};
  }
  ConfigFields fields(*top, file, "");
  std::string type = fields.text("model_type");
  if (fields.fault()) {
    return *fields.fault();
  }
  for (const Family &family : families) {
    if (family.modelType == type) {
      return family.read(*top, file);
    }
  }
  fields.refuse("model_type", "one of " + knownTypes(), quoteText(type),
                "no other family is read");
  return *fields.fault();
}

Result<ModelConfig> readModelConfig(const std::string &file) {
  Result<std::string> text =
      readTextFile(file, maxConfigBytes, "a config.json");
  return text ? parseModelConfig(*text, file)
              : Result<ModelConfig>(text.error());
}

std::vector<std::string> presetNames() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto &entry :
       std::filesystem::directory_iterator(CHIPWRIGHT_PRESETS_DIR, error)) {
    if (entry.path().extension() == ".json") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> presetConfigText(const std::string &name) {
  std::vector<std::string> names = presetNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return Diagnostic{fmt::format("expected a model preset of {}, found {}; "
                                  "name one of these",
                                  fmt::join(names, ", "), quoteText(name))};
  }
  return readTextFile(fmt::format("{}/{}.json", CHIPWRIGHT_PRESETS_DIR, name),
                      maxConfigBytes, "a config.json");
}

} // namespace chipwright::models
