//===- TemplateFuzz.cpp - Chat templates ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The first byte says what the rest is: 'c' a tokenizer_config.json, anything
// else the text of a chat template. A template that is recognised then renders
// a conversation whose turns are the input.
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ChatTemplate.h"
#include "models/tokenizer/Utf8.h"
#include "tests/fuzz/Fuzz.h"

#include <cstdint>

using namespace chipwright;

namespace {

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
  if (!text.starts_with('c')) {
    useTemplate(text.empty() ? text : text.substr(1));
    return 0;
  }
  auto found = models::chatTemplateOfConfig(text.substr(1), "t.json");
  if (!found) {
    fuzz::checkMessage(found.error().message, "t.json");
  } else if (*found) {
    useTemplate(**found);
  }
  return 0;
}
