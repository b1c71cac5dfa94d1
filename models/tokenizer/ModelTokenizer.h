//===- ModelTokenizer.h - The tokenizer that comes with a model -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_MODELTOKENIZER_H
#define CHIPWRIGHT_MODELS_TOKENIZER_MODELTOKENIZER_H

#include "models/tokenizer/ChatTemplate.h"
#include "models/tokenizer/Tokenizer.h"

#include <optional>
#include <string>

namespace chipwright::models {

/// How a model reads and writes text.
struct ModelTokenizer {
  Tokenizer tokenizer;
  /// The text of its chat template and where it stands, for messages; "" if it
  /// has none.
  std::string chatTemplate, chatPlace;
};

/// Opens the tokenizer of \p path: a directory with tokenizer.json or
/// tokenizer.model, and tokenizer_config.json or chat_template.jinja for
/// conversations, or a GGUF file. Refused as by Tokenizer::open(),
/// readGgufVocabulary() and Tokenizer::fromGguf().
Result<ModelTokenizer> openModelTokenizer(const std::string &path);

/// A prompt as a model gets it.
struct EncodedPrompt {
  std::vector<int32_t> ids;
  std::vector<int32_t> stops; // ids that end the answer, of a conversation
};

/// \returns the tokens of \p text, as the model's text or, with \p asChat, as
/// the first message of a user, with the beginning of the answer. Refused: a
/// model without a chat template that is known.
Result<EncodedPrompt> encodePrompt(const ModelTokenizer &model,
                                   const std::string &text, bool asChat);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_MODELTOKENIZER_H
