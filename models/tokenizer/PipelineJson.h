//===- PipelineJson.h - Stages of tokenizer.json ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer. Each function reads one section, which may be
// null, and refuses stages and settings that it does not know.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_PIPELINEJSON_H
#define CHIPWRIGHT_MODELS_TOKENIZER_PIPELINEJSON_H

#include "models/JsonText.h"
#include "models/tokenizer/Pipeline.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace chipwright::models {

Result<Normalizer> readNormalizer(const Json *json, const std::string &file);

/// \p byteLevel is set if the pieces go to the model byte by byte.
Result<PreTokenizer> readPreTokenizer(const Json *json, const std::string &file,
                                      bool &byteLevel);

/// Ids that go before and behind a text.
struct TextFrame {
  std::vector<int32_t> prefix, suffix;
};
Result<TextFrame> readPostProcessor(const Json *json, const std::string &file);

/// How a vocabulary's contents become text.
struct TextDecoder {
  bool byteLevel = false;
  bool byteTokens = false; // <0xNN> is a byte
  std::string from, to;    // replaced in each content, if from is not empty
  bool dropsFirstSpace = false;
};
Result<TextDecoder> readDecoder(const Json *json, const std::string &file);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_PIPELINEJSON_H
