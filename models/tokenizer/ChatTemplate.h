//===- ChatTemplate.h - Conversations as text -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A published model says in a Jinja program how it wants a conversation. There
// is no Jinja here: the programs of the known families are written in C++, and
// the text of a template only decides which of them it is.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_CHATTEMPLATE_H
#define CHIPWRIGHT_MODELS_TOKENIZER_CHATTEMPLATE_H

#include "chips/Diagnostic.h"
#include "models/tokenizer/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

enum class ChatKind {
  Llama3,  // 3.0: messages as they are
  Llama31, // 3.1 to 3.3: always a system turn with two dates
  Llama4,
  ChatMl,  // no default system message
  SmolLm2, // ChatML with a default system message each
  Qwen2,
  Qwen25,
  Qwen3, // ChatML with thoughts in <think>
};

/// \returns the name that messages use ("Llama 3.1").
std::string_view nameOf(ChatKind kind);

/// One turn. Roles are system, user, assistant and tool.
struct ChatMessage {
  std::string role;
  std::string content;
};

struct ChatOptions {
  /// Llama 3.1: "Today Date". The default is the published template's own;
  /// Llama 3.2's asks the clock.
  std::string date = "26 Jul 2024";
};

/// Recognises a published template by its markers. Refused, with the list of
/// those known: any other. \p where names the template in messages
/// ("tokenizer_config.json: chat_template").
Result<ChatKind> recogniseChatTemplate(std::string_view text,
                                       const std::string &where);

/// \returns the template that a tokenizer_config.json has under
/// `chat_template`: a text, or the one named "default" of a list. Nothing if
/// there is none. \p file names the file in messages.
Result<std::optional<std::string>>
chatTemplateOfConfig(std::string_view json, const std::string &file);

/// \returns the conversation as the published template gives it, control
/// tokens as their text, BOS included where the template has it: encode it
/// with parseSpecial and without addSpecial. Control tokens that stand in a
/// message's content take effect, as with the public packages.
/// \p addGenerationPrompt begins the assistant's answer. Refused: no message,
/// unknown roles.
Result<std::string> renderChat(ChatKind kind,
                               const std::vector<ChatMessage> &messages,
                               bool addGenerationPrompt,
                               const ChatOptions &options = {});

/// \returns the ids that end an answer, in rising order. Refused: a
/// vocabulary that has not the token that ends a turn.
Result<std::vector<int32_t>> stopIds(ChatKind kind, const Tokenizer &tokenizer);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_CHATTEMPLATE_H
