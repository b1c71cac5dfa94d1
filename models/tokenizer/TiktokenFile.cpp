//===- TiktokenFile.cpp - Reader of Meta's tokenizer.model ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/tokenizer/TokenizerData.h"

#include <fmt/format.h>

#include <charconv>

namespace chipwright::models {

namespace {

constexpr std::string_view advice = "take the file published with the model";
// Each token is looked up once per place that it can be cut at.
constexpr size_t maxRankedBytes = 512;

std::optional<std::string> fromBase64(std::string_view text) {
  auto valueOf = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') {
      return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
      return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
      return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  if (text.empty() || text.size() % 4 != 0) {
    return std::nullopt;
  }
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  uint32_t bits = 0;
  int have = 0;
  for (char c : text) {
    int value = valueOf(c);
    if (value < 0) {
      return std::nullopt;
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>((bits >> have) & 0xff);
    }
  }
  bool restIsZero = (bits & ((1u << have) - 1)) == 0;
  return restIsZero ? std::optional(bytes) : std::nullopt;
}

/// Appends NAME_reserved_special_token_I for \p count numbers from \p first.
void addReserved(std::vector<std::string> &names, std::string_view name,
                 int count, int first) {
  for (int i = first; i < first + count; ++i) {
    names.push_back(fmt::format("<|{}reserved_special_token_{}|>", name, i));
  }
}

/// The special tokens in the order of their ids, as in Meta's llama-models.
std::vector<std::string> specialTokens(TiktokenModel model) {
  if (model == TiktokenModel::Llama3) {
    std::vector<std::string> names = {"<|begin_of_text|>",
                                      "<|end_of_text|>",
                                      "<|reserved_special_token_0|>",
                                      "<|reserved_special_token_1|>",
                                      "<|finetune_right_pad_id|>",
                                      "<|step_id|>",
                                      "<|start_header_id|>",
                                      "<|end_header_id|>",
                                      "<|eom_id|>",
                                      "<|eot_id|>",
                                      "<|python_tag|>",
                                      "<|image|>"};
    addReserved(names, "", 256 - static_cast<int>(names.size()), 2);
    return names;
  }
  std::vector<std::string> names = {"<|begin_of_text|>", "<|end_of_text|>",
                                    "<|fim_prefix|>",    "<|fim_middle|>",
                                    "<|fim_suffix|>",    "<|header_start|>",
                                    "<|header_end|>",    "<|eom|>",
                                    "<|eot|>",           "<|step|>"};
  addReserved(names, "text_post_train_", 6, 0);
  names.insert(names.end(), {"<|python_start|>", "<|python_end|>",
                             "<|finetune_right_pad|>"});
  addReserved(names, "text_post_train_", 61, 8);
  names.insert(names.end(), {"<|image_start|>", "<|image_end|>"});
  addReserved(names, "vision_", 2, 0);
  names.insert(names.end(), {"<|tile_x_separator|>", "<|tile_y_separator|>"});
  addReserved(names, "vision_", 4, 2);
  names.push_back("<|image|>");
  addReserved(names, "vision_", 1, 6);
  names.push_back("<|patch|>");
  addReserved(names, "vision_", 1041, 7);
  addReserved(names, "reasoning_", 8, 0);
  names.insert(names.end(),
               {"<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"});
  addReserved(names, "", 2048 - static_cast<int>(names.size()), 0);
  return names;
}

/// Reads the lines into \p data.
Result<void> readLines(std::string_view text, TokenizerData &data) {
  size_t number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    std::string place = fmt::format("line {}", number);
    size_t space = line.find(' ');
    std::optional<std::string> bytes = fromBase64(line.substr(0, space));
    std::string_view rank =
        space == std::string_view::npos ? "" : line.substr(space + 1);
    int64_t id = -1;
    auto [stop, error] =
        std::from_chars(rank.data(), rank.data() + rank.size(), id);
    if (!bytes || error != std::errc() || stop != rank.data() + rank.size()) {
      return Diagnostic{fmt::format(
          "{}: {}: expected a byte string in base64, a space and its id, found "
          "{}; use the tokenizer.json of the model if this is a file of "
          "SentencePiece, else {}",
          data.file, place, quoteText(line), advice)};
    }
    if (bytes->size() > maxRankedBytes) {
      return Diagnostic{fmt::format(
          "{}: {}: expected a token of at most {} bytes, found {}; {}",
          data.file, place, maxRankedBytes, bytes->size(), advice)};
    }
    Result<void> defined = data.define(id, *bytes, place);
    if (!defined) {
      return defined;
    }
    if (bytes->size() == 1) {
      data.model.byteTokens[static_cast<unsigned char>((*bytes)[0])] =
          static_cast<int32_t>(id);
    }
    if (!data.model.ids.emplace(*bytes, static_cast<int32_t>(id)).second) {
      return Diagnostic{fmt::format("{}: {}: expected each byte string once, "
                                    "found that of id {} again; {}",
                                    data.file, place, id, advice)};
    }
  }
  return {};
}

/// Pairs merge in the order of the ids of what they become.
void rankPairs(BytePairModel &model) {
  for (const auto &[whole, id] : model.ids) {
    std::string_view text = whole;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      auto left = model.ids.find(text.substr(0, cut));
      auto right = model.ids.find(text.substr(cut));
      if (left != model.ids.end() && right != model.ids.end()) {
        model.merges.set(left->second, right->second,
                         {static_cast<uint32_t>(id), id});
      }
    }
  }
}

} // namespace

Result<Tokenizer> Tokenizer::fromTiktoken(std::string_view text,
                                          const std::string &file,
                                          std::optional<TiktokenModel> model) {
  TokenizerData data;
  data.file = file;
  data.expectTokens(text.size() / 8);
  Result<void> read = readLines(text, data);
  if (!read) {
    return read.error();
  }
  size_t count = data.model.ids.size();
  if (count != data.entries.size()) {
    return Diagnostic{fmt::format("{}: expected the ids 0 to {} for {} lines, "
                                  "found {} as the highest; {}",
                                  file, count - 1, count,
                                  data.entries.size() - 1, advice)};
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (data.model.byteTokens[byte] < 0) {
      return Diagnostic{fmt::format("{}: expected a token for each byte, found "
                                    "none for 0x{:02x}; {}",
                                    file, byte, advice)};
    }
  }
  if (!model) {
    if (count != 128000 && count != 200000) {
      return Diagnostic{fmt::format(
          "{}: expected 128000 lines (Llama 3) or 200000 (Llama 4), found {}, "
          "which does not say what pattern and special tokens belong to them; "
          "use the tokenizer.json of the model",
          file, count)};
    }
    model = count == 128000 ? TiktokenModel::Llama3 : TiktokenModel::Llama4;
  }
  data.model.byteLevel = true;
  data.model.ignoreMerges = true;
  rankPairs(data.model);
  PreTokenizerStep step;
  step.pattern =
      SplitPattern::compile(*model == TiktokenModel::Llama3 ? patterns::llama3
                                                            : patterns::o200k,
                            file)
          .take();
  data.preTokenizer.steps.push_back(std::move(step));
  data.expectTokens(data.entries.size() + 2048);
  auto first = static_cast<int32_t>(count);
  int32_t id = first;
  for (std::string &name : specialTokens(*model)) {
    AddedToken token;
    token.id = id++;
    token.content = std::move(name);
    token.special = true;
    Result<void> added =
        data.addToken(std::move(token), false, "special tokens");
    if (!added) {
      return added.error();
    }
  }
  data.bos = first;
  data.eos = first + 1;
  data.prefix = {first};
  return TokenizerData::finish(std::move(data));
}

} // namespace chipwright::models
