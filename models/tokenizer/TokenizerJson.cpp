//===- TokenizerJson.cpp - Reader of tokenizer.json -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigFields.h"
#include "models/tokenizer/PipelineJson.h"
#include "models/tokenizer/TokenizerData.h"

#include <fmt/format.h>

#include <set>
#include <unordered_map>

namespace chipwright::models {

namespace {

constexpr std::string_view advice = "take the file published with the model";

class JsonReader {
public:
  JsonReader(const Json &document, const std::string &file)
      : root(document), fields(document, file, "") {
    data.file = file;
  }

  Result<Tokenizer> run() {
    for (auto step : {&JsonReader::stages, &JsonReader::modelSettings,
                      &JsonReader::addedTokens, &JsonReader::vocabulary,
                      &JsonReader::merges}) {
      Result<void> done = (this->*step)();
      if (!done) {
        return done.error();
      }
    }
    for (size_t i = 0; i < tokens.size(); ++i) {
      bool known = vocab->contains(tokens[i].content);
      Result<void> added = data.addToken(std::move(tokens[i]), known,
                                         fmt::format("added_tokens[{}]", i));
      if (!added) {
        return added.error();
      }
    }
    return TokenizerData::finish(std::move(data));
  }

private:
  Diagnostic fault(std::string_view path, std::string_view expected,
                   std::string_view found) const {
    return Diagnostic{fmt::format("{}: {}: expected {}, found {}; {}",
                                  data.file, path, expected, found, advice)};
  }

  const Json *find(const Json &object, const char *key) const {
    auto place = object.find(key);
    return place == object.end() || place->is_null() ? nullptr : &*place;
  }

  Result<void> stages() {
    auto normalizer = readNormalizer(find(root, "normalizer"), data.file);
    if (!normalizer) {
      return normalizer.error();
    }
    auto preTokenizer = readPreTokenizer(find(root, "pre_tokenizer"), data.file,
                                         data.model.byteLevel);
    if (!preTokenizer) {
      return preTokenizer.error();
    }
    auto frame = readPostProcessor(find(root, "post_processor"), data.file);
    if (!frame) {
      return frame.error();
    }
    auto read = readDecoder(find(root, "decoder"), data.file);
    if (!read) {
      return read.error();
    }
    decoder = read.take();
    if (decoder.byteLevel != data.model.byteLevel) {
      return fault("decoder",
                   data.model.byteLevel ? "ByteLevel, as the pre_tokenizer is"
                                        : "stages other than ByteLevel, which "
                                          "the pre_tokenizer has not",
                   decoder.byteLevel ? "ByteLevel" : "none");
    }
    if (!decoder.byteLevel && decoder.from.empty() && !decoder.byteTokens) {
      return fault("decoder",
                   "ByteLevel or a Sequence of Replace, "
                   "ByteFallback, Fuse and Strip",
                   "neither");
    }
    data.normalizer = normalizer.take();
    data.preTokenizer = preTokenizer.take();
    data.prefix = frame->prefix;
    data.suffix = frame->suffix;
    data.dropsFirstSpace = decoder.dropsFirstSpace;
    data.markFrom = decoder.from;
    data.markTo = decoder.to;
    if (!data.prefix.empty()) {
      data.bos = data.prefix.front();
    }
    if (!data.suffix.empty()) {
      data.eos = data.suffix.back();
    }
    return {};
  }

  Result<void> modelSettings() {
    model = fields.object("model");
    if (!model) {
      return fields.fault() ? *fields.fault()
                            : fault("model", "an object", "no such key");
    }
    ConfigFields settings(*model, data.file, "model");
    // Files written before the type was are BPE where they have merges.
    std::string type = settings.text("type", "BPE");
    if (type != "BPE") {
      settings.refuse("type", "BPE",
                      "use a tokenizer of a family that "
                      "docs/tokenizers.md names");
    }
    if (settings.real("dropout", 0, 1, 0) != 0) {
      settings.refuse("dropout", "null or 0, which chance has no part in",
                      "set it to null");
    }
    for (const char *key :
         {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!settings.text(key, "").empty()) {
        settings.refuse(key, "null or an empty text", advice);
      }
    }
    data.model.ignoreMerges = settings.boolean("ignore_merges", false);
    data.model.byteFallback = settings.boolean("byte_fallback", false);
    data.model.fuseUnknown = settings.boolean("fuse_unk", false);
    if (settings.isGiven("unk_token")) {
      unknownText = settings.text("unk_token");
    }
    vocab = settings.object("vocab");
    if (settings.fault()) {
      return *settings.fault();
    }
    if (!vocab || vocab->empty()) {
      return fault("model.vocab", "an object of tokens and ids",
                   vocab ? "an empty one" : "no such key");
    }
    return {};
  }

  Result<void> addedTokens() {
    const Json *list = find(root, "added_tokens");
    if (list && !list->is_array()) {
      return fault("added_tokens", "a list", describeJson(*list));
    }
    for (size_t i = 0; list && i < list->size(); ++i) {
      std::string path = fmt::format("added_tokens[{}]", i);
      if (!(*list)[i].is_object()) {
        return fault(path, "an object", describeJson((*list)[i]));
      }
      ConfigFields entry((*list)[i], data.file, path);
      AddedToken token;
      token.id =
          static_cast<int32_t>(entry.integer("id", 0, maxVocabulary - 1));
      token.content = entry.text("content");
      token.special = entry.boolean("special", false);
      token.leftStrip = entry.boolean("lstrip", false);
      token.rightStrip = entry.boolean("rstrip", false);
      token.singleWord = entry.boolean("single_word", false);
      token.normalized = entry.boolean("normalized", !token.special);
      if (entry.fault()) {
        return *entry.fault();
      }
      if (auto known = vocab->find(token.content);
          known != vocab->end() && *known != token.id) {
        return fault(path + ".id",
                     fmt::format("the id {} that the vocabulary has for {}",
                                 describeJson(*known),
                                 quoteText(token.content)),
                     std::to_string(token.id));
      }
      addedContents.insert(token.content);
      tokens.push_back(std::move(token));
    }
    data.expectTokens(vocab->size() + tokens.size());
    return {};
  }

  /// The bytes that a content of the vocabulary decodes to, not byte-level.
  std::string decoded(const std::string &content) const {
    if (decoder.byteTokens) {
      if (std::optional<uint8_t> byte = byteOfToken(content)) {
        return std::string(1, static_cast<char>(*byte));
      }
    }
    return data.withoutMarks(content);
  }

  Result<void> vocabulary() {
    BytePairModel &out = data.model;
    out.ids.reserve(vocab->size());
    idsOfContents.reserve(vocab->size());
    for (const auto &[content, value] : vocab->items()) {
      std::string path = "model.vocab." + quoteText(content);
      if (!value.is_number_unsigned() ||
          value.get<uint64_t>() >= static_cast<uint64_t>(data.idLimit)) {
        return fault(path, fmt::format("an id of 0 to {}", data.idLimit - 1),
                     describeJson(value));
      }
      auto id = value.get<int32_t>();
      std::string bytes;
      std::string key = content;
      if (out.byteLevel) {
        std::optional<std::string> mapped = bytesOfPrintable(content);
        if (!mapped && !addedContents.contains(content)) {
          return fault(
              path,
              "characters of the printable form of bytes, as ByteLevel "
              "needs",
              "others");
        }
        // An added token of other characters never comes out of merges.
        bytes = mapped.value_or(content);
        key = mapped.value_or("");
        if (mapped && bytes.size() == 1) {
          out.byteTokens[static_cast<unsigned char>(bytes[0])] = id;
        }
      } else {
        bytes = decoded(content);
        if (std::optional<uint8_t> byte = byteOfToken(content);
            byte && out.byteFallback) {
          out.byteTokens[*byte] = id;
        }
      }
      Result<void> defined = data.define(id, bytes, path);
      if (!defined) {
        return defined;
      }
      if (!key.empty()) {
        out.ids.emplace(std::move(key), id);
      }
      idsOfContents.emplace(content, id);
    }
    if (unknownText) {
      auto unknown = vocab->find(*unknownText);
      if (unknown == vocab->end()) {
        return fault("model.unk_token", "a token of the vocabulary",
                     quoteText(*unknownText));
      }
      out.unknown = unknown->get<int32_t>();
    }
    return {};
  }

  /// The two contents that the merge \p item joins, or false.
  static bool partsOf(const Json &item, std::string_view &left,
                      std::string_view &right) {
    if (item.is_string()) {
      std::string_view text = item.get_ref<const std::string &>();
      size_t space = text.find(' ');
      if (space == std::string_view::npos ||
          text.find(' ', space + 1) != std::string_view::npos) {
        return false;
      }
      left = text.substr(0, space);
      right = text.substr(space + 1);
    } else if (item.is_array() && item.size() == 2 && item[0].is_string() &&
               item[1].is_string()) {
      left = item[0].get_ref<const std::string &>();
      right = item[1].get_ref<const std::string &>();
    } else {
      return false;
    }
    return !left.empty() && !right.empty();
  }

  Result<void> merges() {
    const Json *list = find(*model, "merges");
    if (!list || !list->is_array()) {
      return fault("model.merges", "a list of merges",
                   list ? describeJson(*list) : "no such key");
    }
    data.model.merges.reserve(list->size());
    std::string whole;
    for (size_t i = 0; i < list->size(); ++i) {
      std::string_view left, right;
      if (!partsOf((*list)[i], left, right)) {
        return fault(fmt::format("model.merges[{}]", i),
                     "two tokens, as [\"a\", \"b\"] or \"a b\"",
                     describeJson((*list)[i]));
      }
      whole.assign(left).append(right);
      std::array<int32_t, 3> ids{};
      std::array<std::string_view, 3> contents = {left, right, whole};
      for (size_t k = 0; k < 3; ++k) {
        auto place = idsOfContents.find(contents[k]);
        if (place == idsOfContents.end()) {
          return fault(fmt::format("model.merges[{}]", i),
                       "tokens whose parts and sum are in the vocabulary",
                       quoteText(contents[k]) + ", which is not");
        }
        ids[k] = place->second;
      }
      data.model.merges.set(ids[0], ids[1], {static_cast<uint32_t>(i), ids[2]});
    }
    return {};
  }

  const Json &root;
  ConfigFields fields;
  TokenizerData data;
  TextDecoder decoder;
  const Json *model = nullptr;
  const Json *vocab = nullptr;
  // As vocab, for the many look-ups of merges.
  std::unordered_map<std::string_view, int32_t> idsOfContents;
  std::optional<std::string> unknownText;
  std::vector<AddedToken> tokens;
  std::set<std::string, std::less<>> addedContents;
};

} // namespace

Result<Tokenizer> Tokenizer::fromJson(std::string_view text,
                                      const std::string &file) {
  Result<Json> json = parseJson(text, file);
  if (!json) {
    return json.error();
  }
  if (!json->is_object()) {
    return Diagnostic{fmt::format("{}: expected a tokenizer.json, an object "
                                  "with the key model, found {}; {}",
                                  file, describeJson(*json), advice)};
  }
  return JsonReader(*json, file).run();
}

} // namespace chipwright::models
