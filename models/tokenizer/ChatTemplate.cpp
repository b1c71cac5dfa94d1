//===- ChatTemplate.cpp - Conversations as text -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ChatTemplate.h"
#include "models/JsonText.h"
#include "models/tokenizer/Utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chipwright::models {

namespace {

constexpr std::string_view smolLm2System =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
constexpr std::string_view qwen2System = "You are a helpful assistant.";
constexpr std::string_view qwen25System =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";

constexpr std::array<std::pair<ChatKind, std::string_view>, 8> names = {
    {{ChatKind::Llama3, "Llama 3"},
     {ChatKind::Llama31, "Llama 3.1"},
     {ChatKind::Llama4, "Llama 4"},
     {ChatKind::ChatMl, "ChatML"},
     {ChatKind::SmolLm2, "SmolLM2"},
     {ChatKind::Qwen2, "Qwen2"},
     {ChatKind::Qwen25, "Qwen2.5"},
     {ChatKind::Qwen3, "Qwen3"}}};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Jinja's |trim, which is Python's str.strip().
std::string_view trimmed(std::string_view text) {
  auto isSpace = [](uint32_t code) {
    return isWhiteSpace(code) || (code >= 0x1c && code <= 0x1f);
  };
  while (!text.empty() && isSpace(firstUnit(text).code)) {
    text.remove_prefix(firstUnit(text).bytes);
  }
  while (!text.empty() && isSpace(lastUnit(text).code)) {
    text.remove_suffix(lastUnit(text).bytes);
  }
  return text;
}

std::string_view withoutNewlines(std::string_view text, bool front, bool back) {
  while (front && text.starts_with('\n')) {
    text.remove_prefix(1);
  }
  while (back && text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string asJson(const std::string &text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string renderLlama(ChatKind kind, const std::vector<ChatMessage> &messages,
                        bool addGenerationPrompt, const ChatOptions &options) {
  bool four = kind == ChatKind::Llama4;
  std::string_view start = four ? "<|header_start|>" : "<|start_header_id|>";
  std::string_view end = four ? "<|header_end|>" : "<|end_header_id|>";
  std::string_view turnEnd = four ? "<|eot|>" : "<|eot_id|>";
  std::string text = "<|begin_of_text|>";
  auto header = [&](std::string_view role) {
    text += start;
    text += role;
    text += end;
    text += "\n\n";
  };
  auto turn = [&](std::string_view role, std::string_view content) {
    header(role);
    text += content;
    text += turnEnd;
  };
  size_t first = 0;
  if (kind != ChatKind::Llama3) {
    bool given = messages.front().role == "system";
    std::string system = std::string(given ? trimmed(messages.front().content)
                                           : std::string_view());
    if (kind == ChatKind::Llama31) {
      turn("system", fmt::format("Cutting Knowledge Date: December 2023\n"
                                 "Today Date: {}\n\n{}",
                                 options.date, system));
    } else if (given) {
      turn("system", system);
    }
    first = given ? 1 : 0;
  }
  for (size_t i = first; i < messages.size(); ++i) {
    const ChatMessage &message = messages[i];
    if (message.role == "tool" && kind != ChatKind::Llama3) {
      turn("ipython", asJson(message.content));
    } else {
      turn(message.role,
           four ? std::string_view(message.content) : trimmed(message.content));
    }
  }
  if (addGenerationPrompt) {
    header("assistant");
  }
  return text;
}

/// An assistant's turn of Qwen3: thoughts of turns before the last question
/// are left out, those behind it stand in a block of their own.
std::string qwen3Answer(std::string_view content, bool behindQuestion,
                        bool last) {
  std::string_view thoughts;
  if (size_t end = content.rfind("</think>"); end != std::string_view::npos) {
    thoughts = content.substr(0, content.find("</think>"));
    thoughts = withoutNewlines(thoughts, false, true);
    if (size_t begin = thoughts.rfind("<think>");
        begin != std::string_view::npos) {
      thoughts.remove_prefix(begin + 7);
    }
    thoughts = withoutNewlines(thoughts, true, false);
    content = withoutNewlines(content.substr(end + 8), true, false);
  }
  if (behindQuestion && (last || !thoughts.empty())) {
    return fmt::format("<think>\n{}\n</think>\n\n{}",
                       withoutNewlines(thoughts, true, true),
                       withoutNewlines(content, true, false));
  }
  return std::string(content);
}

std::string_view defaultSystem(ChatKind kind) {
  switch (kind) {
  case ChatKind::SmolLm2:
    return smolLm2System;
  case ChatKind::Qwen2:
    return qwen2System;
  case ChatKind::Qwen25:
    return qwen25System;
  default:
    return "";
  }
}

std::string renderChatMl(ChatKind kind,
                         const std::vector<ChatMessage> &messages,
                         bool addGenerationPrompt) {
  std::string text;
  auto turn = [&](std::string_view role, std::string_view content) {
    text += fmt::format("<|im_start|>{}\n{}<|im_end|>\n", role, content);
  };
  if (!defaultSystem(kind).empty() && messages.front().role != "system") {
    turn("system", defaultSystem(kind));
  }
  bool wrapsTools = kind == ChatKind::Qwen25 || kind == ChatKind::Qwen3;
  size_t question = messages.size() - 1;
  for (size_t i = messages.size(); i-- > 0;) {
    const ChatMessage &message = messages[i];
    if (message.role == "user" &&
        !(contains(message.content, "<tool_response>") &&
          contains(message.content, "</tool_response>"))) {
      question = i;
      break;
    }
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto &[role, content] = messages[i];
    if (role == "tool" && wrapsTools) {
      bool opens = i == 0 || messages[i - 1].role != "tool";
      bool closes = i + 1 == messages.size() || messages[i + 1].role != "tool";
      text += fmt::format("{}\n<tool_response>\n{}\n</tool_response>{}",
                          opens ? "<|im_start|>user" : "", content,
                          closes ? "<|im_end|>\n" : "");
    } else if (role == "assistant" && kind == ChatKind::Qwen3) {
      turn(role, qwen3Answer(content, i > question, i + 1 == messages.size()));
    } else {
      turn(role, content);
    }
  }
  if (addGenerationPrompt) {
    text += "<|im_start|>assistant\n";
  }
  return text;
}

/// Which of the ChatML family a template is; \p text has its newlines as such.
std::optional<ChatKind> recogniseChatMl(std::string_view text) {
  if (contains(text, "last_query_index")) {
    return contains(text, "reasoning_content") &&
                   contains(text, "enable_thinking") &&
                   contains(text, "'<think>\n\n</think>\n\n'")
               ? std::optional(ChatKind::Qwen3)
               : std::nullopt;
  }
  if (contains(text, "think")) {
    return std::nullopt;
  }
  // A default system message stands in a literal.
  constexpr std::string_view opening = "<|im_start|>system\n";
  std::optional<ChatKind> found;
  bool fromMessages = false;
  for (size_t at = text.find(opening); at != std::string_view::npos;
       at = text.find(opening, at + 1)) {
    std::string_view rest = text.substr(at + opening.size());
    if (rest.starts_with('\'') || rest.starts_with('"')) {
      fromMessages = true;
      continue;
    }
    std::string_view content = rest.substr(0, rest.find("<|im_end|>"));
    std::optional<ChatKind> kind;
    for (ChatKind known :
         {ChatKind::SmolLm2, ChatKind::Qwen2, ChatKind::Qwen25}) {
      if (content == defaultSystem(known)) {
        kind = known;
      }
    }
    if (!kind || (found && found != kind)) {
      return std::nullopt;
    }
    found = kind;
  }
  // Qwen2.5's differs from the others in what it makes of tools.
  bool tools = contains(text, "<tool_response>");
  if (found) {
    return tools == (found == ChatKind::Qwen25) ? found : std::nullopt;
  }
  bool generic =
      !fromMessages && !tools && !contains(text, "trim") &&
      !contains(text, "system") &&
      (contains(text, "message['role']") ||
       contains(text, "message[\"role\"]") || contains(text, "message.role"));
  return generic ? std::optional(ChatKind::ChatMl) : std::nullopt;
}

std::optional<ChatKind> recognise(std::string_view text) {
  if (contains(text, "<|im_start|>") && contains(text, "<|im_end|>")) {
    return recogniseChatMl(text);
  }
  bool trims = contains(text, "message['content'] | trim") ||
               contains(text, "message['content']|trim");
  if (contains(text, "'<|header_start|>'") &&
      contains(text, "'<|header_end|>\n\n'") && contains(text, "<|eot|>") &&
      contains(text, "messages[0]['content']|trim")) {
    return trims ? std::nullopt : std::optional(ChatKind::Llama4);
  }
  if (!contains(text, "<|start_header_id|>") ||
      !contains(text, "'<|end_header_id|>\n\n'") ||
      !contains(text, "<|eot_id|>") || !trims) {
    return std::nullopt;
  }
  if (contains(text, "Cutting Knowledge Date: December 2023\n") &&
      contains(text, "\"Today Date: \" + date_string + \"\n\n\"")) {
    return ChatKind::Llama31;
  }
  bool plain = contains(text, "bos_token + content") &&
               !contains(text, "system") && !contains(text, "Date");
  return plain ? std::optional(ChatKind::Llama3) : std::nullopt;
}

} // namespace

std::string_view nameOf(ChatKind kind) {
  for (const auto &[known, name] : names) {
    if (known == kind) {
      return name;
    }
  }
  return "";
}

Result<ChatKind> recogniseChatTemplate(std::string_view text,
                                       const std::string &where) {
  // In a Jinja literal a newline may stand as itself or as "\n".
  std::string unescaped;
  for (size_t i = 0; i < text.size(); ++i) {
    bool newline = text.substr(i).starts_with("\\n");
    unescaped += newline ? '\n' : text[i];
    i += newline;
  }
  if (std::optional<ChatKind> kind = recognise(unescaped)) {
    return *kind;
  }
  std::string known;
  for (const auto &[kind, name] : names) {
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Diagnostic{fmt::format(
      "{}: expected the published chat template of one of {}, found another "
      "({}); pass the conversation as text that is already rendered",
      where, known, quoteText(text.substr(0, 60)))};
}

Result<std::optional<std::string>>
chatTemplateOfConfig(std::string_view text, const std::string &file) {
  Result<Json> json = parseJson(text, file);
  if (!json) {
    return json.error();
  }
  auto refuse = [&](std::string_view expected, const Json &found) {
    return Diagnostic{fmt::format("{}: expected {}, found {}; take the file "
                                  "published with the model",
                                  file, expected, describeJson(found))};
  };
  if (!json->is_object()) {
    return refuse("an object", *json);
  }
  auto value = json->find("chat_template");
  if (value == json->end() || value->is_null()) {
    return std::optional<std::string>();
  }
  if (value->is_string()) {
    return std::optional(value->get<std::string>());
  }
  for (size_t i = 0; value->is_array() && i < value->size(); ++i) {
    const Json &item = (*value)[i];
    if (item.is_object() && item.value("name", Json()) == "default" &&
        item.contains("template") && item["template"].is_string()) {
      return std::optional(item["template"].get<std::string>());
    }
  }
  return refuse("a text under chat_template, or a list with one named default",
                *value);
}

Result<std::string> renderChat(ChatKind kind,
                               const std::vector<ChatMessage> &messages,
                               bool addGenerationPrompt,
                               const ChatOptions &options) {
  if (messages.empty()) {
    return Diagnostic{"expected a conversation of one message or more, found "
                      "none; add the user's message",
                      ExitUsage};
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string &role = messages[i].role;
    if (role != "system" && role != "user" && role != "assistant" &&
        role != "tool") {
      return Diagnostic{
          fmt::format("message {}: expected one of the roles system, user, "
                      "assistant and tool, found {}; correct it",
                      i, quoteText(role)),
          ExitUsage};
    }
  }
  std::vector<ChatMessage> repaired = messages;
  for (ChatMessage &message : repaired) {
    message.content = repairUtf8(message.content);
  }
  bool llama = kind == ChatKind::Llama3 || kind == ChatKind::Llama31 ||
               kind == ChatKind::Llama4;
  return llama ? renderLlama(kind, repaired, addGenerationPrompt, options)
               : renderChatMl(kind, repaired, addGenerationPrompt);
}

Result<std::vector<int32_t>> stopIds(ChatKind kind,
                                     const Tokenizer &tokenizer) {
  std::vector<std::string_view> contents; // the end of a turn first
  switch (kind) {
  case ChatKind::Llama3:
  case ChatKind::Llama31:
    contents = {"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"};
    break;
  case ChatKind::Llama4:
    contents = {"<|eot|>", "<|eom|>", "<|end_of_text|>"};
    break;
  default:
    contents = {"<|im_end|>", "<|endoftext|>"};
    break;
  }
  std::vector<int32_t> ids;
  for (std::string_view content : contents) {
    std::optional<int32_t> id = tokenizer.find(content);
    if (id && tokenizer.isSpecial(*id)) {
      ids.push_back(*id);
    } else if (content == contents.front()) {
      return Diagnostic{fmt::format(
          "expected the special token {} in the vocabulary, as the chat "
          "template of {} ends turns with it, found none; use the tokenizer "
          "published with the template",
          content, nameOf(kind))};
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

} // namespace chipwright::models
