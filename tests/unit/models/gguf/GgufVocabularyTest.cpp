//===- GgufVocabularyTest.cpp - Vocabularies of GGUF files ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufVocabulary.h"
#include "models/gguf/GgufFile.h"
#include "tests/support/GgufWriter.h"

#include <gtest/gtest.h>

#include <functional>

namespace chipwright::models {
namespace {

using chipwright::testing::GgufWriter;

Result<GgufVocabulary> read(const GgufWriter &writer) {
  std::string file = writer.contents();
  auto parsed = parseGguf(std::as_bytes(std::span(file)), "v.gguf");
  if (!parsed) {
    return parsed.error();
  }
  return readGgufVocabulary(parsed->metadata);
}

GgufWriter small() {
  GgufWriter writer;
  writer.text("tokenizer.ggml.model", "gpt2")
      .texts("tokenizer.ggml.tokens", {"<s>", "a", "b", "ab", "\xff"});
  return writer;
}

TEST(GgufVocabularyTest, ReadsWhatIsThere) {
  auto vocabulary = read(
      small()
          .text("tokenizer.ggml.pre", "smollm")
          .numbers<float>("tokenizer.ggml.scores", 6, {0, -1, -2, -3, 4})
          .numbers<int32_t>("tokenizer.ggml.token_type", 5, {3, 1, 1, 1, 6})
          .texts("tokenizer.ggml.merges", {"a b", "ab \xff"})
          .u32("tokenizer.ggml.bos_token_id", 0)
          .u32("tokenizer.ggml.eos_token_id", 4)
          .u32("tokenizer.ggml.unknown_token_id", 1)
          .u32("tokenizer.ggml.padding_token_id", 2)
          .u32("tokenizer.ggml.eot_token_id", 3)
          .boolean("tokenizer.ggml.add_bos_token", false)
          .boolean("tokenizer.ggml.add_space_prefix", true)
          .text("tokenizer.chat_template", "{{ x }}"));
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->model, "gpt2");
  EXPECT_EQ(vocabulary->pre, "smollm");
  EXPECT_EQ(vocabulary->tokens,
            (std::vector<std::string>{"<s>", "a", "b", "ab", "\xff"}));
  EXPECT_EQ(vocabulary->scores, (std::vector<float>{0, -1, -2, -3, 4}));
  // Control, three normal ones, a byte.
  EXPECT_EQ(vocabulary->tokenTypes, (std::vector<int32_t>{3, 1, 1, 1, 6}));
  EXPECT_EQ(vocabulary->merges, (std::vector<std::string>{"a b", "ab \xff"}));
  EXPECT_EQ(vocabulary->bos, 0);
  EXPECT_EQ(vocabulary->eos, 4);
  EXPECT_EQ(vocabulary->unknown, 1);
  EXPECT_EQ(vocabulary->padding, 2);
  EXPECT_EQ(vocabulary->eot, 3);
  EXPECT_FALSE(vocabulary->eom);
  EXPECT_EQ(vocabulary->addBos, false);
  EXPECT_EQ(vocabulary->addSpacePrefix, true);
  EXPECT_FALSE(vocabulary->addEos);
  EXPECT_EQ(vocabulary->chatTemplate, "{{ x }}");
}

TEST(GgufVocabularyTest, LeavesOutWhatIsNot) {
  auto vocabulary = read(small());
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_TRUE(vocabulary->pre.empty());
  EXPECT_TRUE(vocabulary->scores.empty());
  EXPECT_TRUE(vocabulary->tokenTypes.empty());
  EXPECT_TRUE(vocabulary->merges.empty());
  EXPECT_FALSE(vocabulary->bos);
  EXPECT_FALSE(vocabulary->addBos);
}

TEST(GgufVocabularyTest, Refuses) {
  struct Refusal {
    GgufWriter writer;
    const char *words;
  };
  const Refusal refusals[] = {
      {GgufWriter(), "'tokenizer.ggml.model': expected a string, found no such "
                     "key"},
      {GgufWriter().text("tokenizer.ggml.model", "gpt2"),
       "'tokenizer.ggml.tokens': expected an array of strings"},
      {GgufWriter()
           .text("tokenizer.ggml.model", "gpt2")
           .texts("tokenizer.ggml.tokens", {}),
       "one token or more"},
      {GgufWriter().u32("tokenizer.ggml.model", 1), "found the u32 1"},
      {small().numbers<float>("tokenizer.ggml.scores", 6, {1}),
       "'tokenizer.ggml.scores': expected one entry for each of 5 tokens, "
       "found 1"},
      {small().numbers<int32_t>("tokenizer.ggml.scores", 5, {1}),
       "an array of f32 or f64, found an array of 1 i32"},
      {small().numbers<int32_t>("tokenizer.ggml.token_type", 5, {1, 2}),
       "one entry for each of 5 tokens, found 2"},
      {small().numbers<int32_t>("tokenizer.ggml.token_type", 5,
                                {1, 1, 7, 1, 1}),
       "types from 1 to 6, found 7"},
      {small().texts("tokenizer.ggml.merges", {"a b", "ab"}),
       "two texts with a space between them, found 'ab'"},
      {small().texts("tokenizer.ggml.merges", {"ab "}), "found 'ab '"},
      {small().texts("tokenizer.ggml.merges", {""}), "found ''"},
      {small().u32("tokenizer.ggml.bos_token_id", 5),
       "an integer from 0 to 4, found the u32 5"},
      {small().text("tokenizer.ggml.eos_token_id", "2"),
       "found the string '2'"},
      {small().u32("tokenizer.ggml.add_bos_token", 1), "expected a bool"},
      {small().boolean("tokenizer.chat_template", true), "expected a string"},
  };
  for (const Refusal &refusal : refusals) {
    auto vocabulary = read(refusal.writer);
    ASSERT_FALSE(vocabulary) << refusal.words;
    const std::string &message = vocabulary.error().message;
    EXPECT_EQ(message.find("v.gguf: "), 0u) << message;
    EXPECT_NE(message.find(refusal.words), std::string::npos) << message;
  }
}

} // namespace
} // namespace chipwright::models
