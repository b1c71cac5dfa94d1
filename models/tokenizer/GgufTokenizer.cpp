//===- GgufTokenizer.cpp - Tokenizers of GGUF files -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/tokenizer/TokenizerData.h"
#include "models/tokenizer/Utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace chipwright::models {

namespace {

constexpr std::string_view advice = "convert the model again";
// Each token is looked up once per place that it can be cut at.
constexpr size_t maxScoredBytes = 512;

/// tokenizer.ggml.token_type.
enum TokenType : int32_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// What a value of tokenizer.ggml.pre stands for.
struct PreSettings {
  std::string_view name;
  std::array<std::string_view, 3> patterns; // one after the other
  bool normalizes; // to NFC, as the published tokenizer.json does
  bool ignoresMerges;
  bool addsBos;
};

constexpr std::string_view none;
const std::array<PreSettings, 12> knownPre = {{
    {"gpt-2", {patterns::gpt2, none, none}, false, false, false},
    {"llama-bpe", {patterns::llama3, none, none}, false, true, true},
    {"llama3", {patterns::llama3, none, none}, false, true, true},
    {"llama-v3", {patterns::llama3, none, none}, false, true, true},
    {"llama4", {patterns::o200k, none, none}, false, false, false},
    {"gpt-4o", {patterns::o200k, none, none}, false, false, false},
    {"qwen2", {patterns::qwen2, none, none}, true, false, false},
    {"deepseek-r1-qwen", {patterns::qwen2, none, none}, false, false, false},
    {"smollm", {patterns::number, patterns::gpt2, none}, false, false, false},
    {"starcoder",
     {patterns::number, patterns::gpt2, none},
     false,
     false,
     false},
    {"refact", {patterns::number, patterns::gpt2, none}, false, false, false},
    {"deepseek-v3",
     {patterns::threeDigits, patterns::deepseekHan, patterns::deepseekWords},
     false,
     false,
     false},
}};

class GgufReader {
public:
  GgufReader(const GgufVocabulary &vocabulary, const std::string &file)
      : given(vocabulary) {
    data.file = file;
  }

  Result<Tokenizer> run() {
    Result<void> done = counts();
    if (done) {
      done = given.model == "gpt2" ? gpt2()
             : given.model == "llama"
                 ? llama()
                 : Result<void>(
                       fault("model", "gpt2 or llama", quoteText(given.model)));
    }
    if (done) {
      done = frame();
    }
    if (!done) {
      return done.error();
    }
    return TokenizerData::finish(std::move(data));
  }

private:
  Diagnostic fault(std::string_view key, std::string_view expected,
                   std::string_view found) const {
    return Diagnostic{fmt::format("{}: tokenizer.ggml.{}: expected {}, found "
                                  "{}; {}",
                                  data.file, key, expected, found, advice)};
  }

  int32_t typeOf(size_t id) const {
    return given.tokenTypes.empty() ? Normal : given.tokenTypes[id];
  }

  Result<void> counts() {
    size_t count = given.tokens.size();
    if (count == 0 || count > static_cast<size_t>(maxVocabulary)) {
      return fault("tokens", fmt::format("1 to {} tokens", maxVocabulary),
                   std::to_string(count));
    }
    if (!given.tokenTypes.empty() && given.tokenTypes.size() != count) {
      return fault("token_type", fmt::format("{} types, one a token", count),
                   std::to_string(given.tokenTypes.size()));
    }
    for (size_t i = 0; i < count; ++i) {
      if (typeOf(i) < Normal || typeOf(i) > Byte) {
        return fault("token_type", "types of 1 to 6",
                     fmt::format("{} for id {}", typeOf(i), i));
      }
      if (!isUtf8(given.tokens[i])) {
        return fault("tokens", "tokens in UTF-8",
                     fmt::format("other bytes for id {}", i));
      }
    }
    return {};
  }

  std::string place(size_t id) const {
    return fmt::format("tokenizer.ggml.tokens[{}]", id);
  }

  Result<void> addAdded(size_t id) {
    AddedToken token;
    token.id = static_cast<int32_t>(id);
    token.content = given.tokens[id];
    token.special = typeOf(id) != UserDefined;
    return data.addToken(std::move(token), false, place(id));
  }

  bool isAdded(size_t id) const {
    int32_t type = typeOf(id);
    return type == Control || type == UserDefined || type == Unknown;
  }

  Result<void> twice(size_t id) const {
    return fault("tokens", "each token once",
                 quoteText(given.tokens[id]) +
                     fmt::format(" again with id {}", id));
  }

  Result<void> gpt2() {
    BytePairModel &model = data.model;
    model.byteLevel = true;
    auto settings =
        std::find_if(knownPre.begin(), knownPre.end(),
                     [&](const PreSettings &p) { return p.name == given.pre; });
    if (settings == knownPre.end()) {
      std::string names;
      for (const PreSettings &known : knownPre) {
        names += (names.empty() ? "" : ", ") + std::string(known.name);
      }
      return Diagnostic{fmt::format(
          "{}: tokenizer.ggml.pre: expected one of {}, found {}; use the "
          "tokenizer.json of the model, which has the pattern",
          data.file, names, quoteText(given.pre))};
    }
    for (size_t id = 0; id < given.tokens.size(); ++id) {
      if (isAdded(id)) {
        Result<void> added = addAdded(id);
        if (!added) {
          return added;
        }
        continue;
      }
      std::optional<std::string> bytes = bytesOfPrintable(given.tokens[id]);
      if (!bytes || bytes->empty()) {
        return fault(
            "tokens", "characters of the printable form of bytes",
            fmt::format("{} for id {}", quoteText(given.tokens[id]), id));
      }
      Result<void> defined =
          data.define(static_cast<int64_t>(id), *bytes, place(id));
      if (!defined) {
        return defined;
      }
      if (bytes->size() == 1) {
        model.byteTokens[static_cast<unsigned char>((*bytes)[0])] =
            static_cast<int32_t>(id);
      }
      if (!model.ids.emplace(*bytes, static_cast<int32_t>(id)).second) {
        return twice(id);
      }
    }
    model.ignoreMerges = settings->ignoresMerges;
    addBos = settings->addsBos;
    if (settings->normalizes) {
      data.normalizer.steps.push_back({NormalizerKind::Nfc, "", {}});
    }
    for (std::string_view pattern : settings->patterns) {
      if (!pattern.empty()) {
        PreTokenizerStep step;
        step.pattern = SplitPattern::compile(pattern, data.file).take();
        data.preTokenizer.steps.push_back(std::move(step));
      }
    }
    return merges();
  }

  Result<void> merges() {
    BytePairModel &model = data.model;
    model.merges.reserve(given.merges.size());
    if (given.merges.size() > 2 * static_cast<size_t>(maxVocabulary)) {
      return fault("merges", fmt::format("at most {}", 2 * maxVocabulary),
                   std::to_string(given.merges.size()));
    }
    for (size_t i = 0; i < given.merges.size(); ++i) {
      std::string_view text = given.merges[i];
      size_t space = text.find(' ');
      auto left = bytesOfPrintable(text.substr(0, space));
      auto right = space == std::string_view::npos
                       ? std::nullopt
                       : bytesOfPrintable(text.substr(space + 1));
      std::string key = fmt::format("merges[{}]", i);
      if (!left || !right || left->empty() || right->empty()) {
        return fault(key, "two tokens with a space between", quoteText(text));
      }
      std::array<int32_t, 3> ids{};
      std::array<std::string, 3> contents = {*left, *right, *left + *right};
      for (size_t k = 0; k < 3; ++k) {
        auto known = model.ids.find(contents[k]);
        if (known == model.ids.end()) {
          return fault(key, "tokens whose parts and sum are in the vocabulary",
                       quoteText(text));
        }
        ids[k] = known->second;
      }
      model.merges.set(ids[0], ids[1], {static_cast<uint32_t>(i), ids[2]});
    }
    return {};
  }

  Result<void> llama() {
    BytePairModel &model = data.model;
    size_t count = given.tokens.size();
    if (given.scores.size() != count) {
      return fault("scores", fmt::format("{} scores, one a token", count),
                   std::to_string(given.scores.size()));
    }
    data.markFrom = spaceMark;
    data.markTo = " ";
    for (size_t id = 0; id < count; ++id) {
      if (std::isnan(given.scores[id])) {
        return fault("scores", "numbers", fmt::format("NaN for id {}", id));
      }
      Result<void> done = isAdded(id) ? addAdded(id) : addScored(id);
      if (!done) {
        return done;
      }
      if (typeOf(id) == Unknown) {
        model.unknown = static_cast<int32_t>(id);
      }
    }
    model.byteFallback = true;
    rankPairs();
    addBos = true;
    bool prefixed = given.addSpacePrefix.value_or(true);
    if (prefixed) {
      data.normalizer.steps.push_back(
          {NormalizerKind::Prepend, std::string(spaceMark), {}});
    }
    data.normalizer.steps.push_back({NormalizerKind::Replace,
                                     std::string(spaceMark),
                                     SplitPattern::literal(" ")});
    data.dropsFirstSpace = prefixed;
    return {};
  }

  Result<void> addScored(size_t id) {
    BytePairModel &model = data.model;
    const std::string &content = given.tokens[id];
    std::string bytes;
    if (typeOf(id) == Byte) {
      std::optional<uint8_t> byte = byteOfToken(content);
      if (!byte || model.byteTokens[*byte] >= 0) {
        return fault("tokens", "each byte once, as <0x00> to <0xFF>",
                     fmt::format("{} for id {}", quoteText(content), id));
      }
      model.byteTokens[*byte] = static_cast<int32_t>(id);
      bytes = std::string(1, static_cast<char>(*byte));
    } else {
      if (content.empty() || content.size() > maxScoredBytes) {
        return fault("tokens",
                     fmt::format("tokens of 1 to {} bytes", maxScoredBytes),
                     fmt::format("{} for id {}", content.size(), id));
      }
      // Unused tokens only decode.
      if (typeOf(id) == Normal &&
          !model.ids.emplace(content, static_cast<int32_t>(id)).second) {
        return twice(id);
      }
      bytes = data.withoutMarks(content);
    }
    return data.define(static_cast<int64_t>(id), bytes, place(id));
  }

  /// The symbol of a part of a token: a token or a code point without one.
  int32_t symbolOf(std::string_view text) {
    BytePairModel &model = data.model;
    if (auto known = model.ids.find(text); known != model.ids.end()) {
      return known->second;
    }
    if (text.size() != firstUnit(text).bytes) {
      return -1;
    }
    auto [place, isNew] = model.virtualIds.emplace(
        text,
        model.virtualBase + static_cast<int32_t>(model.virtualTexts.size()));
    if (isNew) {
      model.virtualTexts.emplace_back(text);
    }
    return place->second;
  }

  /// Pairs merge in the order of falling scores of what they become; equal
  /// scores are equal ranks, of which the leftmost pair merges first.
  void rankPairs() {
    BytePairModel &model = data.model;
    model.virtualBase = static_cast<int32_t>(given.tokens.size());
    std::vector<float> distinct(given.scores);
    std::sort(distinct.begin(), distinct.end(), std::greater<>());
    distinct.erase(std::unique(distinct.begin(), distinct.end()),
                   distinct.end());
    for (size_t id = 0; id < given.tokens.size(); ++id) {
      if (typeOf(id) != Normal) {
        continue;
      }
      auto rank = static_cast<uint32_t>(
          std::lower_bound(distinct.begin(), distinct.end(), given.scores[id],
                           std::greater<>()) -
          distinct.begin());
      std::string_view text = given.tokens[id];
      for (size_t cut = firstUnit(text).bytes; cut < text.size();
           cut += firstUnit(text.substr(cut)).bytes) {
        int32_t left = symbolOf(text.substr(0, cut));
        int32_t right = left < 0 ? -1 : symbolOf(text.substr(cut));
        if (right >= 0) {
          model.merges.set(left, right, {rank, static_cast<int32_t>(id)});
        }
      }
    }
  }

  /// BOS and EOS.
  Result<void> frame() {
    auto id = [&](std::string_view key, const std::optional<int64_t> &value,
                  std::optional<int32_t> &out) -> Result<void> {
      if (!value) {
        return {};
      }
      if (*value < 0 || *value >= static_cast<int64_t>(given.tokens.size())) {
        return fault(key,
                     fmt::format("an id of 0 to {}", given.tokens.size() - 1),
                     std::to_string(*value));
      }
      out = static_cast<int32_t>(*value);
      return {};
    };
    for (Result<void> read : {id("bos_token_id", given.bos, data.bos),
                              id("eos_token_id", given.eos, data.eos),
                              id("unknown_token_id", given.unknown, unknown)}) {
      if (!read) {
        return read;
      }
    }
    if (given.model == "llama" && unknown) {
      data.model.unknown = unknown;
    }
    if (given.addBos.value_or(addBos)) {
      if (!data.bos) {
        return fault("bos_token_id",
                     "an id, as add_bos_token puts it before "
                     "each text",
                     "no such key");
      }
      data.prefix = {*data.bos};
    }
    if (given.addEos.value_or(false)) {
      if (!data.eos) {
        return fault("eos_token_id",
                     "an id, as add_eos_token puts it behind "
                     "each text",
                     "no such key");
      }
      data.suffix = {*data.eos};
    }
    return {};
  }

  const GgufVocabulary &given;
  TokenizerData data;
  bool addBos = false; // where the file does not say
  std::optional<int32_t> unknown;
};

} // namespace

Result<Tokenizer> Tokenizer::fromGguf(const GgufVocabulary &vocabulary,
                                      const std::string &file) {
  return GgufReader(vocabulary, file).run();
}

} // namespace chipwright::models
