//===- TokenizerFuzz.cpp - Tokenizers' files ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The first byte says what the rest is: 'm' a tokenizer.model, 'c' a
// tokenizer_config.json, 't' the text of a chat template, anything else with
// this byte a tokenizer.json. Accepted tokenizers then read the input itself.
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ChatTemplate.h"
#include "models/tokenizer/Tokenizer.h"
#include "models/tokenizer/Utf8.h"
#include "tests/fuzz/Fuzz.h"

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace chipwright;
using models::Tokenizer;

namespace {

void useTokenizer(const Tokenizer &tokenizer, std::string_view text) {
  text = text.substr(0, 2000);
  for (bool special : {false, true}) {
    auto ids = tokenizer.encode(text, special, special);
    if (!ids) {
      fuzz::checkMessage(ids.error().message, "t.json");
      return;
    }
    models::Detokenizer stream(tokenizer, special);
    std::string streamed;
    for (int32_t id : *ids) {
      fuzz::check(id >= 0 && id < tokenizer.size(), "ids are in range");
      auto piece = stream.add(id);
      fuzz::check(bool(piece), "ids of encode have tokens");
      streamed += *piece;
    }
    streamed += stream.finish();
    fuzz::check(models::isUtf8(streamed), "text is UTF-8");
    auto whole = tokenizer.decode(*ids, special);
    fuzz::check(whole && *whole == streamed, "a stream is the whole");
  }
}

void useTemplate(std::string_view text) {
  auto kind = models::recogniseChatTemplate(text, "t.json");
  if (!kind) {
    fuzz::checkMessage(kind.error().message, "t.json");
    return;
  }
  auto chat = models::renderChat(
      *kind, {{"system", std::string(text)}, {"assistant", std::string(text)}},
      true);
  fuzz::check(chat && models::isUtf8(*chat), "a conversation is text");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  char kind = text.empty() ? '\0' : text.front();
  if (kind == 't') {
    useTemplate(text.substr(1));
    return 0;
  }
  if (kind == 'c') {
    auto found = models::chatTemplateOfConfig(text.substr(1), "t.json");
    if (!found) {
      fuzz::checkMessage(found.error().message, "t.json");
    } else if (*found) {
      useTemplate(**found);
    }
    return 0;
  }
  auto tokenizer = kind == 'm'
                       ? Tokenizer::fromTiktoken(text.substr(1), "t.json",
                                                 models::TiktokenModel::Llama3)
                       : Tokenizer::fromJson(text, "t.json");
  if (!tokenizer) {
    fuzz::checkMessage(tokenizer.error().message, "t.json");
    return 0;
  }
  useTokenizer(*tokenizer, text);
  return 0;
}
