//===- TokenizerTestSupport.h - Small tokenizers for tests ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_MODELS_TOKENIZER_TOKENIZERTESTSUPPORT_H
#define CHIPWRIGHT_TESTS_UNIT_MODELS_TOKENIZER_TOKENIZERTESTSUPPORT_H

#include "models/tokenizer/Tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <string>
#include <vector>

namespace chipwright::models {

using Ids = std::vector<int32_t>;

/// The character that stands for \p byte in byte-level vocabularies.
inline std::string printableOf(int byte) {
  int code = byte;
  if (!((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) ||
        byte >= 174)) {
    // The others in order: 0..32, 127..160, 173.
    code = 256 + (byte <= 32 ? byte : byte <= 160 ? byte - 94 : 67);
  }
  if (code < 0x80) {
    return std::string(1, static_cast<char>(code));
  }
  return {static_cast<char>(0xc0 | (code >> 6)),
          static_cast<char>(0x80 | (code & 0x3f))};
}

/// A byte-level tokenizer.json: ids 0..255 are the bytes, then come the sums
/// of \p merges, each "left right" in printable form.
inline nlohmann::json byteLevelJson(
    const std::vector<std::string> &merges,
    const std::string &pattern = R"( ?\p{L}+| ?[^\s\p{L}]+|\s+(?!\S)|\s+)") {
  nlohmann::json vocab = nlohmann::json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocab[printableOf(byte)] = byte;
  }
  for (const std::string &merge : merges) {
    std::string whole = merge;
    whole.erase(whole.find(' '), 1);
    vocab[whole] = vocab.size();
  }
  return {{"added_tokens", nlohmann::json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             {{{"type", "Split"},
               {"pattern", {{"Regex", pattern}}},
               {"behavior", "Isolated"},
               {"invert", false}},
              {{"type", "ByteLevel"},
               {"add_prefix_space", false},
               {"use_regex", false}}}}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

/// Adds a token to \p json.
inline void addToken(nlohmann::json &json, int id, const std::string &content,
                     bool special, nlohmann::json flags = {}) {
  nlohmann::json token = {
      {"id", id}, {"content", content}, {"special", special}};
  if (flags.is_object()) {
    token.update(flags);
  }
  if (!token.contains("normalized")) {
    token["normalized"] = false;
  }
  json["added_tokens"].push_back(token);
}

inline Tokenizer load(const nlohmann::json &json) {
  auto tokenizer = Tokenizer::fromJson(json.dump(), "tokenizer.json");
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message;
    std::abort();
  }
  return tokenizer.take();
}

inline Ids encode(const Tokenizer &tokenizer, std::string_view text,
                  bool addSpecial = false, bool parseSpecial = true) {
  auto ids = tokenizer.encode(text, addSpecial, parseSpecial);
  EXPECT_TRUE(ids) << ids.error().message;
  return ids ? ids.take() : Ids();
}

inline std::string decode(const Tokenizer &tokenizer, const Ids &ids,
                          bool skipSpecial = false) {
  auto text = tokenizer.decode(ids, skipSpecial);
  EXPECT_TRUE(text) << text.error().message;
  return text ? text.take() : std::string();
}

/// \returns the contents of a gzip file of tests/golden/tokenizers.
inline std::string readFixture(const std::string &name) {
  std::string path = CHIPWRIGHT_SOURCE_DIR "/tests/golden/tokenizers/" + name;
  gzFile file = gzopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << path;
  std::string data;
  std::vector<char> buffer(1 << 16);
  for (int got = 0;
       file && (got = gzread(file, buffer.data(), buffer.size())) > 0;) {
    data.append(buffer.data(), got);
  }
  if (file) {
    gzclose(file);
  }
  return data;
}

} // namespace chipwright::models

#endif // CHIPWRIGHT_TESTS_UNIT_MODELS_TOKENIZER_TOKENIZERTESTSUPPORT_H
