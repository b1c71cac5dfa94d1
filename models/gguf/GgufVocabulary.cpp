//===- GgufVocabulary.cpp - What a GGUF file says of tokens -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufVocabulary.h"
#include "models/JsonText.h"

#include <fmt/format.h>

namespace chipwright::models {

namespace {

constexpr std::string_view tokensKey = "tokenizer.ggml.tokens";

/// Reads keys into a vocabulary; the first fault is kept.
class VocabularyReader {
public:
  explicit VocabularyReader(const GgufMetadata &metadata) : keys(metadata) {}

  Result<GgufVocabulary> read() {
    set(result.model, keys.text("tokenizer.ggml.model"));
    set(result.pre, keys.text("tokenizer.ggml.pre", ""));
    set(result.tokens, keys.texts(tokensKey));
    if (!fault && result.tokens.empty()) {
      fault = keys.refuse(tokensKey, "one token or more", "none", advice);
    }
    readLists();
    readId("bos_token_id", result.bos);
    readId("eos_token_id", result.eos);
    readId("eot_token_id", result.eot);
    readId("eom_token_id", result.eom);
    readId("unknown_token_id", result.unknown);
    readId("padding_token_id", result.padding);
    readFlag("add_bos_token", result.addBos);
    readFlag("add_eos_token", result.addEos);
    readFlag("add_space_prefix", result.addSpacePrefix);
    set(result.chatTemplate, keys.text("tokenizer.chat_template", ""));
    if (fault) {
      return *fault;
    }
    return std::move(result);
  }

private:
  static constexpr std::string_view advice =
      "convert the model with a current converter";

  template <typename T> bool set(T &target, Result<T> value) {
    if (!value) {
      fault = fault ? fault : value.error();
      return false;
    }
    target = value.take();
    return true;
  }

  void readLists() {
    constexpr std::string_view scores = "tokenizer.ggml.scores";
    constexpr std::string_view types = "tokenizer.ggml.token_type";
    constexpr std::string_view merges = "tokenizer.ggml.merges";
    std::vector<double> numbers;
    if (keys.has(scores) && set(numbers, keys.reals(scores)) &&
        checkLength(scores, numbers.size())) {
      for (double number : numbers) {
        result.scores.push_back(static_cast<float>(number));
      }
    }
    std::vector<int64_t> kinds;
    if (keys.has(types) && set(kinds, keys.integers(types)) &&
        checkLength(types, kinds.size())) {
      for (int64_t kind : kinds) {
        if (kind < 1 || kind > 6) {
          refuse(types, "types from 1 to 6", std::to_string(kind));
          return;
        }
        result.tokenTypes.push_back(static_cast<int32_t>(kind));
      }
    }
    if (keys.has(merges) && set(result.merges, keys.texts(merges))) {
      for (const std::string &merge : result.merges) {
        // The space follows the first text, which may be a space itself in
        // files of other converters but is never empty.
        size_t space = merge.find(' ', 1);
        if (space == std::string::npos || space + 1 == merge.size()) {
          refuse(merges, "two texts with a space between them",
                 quoteText(merge));
          return;
        }
      }
    }
  }

  bool checkLength(std::string_view key, size_t length) {
    if (length != result.tokens.size()) {
      refuse(
          key,
          fmt::format("one entry for each of {} tokens", result.tokens.size()),
          std::to_string(length));
      return false;
    }
    return true;
  }

  void refuse(std::string_view key, std::string_view expected,
              std::string_view found) {
    if (!fault) {
      fault = keys.refuse(key, expected, found, advice);
    }
  }

  void readId(std::string_view name, std::optional<int64_t> &id) {
    std::string key = fmt::format("tokenizer.ggml.{}", name);
    if (!keys.has(key) || fault) {
      return;
    }
    int64_t value = 0;
    if (set(value,
            keys.integer(key, 0,
                         static_cast<int64_t>(result.tokens.size()) - 1))) {
      id = value;
    }
  }

  void readFlag(std::string_view name, std::optional<bool> &flag) {
    std::string key = fmt::format("tokenizer.ggml.{}", name);
    bool value = false;
    if (keys.has(key) && set(value, keys.boolean(key))) {
      flag = value;
    }
  }

  const GgufMetadata &keys;
  GgufVocabulary result;
  std::optional<Diagnostic> fault;
};

} // namespace

Result<GgufVocabulary> readGgufVocabulary(const GgufMetadata &metadata) {
  return VocabularyReader(metadata).read();
}

} // namespace chipwright::models
