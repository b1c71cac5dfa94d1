//===- Tokenizer.cpp - Text to tokens and back ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/Tokenizer.h"
#include "models/JsonText.h"
#include "models/tokenizer/TokenizerData.h"
#include "models/tokenizer/Utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace chipwright::models {

namespace {

// One piece of this many symbols takes two gigabytes while it merges.
constexpr size_t maxTextBytes = size_t(64) << 20;
constexpr uint64_t maxFileBytes = uint64_t(256) << 20;

/// The 256 printable forms, inverted.
constexpr std::array<int16_t, 324> makePrintable() {
  std::array<int16_t, 324> bytes{};
  for (int16_t &entry : bytes) {
    entry = -1;
  }
  int other = 256;
  for (int b = 0; b < 256; ++b) {
    bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    bytes[itself ? b : other++] = static_cast<int16_t>(b);
  }
  return bytes;
}
constexpr auto printable = makePrintable();

/// Takes the well-formed front of \p bytes out as text. What is ill-formed
/// becomes U+FFFD; an incomplete end stays, unless this is the \p last text.
std::string takeText(std::string &bytes, bool last) {
  std::string text;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    Utf8Unit unit = firstUnit(rest);
    if (unit.incomplete && !last) {
      break;
    }
    if (unit.wellFormed) {
      text += rest.substr(0, unit.bytes);
    } else {
      appendUtf8(text, replacementCharacter);
    }
    rest.remove_prefix(unit.bytes);
  }
  bytes = std::string(rest);
  return text;
}

/// One call of encode().
class Encoding {
public:
  Encoding(const TokenizerData &tables, std::string_view input,
           std::vector<int32_t> &tokens)
      : data(tables), whole(input), budget(input.size()), out(tokens) {}

  Result<void> run(bool parseSpecial) {
    for (const TextPart &part : data.exact.split(whole, parseSpecial)) {
      if (part.token) {
        out.push_back(part.token->id);
        continue;
      }
      Result<void> done = encodeText(part.text, parseSpecial);
      if (!done) {
        return done;
      }
    }
    return {};
  }

private:
  Result<void> encodeText(std::string_view text, bool parseSpecial) {
    bool atStart = text.data() == whole.data();
    if (data.normalizer.steps.empty() && data.normalized.empty()) {
      return encodePieces(std::string(text), atStart);
    }
    Result<std::string> normal = data.normalizer.apply(text, budget);
    if (!normal) {
      return Diagnostic{data.file + ": normalizer: " + normal.error().message};
    }
    for (const TextPart &part : data.normalized.split(*normal, parseSpecial)) {
      if (part.token) {
        out.push_back(part.token->id);
        continue;
      }
      Result<void> done =
          encodePieces(std::string(part.text),
                       atStart && part.text.data() == normal->data());
      if (!done) {
        return done;
      }
    }
    return {};
  }

  Result<void> encodePieces(std::string text, bool atStart) {
    Result<void> split = data.preTokenizer.apply(text, pieces, atStart, budget);
    if (!split) {
      return split;
    }
    for (const ByteRange &piece : pieces) {
      data.model.encode(
          std::string_view(text).substr(piece.begin, piece.end - piece.begin),
          scratch, out);
    }
    return {};
  }

  const TokenizerData &data;
  std::string_view whole;
  StepBudget budget;
  std::vector<int32_t> &out;
  BytePairModel::Scratch scratch;
  std::vector<ByteRange> pieces;
};

} // namespace

std::optional<uint8_t> byteOfPrintable(uint32_t code) {
  if (code >= printable.size() || printable[code] < 0) {
    return std::nullopt;
  }
  return static_cast<uint8_t>(printable[code]);
}

std::optional<std::string> bytesOfPrintable(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    Utf8Unit unit = firstUnit(text);
    std::optional<uint8_t> byte =
        unit.wellFormed ? byteOfPrintable(unit.code) : std::nullopt;
    if (!byte) {
      return std::nullopt;
    }
    bytes += static_cast<char>(*byte);
    text.remove_prefix(unit.bytes);
  }
  return bytes;
}

std::optional<uint8_t> byteOfToken(std::string_view content) {
  if (content.size() != 6 || !content.starts_with("<0x") ||
      content.back() != '>') {
    return std::nullopt;
  }
  int value = 0;
  for (char c : content.substr(3, 2)) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + (c - '0');
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + (c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return static_cast<uint8_t>(value);
}

Result<void> TokenizerData::define(int64_t id, std::string_view bytes,
                                   const std::string &place) {
  if (id < 0 || id >= idLimit) {
    return Diagnostic{fmt::format("{}: {}: expected an id of 0 to {}, found "
                                  "{}; take the file published with the model",
                                  file, place, idLimit - 1, id)};
  }
  if (bytes.size() > maxTokenBytes) {
    return Diagnostic{fmt::format("{}: {}: expected at most {} bytes for the "
                                  "token with id {}, found {}; take the file "
                                  "published with the model",
                                  file, place, maxTokenBytes, id,
                                  bytes.size())};
  }
  auto index = static_cast<size_t>(id);
  if (index >= entries.size()) {
    entries.resize(index + 1);
  }
  if (entries[index].exists) {
    return Diagnostic{fmt::format("{}: {}: expected one token for each id, "
                                  "found a second one with id {}; take the "
                                  "file published with the model",
                                  file, place, id)};
  }
  entries[index] = {std::string(bytes), true, false};
  return {};
}

Result<void> TokenizerData::addToken(AddedToken token, bool known,
                                     const std::string &place) {
  if (token.content.empty()) {
    return Diagnostic{fmt::format("{}: {}: expected a token with content, "
                                  "found an empty one with id {}; delete it",
                                  file, place, token.id)};
  }
  // The vocabulary's own tokens decode as it says: in byte-level form the
  // content may be bytes as well as text.
  if (!known) {
    Result<void> defined = define(token.id, token.content, place);
    if (!defined) {
      return defined;
    }
    if (token.normalized) {
      renamed.insert(token.id);
    }
  }
  if (!addedIds.emplace(token.content, token.id).second) {
    return Diagnostic{fmt::format("{}: {}: expected each added token once, "
                                  "found {} twice; delete one of them",
                                  file, place, quoteText(token.content))};
  }
  entries[token.id].special = token.special;
  added.push_back(std::move(token));
  return {};
}

void TokenizerData::expectTokens(size_t tokens) {
  idLimit = std::min(maxVocabulary, static_cast<int64_t>(8 * tokens + 4096));
}

std::string TokenizerData::withoutMarks(std::string_view content) const {
  if (markFrom.empty()) {
    return std::string(content);
  }
  std::string text;
  size_t done = 0;
  for (size_t at = content.find(markFrom); at != std::string_view::npos;
       at = content.find(markFrom, done)) {
    text += content.substr(done, at - done);
    text += markTo;
    done = at + markFrom.size();
  }
  return text.append(content.substr(done));
}

Result<Tokenizer> TokenizerData::finish(TokenizerData &&filled) {
  auto data = std::make_shared<TokenizerData>(std::move(filled));
  if (data->entries.empty()) {
    return Diagnostic{fmt::format("{}: expected a vocabulary, found no token; "
                                  "take the file published with the model",
                                  data->file)};
  }
  // Special ones go first among equal normalized contents.
  for (bool special : {true, false}) {
    for (const AddedToken &token : data->added) {
      if (token.special != special) {
        continue;
      }
      if (!token.normalized) {
        data->exact.add(token.content, token);
        continue;
      }
      StepBudget budget(token.content.size());
      Result<std::string> content =
          data->normalizer.apply(token.content, budget);
      if (!content) {
        return Diagnostic{fmt::format("{}: normalizer: {}", data->file,
                                      content.error().message)};
      }
      data->normalized.add(*content, token);
      // What it stands for in the text is the normalized form.
      if (data->renamed.contains(token.id)) {
        data->entries[token.id].bytes = data->withoutMarks(*content);
      }
    }
  }
  auto exists = [&](int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < data->entries.size() &&
           data->entries[id].exists;
  };
  for (const std::vector<int32_t> *ids : {&data->prefix, &data->suffix}) {
    for (int32_t id : *ids) {
      if (!exists(id)) {
        return Diagnostic{fmt::format(
            "{}: expected tokens around a text that the vocabulary has, found "
            "the id {}; take the file published with the model",
            data->file, id)};
      }
    }
  }
  return Tokenizer(std::move(data));
}

Result<Tokenizer> Tokenizer::open(const std::string &path) {
  std::error_code ignored;
  std::string name = path;
  if (std::filesystem::is_directory(path, ignored)) {
    std::filesystem::path folder(path);
    name = (folder / "tokenizer.json").string();
    if (!std::filesystem::exists(name, ignored)) {
      name = (folder / "tokenizer.model").string();
    }
    if (!std::filesystem::exists(name, ignored)) {
      return Diagnostic{fmt::format("{}: expected a directory with "
                                    "tokenizer.json or tokenizer.model, found "
                                    "neither; copy the published file there",
                                    path)};
    }
  }
  Result<std::string> text =
      readTextFile(name, maxFileBytes, "a tokenizer's file");
  if (!text) {
    return text.error();
  }
  size_t first = text->find_first_not_of(" \t\r\n");
  bool json = first != std::string::npos && (*text)[first] == '{';
  return json ? fromJson(*text, name) : fromTiktoken(*text, name);
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                               bool addSpecial,
                                               bool parseSpecial) const {
  if (text.size() > maxTextBytes) {
    return Diagnostic{
        fmt::format("{}: expected a text of at most {} bytes, found "
                    "{} bytes; pass the text in parts",
                    data->file, maxTextBytes, text.size())};
  }
  std::string repaired;
  if (!isUtf8(text)) {
    repaired = repairUtf8(text);
    text = repaired;
  }
  std::vector<int32_t> tokens;
  if (addSpecial) {
    tokens = data->prefix;
  }
  Result<void> done = Encoding(*data, text, tokens).run(parseSpecial);
  if (!done) {
    return done.error();
  }
  if (addSpecial) {
    tokens.insert(tokens.end(), data->suffix.begin(), data->suffix.end());
  }
  return tokens;
}

Result<std::string> Tokenizer::decode(std::span<const int32_t> ids,
                                      bool skipSpecial) const {
  Detokenizer detokenizer(*this, skipSpecial);
  std::string text;
  for (int32_t id : ids) {
    Result<std::string> piece = detokenizer.add(id);
    if (!piece) {
      return piece.error();
    }
    text += *piece;
  }
  return text + detokenizer.finish();
}

int64_t Tokenizer::size() const {
  return static_cast<int64_t>(data->entries.size());
}

std::optional<int32_t> Tokenizer::find(std::string_view content) const {
  if (auto place = data->addedIds.find(content);
      place != data->addedIds.end()) {
    return place->second;
  }
  std::string key(content);
  if (!data->model.byteLevel) {
    std::string marked;
    for (char c : content) {
      c == ' ' ? marked += spaceMark : marked += c;
    }
    key = marked;
  }
  auto place = data->model.ids.find(key);
  return place == data->model.ids.end() ? std::nullopt
                                        : std::optional(place->second);
}

std::optional<std::string_view> Tokenizer::bytesOf(int64_t id) const {
  if (id < 0 || id >= size() || !data->entries[id].exists) {
    return std::nullopt;
  }
  return data->entries[id].bytes;
}

bool Tokenizer::isSpecial(int64_t id) const {
  return id >= 0 && id < size() && data->entries[id].special;
}

std::optional<int32_t> Tokenizer::bos() const { return data->bos; }
std::optional<int32_t> Tokenizer::eos() const { return data->eos; }

Detokenizer::Detokenizer(Tokenizer source, bool skipSpecial)
    : tokenizer(std::move(source)), skipsSpecial(skipSpecial) {}

Result<std::string> Detokenizer::add(int64_t id) {
  std::optional<std::string_view> bytes = tokenizer.bytesOf(id);
  if (!bytes) {
    return Diagnostic{fmt::format(
        "{}: expected the id of a token, found {}, which is {}; decode with "
        "the tokenizer of the model that gave it",
        tokenizer.data->file, id,
        id >= 0 && id < tokenizer.size()
            ? "the id of none"
            : fmt::format("not of 0 to {}", tokenizer.size() - 1))};
  }
  if (skipsSpecial && tokenizer.isSpecial(id)) {
    return std::string();
  }
  if (atStart && tokenizer.data->dropsFirstSpace && bytes->starts_with(' ')) {
    bytes->remove_prefix(1);
    atStart = false;
  }
  atStart = atStart && bytes->empty();
  held += *bytes;
  return takeText(held, false);
}

std::string Detokenizer::finish() {
  atStart = true;
  return takeText(held, true);
}

} // namespace chipwright::models
