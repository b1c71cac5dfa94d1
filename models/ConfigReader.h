//===- ConfigReader.h - config.json to ModelConfig --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_CONFIGREADER_H
#define CHIPWRIGHT_MODELS_CONFIGREADER_H

#include "chips/Diagnostic.h"
#include "models/ModelConfig.h"

#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

/// Reads the config.json \p file. Refused, with file, key, what was expected
/// and found: a model_type that no reader knows, missing keys, wrong types,
/// sizes that do not divide, and everything that the model could ask for and
/// this project would compute wrongly.
Result<ModelConfig> readModelConfig(const std::string &file);

/// The same on \p text; \p file names it in messages.
Result<ModelConfig> parseModelConfig(std::string_view text,
                                     const std::string &file);

/// \returns the text of the config.json of the preset \p name.
Result<std::string> presetConfigText(const std::string &name);

/// \returns the names that presetConfigText() takes, sorted.
std::vector<std::string> presetNames();

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_CONFIGREADER_H
