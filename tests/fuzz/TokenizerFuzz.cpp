//===- TokenizerFuzz.cpp - Tokenizers' files ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The first byte says what the rest is: 'm' a tokenizer.model, anything else
// with this byte a tokenizer.json. Accepted tokenizers then read the input
// itself.
//
//===----------------------------------------------------------------------===//

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

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto tokenizer = text.starts_with('m')
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
