//===- ChatTemplateTest.cpp - Conversations as text -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/ChatTemplate.h"
#include "TokenizerTestSupport.h"

#include <fstream>
#include <map>

namespace chipwright::models {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string render(ChatKind kind, const std::vector<ChatMessage> &messages,
                   bool prompt = true, const ChatOptions &options = {}) {
  auto text = renderChat(kind, messages, prompt, options);
  EXPECT_TRUE(text) << text.error().message;
  return text ? text.take() : "";
}

// chats.json: what Jinja makes of the published templates.
TEST(ChatTemplateTest, ChatMlAsJinjaRendersIt) {
  std::ifstream file(CHIPWRIGHT_SOURCE_DIR
                     "/tests/golden/tokenizers/chats.json");
  json chats = json::parse(file);
  std::map<std::string, ChatKind> kinds;
  for (auto &[name, text] : chats["templates"].items()) {
    auto kind = recogniseChatTemplate(text.get<std::string>(), "t");
    ASSERT_TRUE(kind) << kind.error().message;
    EXPECT_EQ(nameOf(*kind), name);
    kinds[name] = *kind;
  }
  ASSERT_EQ(kinds.size(), 3u);
  ASSERT_GE(chats["cases"].size(), 30u);
  for (json &one : chats["cases"]) {
    std::vector<ChatMessage> messages;
    for (json &message : one["messages"]) {
      messages.push_back({message["role"], message["content"]});
    }
    EXPECT_EQ(render(kinds[one["kind"]], messages, one["prompt"]),
              one["text"].get<std::string>());
  }
}

TEST(ChatTemplateTest, Llama3) {
  EXPECT_EQ(render(ChatKind::Llama3, {{"system", " s "}, {"user", "u\n"}}),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            "s<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
            "u<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(render(ChatKind::Llama3, {{"user", "u"}}, false),
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
            "u<|eot_id|>");
}

TEST(ChatTemplateTest, Llama31AlwaysHasASystemTurn) {
  EXPECT_EQ(render(ChatKind::Llama31, {{"user", "u"}}, true, {"1 Jan 2025"}),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            "Cutting Knowledge Date: December 2023\n"
            "Today Date: 1 Jan 2025\n\n<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nu<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(render(ChatKind::Llama31,
                   {{"system", "\u3000s\t"}, {"tool", "a\"b\u00e9"}}, false),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            "Cutting Knowledge Date: December 2023\n"
            "Today Date: 26 Jul 2024\n\ns<|eot_id|>"
            "<|start_header_id|>ipython<|end_header_id|>\n\n\"a\\\"b\u00e9\""
            "<|eot_id|>");
}

TEST(ChatTemplateTest, Llama4TrimsTheSystemMessageAlone) {
  EXPECT_EQ(render(ChatKind::Llama4, {{"user", " u "}}),
            "<|begin_of_text|><|header_start|>user<|header_end|>\n\n u <|eot|>"
            "<|header_start|>assistant<|header_end|>\n\n");
  EXPECT_EQ(render(ChatKind::Llama4,
                   {{"system", " s "}, {"user", "u"}, {"tool", "1\n"}}, false),
            "<|begin_of_text|><|header_start|>system<|header_end|>\n\ns<|eot|>"
            "<|header_start|>user<|header_end|>\n\nu<|eot|>"
            "<|header_start|>ipython<|header_end|>\n\n\"1\\n\"<|eot|>");
}

TEST(ChatTemplateTest, QwenWrapsToolsAndThoughts) {
  EXPECT_EQ(
      render(ChatKind::Qwen25, {{"user", "u"}, {"tool", "1"}, {"tool", "2"}}),
      "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You "
      "are a helpful assistant.<|im_end|>\n"
      "<|im_start|>user\nu<|im_end|>\n"
      "<|im_start|>user\n<tool_response>\n1\n</tool_response>\n"
      "<tool_response>\n2\n</tool_response><|im_end|>\n"
      "<|im_start|>assistant\n");
  EXPECT_EQ(render(ChatKind::Qwen3,
                   {{"user", "u"},
                    {"assistant", "<think>\nold\n</think>\n\na"},
                    {"user", "v"},
                    {"assistant", "<think>\nnew\n</think>\n\nb"}},
                   false),
            "<|im_start|>user\nu<|im_end|>\n"
            "<|im_start|>assistant\na<|im_end|>\n"
            "<|im_start|>user\nv<|im_end|>\n"
            "<|im_start|>assistant\n<think>\nnew\n</think>\n\nb<|im_end|>\n");
  EXPECT_EQ(render(ChatKind::Qwen3, {{"user", "u"}, {"assistant", "a"}}, false),
            "<|im_start|>user\nu<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n\n</think>\n\na<|im_end|>\n");
}

TEST(ChatTemplateTest, Refusals) {
  auto none = renderChat(ChatKind::ChatMl, {}, true);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("one message or more"));
  auto role =
      renderChat(ChatKind::Llama4, {{"user", "a"}, {"robot", "b"}}, true);
  ASSERT_FALSE(role);
  EXPECT_THAT(role.error().message, HasSubstr("message 1"));
  EXPECT_THAT(role.error().message, HasSubstr("'robot'"));
}

// The parts of the published templates that tell them apart.
const std::string llamaTurn =
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ "
    "message['content'] | trim + '<|eot_id|>' }}";
const std::string llama3Template =
    "{% for message in messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + "
    "'<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + "
    "content %}{% endif %}{{ content }}{% endfor %}";
const std::string llama31Template =
    "{{- bos_token }}{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" "
    "}}{{- \"Cutting Knowledge Date: December 2023\\n\" }}{{- \"Today Date: \" "
    "+ date_string + \"\\n\\n\" }}{{- system_message }}{{- \"<|eot_id|>\" }}" +
    llamaTurn;
const std::string llama4Template =
    "{%- set system_message = messages[0]['content']|trim %}{{- "
    "'<|header_start|>' + message['role'] + '<|header_end|>\\n\\n' }}{{- "
    "message['content'] }}{{- \"<|eot|>\" }}";
const std::string qwen3Template =
    "{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}"
    "{%- set ns = namespace(last_query_index=1) %}{%- set reasoning_content = "
    "'' %}{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}";
const std::string qwen25Template =
    "{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are "
    "a helpful assistant.<|im_end|>\\n' }}{{- '\\n<tool_response>\\n' }}";

TEST(ChatTemplateTest, RecognisesByMarkers) {
  for (auto [text, kind] : std::vector<std::pair<std::string, ChatKind>>{
           {llama3Template, ChatKind::Llama3},
           {llama31Template, ChatKind::Llama31},
           {llama4Template, ChatKind::Llama4},
           {qwen3Template, ChatKind::Qwen3},
           {qwen25Template, ChatKind::Qwen25}}) {
    auto found = recogniseChatTemplate(text, "t");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(nameOf(*found), nameOf(kind));
  }
}

TEST(ChatTemplateTest, RefusesWhatItWouldRenderWrongly) {
  std::string chatMl =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' "
      "+ message['content'] + '<|im_end|>' + '\n'}}{% endfor %}";
  ASSERT_TRUE(recogniseChatTemplate(chatMl, "t"));
  std::vector<std::string> others = {
      "",
      "[INST] {{ messages[0]['content'] }} [/INST]",
      // Another default system message.
      "{{ '<|im_start|>system\nYou are Bob.<|im_end|>\n' }}" + chatMl,
      // Trimmed contents, thoughts, tools.
      chatMl + "{{ message['content'] | trim }}",
      chatMl + "<think>",
      chatMl + "'<tool_response>'",
      // Another date, no trimming, a system message of its own.
      llama31Template.substr(0, llama31Template.find("Today")) + llamaTurn,
      "'<|start_header_id|>' '<|end_header_id|>\n\n' <|eot_id|>",
      llama3Template + "{{ 'system' }}",
      llama4Template + "{{ message['content'] | trim }}",
  };
  for (const std::string &text : others) {
    auto kind = recogniseChatTemplate(text, "c.json: chat_template");
    ASSERT_FALSE(kind) << text;
    EXPECT_THAT(kind.error().message,
                testing::AllOf(HasSubstr("c.json: chat_template: expected"),
                               HasSubstr("Llama 3.1, Llama 4, ChatML, SmolLM2"),
                               HasSubstr("already rendered")));
  }
}

TEST(ChatTemplateTest, TemplateOfConfig) {
  auto read = [](const json &config) {
    return chatTemplateOfConfig(config.dump(), "tokenizer_config.json");
  };
  auto text = read({{"chat_template", "x"}});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "x");
  json named = {{"chat_template",
                 json::array({{{"name", "tool_use"}, {"template", "a"}},
                              {{"name", "default"}, {"template", "b"}}})}};
  auto fromList = read(named);
  ASSERT_TRUE(fromList);
  EXPECT_EQ(*fromList, "b");
  auto none = read({{"bos_token", "<s>"}});
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  for (const json &config :
       {json(3), json({{"chat_template", 3}}),
        json({{"chat_template", json::array({1})}}),
        json({{"chat_template", json::array({{{"name", 1}}})}})}) {
    auto refused = read(config);
    ASSERT_FALSE(refused) << config;
    EXPECT_THAT(refused.error().message, HasSubstr("tokenizer_config.json"));
  }
  EXPECT_FALSE(chatTemplateOfConfig("{", "tokenizer_config.json"));
}

TEST(ChatTemplateTest, StopIds) {
  json document = byteLevelJson({});
  addToken(document, 256, "<|end_of_text|>", true);
  addToken(document, 257, "<|eot|>", true);
  Tokenizer tokenizer = load(document);
  auto ids = stopIds(ChatKind::Llama4, tokenizer);
  ASSERT_TRUE(ids) << ids.error().message;
  EXPECT_EQ(*ids, (Ids{256, 257}));
  auto none = stopIds(ChatKind::SmolLm2, tokenizer);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("<|im_end|>"));
}

} // namespace
} // namespace chipwright::models
