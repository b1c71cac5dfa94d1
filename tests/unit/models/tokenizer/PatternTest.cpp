//===- PatternTest.cpp - Patterns, well-behaved and hostile -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"
#include "models/tokenizer/Pipeline.h"
#include "models/tokenizer/SplitPattern.h"
#include "models/tokenizer/Utf8.h"

namespace chipwright::models {
namespace {

using testing::HasSubstr;

std::vector<std::string> matchesOf(std::string_view pattern,
                                   std::string_view text) {
  auto compiled = SplitPattern::compile(pattern, "f: p");
  EXPECT_TRUE(compiled) << compiled.error().message;
  std::vector<ByteRange> ranges;
  StepBudget budget(text.size());
  if (compiled) {
    auto done = compiled->findAll(text, budget, ranges);
    EXPECT_TRUE(done) << done.error().message;
  }
  std::vector<std::string> found;
  for (const ByteRange &range : ranges) {
    found.emplace_back(text.substr(range.begin, range.end - range.begin));
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(PatternTest, PublishedPatternsCompileAndSplit) {
  for (std::string_view pattern :
       {patterns::gpt2, patterns::llama3, patterns::o200k, patterns::qwen2,
        patterns::number, patterns::threeDigits, patterns::deepseekHan,
        patterns::deepseekWords}) {
    auto compiled = SplitPattern::compile(pattern, "p");
    ASSERT_TRUE(compiled) << compiled.error().message;
  }
  EXPECT_EQ(matchesOf(patterns::llama3, "I'VE 12345  x\n\n y"),
            (Texts{"I", "'VE", " ", "123", "45", " ", " x", "\n\n", " y"}));
  EXPECT_EQ(matchesOf(patterns::gpt2, "I've 123 x"),
            (Texts{"I", "'ve", " 123", " x"}));
  EXPECT_EQ(matchesOf(patterns::o200k, "HELLOWorld's a/b"),
            (Texts{"HELLOWorld's", " a", "/b"}));
}

TEST(PatternTest, ShorthandsMeanWhatTheyMeanInOniguruma) {
  // U+180E is a space for PCRE2 alone, U+0301 a word character for Oniguruma.
  EXPECT_EQ(matchesOf(R"(\s+)", "a\u180e \u3000b\u0085"),
            (Texts{" \u3000", "\u0085"}));
  EXPECT_EQ(matchesOf(R"(\w+)", "e\u0301\u203f9-\u216b"),
            (Texts{"e\u0301\u203f9", "\u216b"}));
  EXPECT_EQ(matchesOf(R"(\d)", "1\u0661\u00bd"), (Texts{"1", "\u0661"}));
  EXPECT_EQ(matchesOf(R"([\s\d]+|\S)", "a 1b"), (Texts{"a", " 1", "b"}));
  EXPECT_EQ(matchesOf(R"(\x41|\x{1F600}|B)", "AB\U0001f600"),
            (Texts{"A", "B", "\U0001f600"}));
  EXPECT_EQ(matchesOf(R"(a{,2}b)", "aaab"), (Texts{"aab"}));
  EXPECT_EQ(matchesOf(R"(a{x)", "a{x"), (Texts{"a{x"}));
  EXPECT_EQ(matchesOf(R"((a)(b))", "ab"), (Texts{"ab"}));
}

TEST(PatternTest, EmptyMatchesDoNotStall) {
  EXPECT_EQ(matchesOf("x*", "axb"), (Texts{"", "x", ""}));
  EXPECT_EQ(matchesOf("(?=b)", "\u00e9b"), (Texts{""}));
}

TEST(PatternTest, RefusesWhatTheEnginesReadDifferently) {
  for (const char *pattern : {R"(\h)",         R"(\b)",
                              R"(\A)",         R"(\1)",
                              R"((?P<a>b))",   R"((?i)a)",
                              R"((?<a>b))",    R"((?#a))",
                              R"((*ACCEPT))",  R"([a[b]])",
                              R"([a&&b])",     R"([]a])",
                              R"([^]a])",      R"([\S])",
                              R"([\W])",       R"([a)",
                              R"(\pL)",        R"(\)",
                              R"(a{2}+)",      R"(a{2}?)",
                              R"(a{1001})",    R"(a{1,99999999999})",
                              R"(\x{110000})", R"(\u12)",
                              R"(\xZZ)",       R"(\K)",
                              R"(\Q)",         R"(\N)",
                              R"(\X)",         R"(\R)",
                              R"(\C)",         "\xff"}) {
    auto compiled = SplitPattern::compile(pattern, "f: p");
    if (pattern == std::string("a{1,99999999999}")) {
      continue; // too large for a number: a brace that stands for itself
    }
    ASSERT_FALSE(compiled) << pattern;
    EXPECT_THAT(compiled.error().message, HasSubstr("f: p: expected"))
        << pattern;
  }
  EXPECT_FALSE(SplitPattern::compile("", "p"));
  EXPECT_FALSE(SplitPattern::compile(std::string(5000, 'a'), "p"));
}

TEST(PatternTest, RefusesWhatDoesNotCompile) {
  for (const char *pattern :
       {"(a", "a)", R"(\p{Nothing})", "*a", "[z-a]", "(?<=a*)b",
        "((((a{1000}){1000}){1000}){1000})"}) {
    auto compiled = SplitPattern::compile(pattern, "f: p");
    ASSERT_FALSE(compiled) << pattern;
    EXPECT_THAT(compiled.error().message, HasSubstr("a regular expression"));
  }
}

// What grows exponentially, by backtracking, or quadratically, in runs that a
// repeat crosses again from each start.
TEST(PatternTest, HostilePatternsEnd) {
  // Each ends in what the pattern wants, or PCRE2 would see that it is absent.
  std::string spaces = std::string(100000, ' ') + "-X";
  std::string as = std::string(100000, 'a') + "-b";
  for (auto [pattern, text] :
       std::vector<std::pair<const char *, std::string *>>{
           {R"((\s+)+X)", &spaces},
           {R"(\s+X)", &spaces},
           {R"(\s*\s*\s*\s*\sX)", &spaces},
           {R"((?:a|a)*b)", &as},
           {R"((?:a?){100}ab)", &as},
           {R"((?:aa|a)+b)", &as},
           {R"((?=(?:a+)+b)a)", &as},
           {R"([^-]*ab)", &as},
           {R"([^-]*+b|(?!a)-c)", &as}}) {
    auto compiled = SplitPattern::compile(pattern, "f: p");
    ASSERT_TRUE(compiled) << compiled.error().message;
    std::vector<ByteRange> ranges;
    StepBudget budget(text->size());
    auto done = compiled->findAll(*text, budget, ranges);
    ASSERT_FALSE(done) << pattern;
    EXPECT_THAT(done.error().message, HasSubstr("f: p: expected a pattern"));
  }
}

TEST(PatternTest, PublishedPatternsCrossLongRuns) {
  for (std::string_view pattern :
       {patterns::gpt2, patterns::llama3, patterns::o200k, patterns::qwen2,
        patterns::deepseekWords}) {
    for (const char *unit : {"A", "a", " ", "\n", " \n", "0", "!", "\u4e2d",
                             "\u0301", "'", "a\u0301", "\u00a0"}) {
      // DeepSeek's digits are split off before.
      if (pattern == patterns::deepseekWords && *unit == '0') {
        continue;
      }
      std::string text;
      while (text.size() < 300000) {
        text += unit;
      }
      size_t bytes = 0;
      for (const std::string &match : matchesOf(pattern, text)) {
        bytes += match.size();
      }
      EXPECT_EQ(bytes, text.size()) << pattern << " " << unit;
    }
  }
}

TEST(PatternTest, ReplacementsCannotExplode) {
  Normalizer normalizer;
  for (int i = 0; i < 8; ++i) {
    normalizer.steps.push_back({NormalizerKind::Replace, std::string(64, 'a'),
                                SplitPattern::literal("a")});
  }
  StepBudget budget(1);
  auto text = normalizer.apply("a", budget);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("keep the length"));
}

TEST(Utf8Test, MaximalSubparts) {
  // The table of chapter 3.9 of the Unicode standard, and Python's answers.
  EXPECT_EQ(repairUtf8("\xff"), "\ufffd");
  EXPECT_EQ(repairUtf8("\xc0\xaf"), "\ufffd\ufffd");
  EXPECT_EQ(repairUtf8("\xe0\x80\xaf"), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(repairUtf8("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(repairUtf8("\xe2\x82"), "\ufffd");
  EXPECT_EQ(repairUtf8("\xe2\x82z"), "\ufffdz");
  EXPECT_EQ(repairUtf8("\xf0\x9f\x98\xf0\x9f\x98\x80"), "\ufffd\U0001f600");
  EXPECT_EQ(repairUtf8("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(repairUtf8("a\u00e9\u4e2d\U0001f600"), "a\u00e9\u4e2d\U0001f600");
  EXPECT_TRUE(isUtf8("\u00e9"));
  EXPECT_FALSE(isUtf8("\xc3"));
}

TEST(Utf8Test, EveryCodePointThereAndBack) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) {
      continue;
    }
    std::string text;
    appendUtf8(text, code);
    Utf8Unit unit = firstUnit(text);
    ASSERT_TRUE(unit.wellFormed && unit.code == code &&
                unit.bytes == text.size())
        << code;
    ASSERT_EQ(lastUnit("x" + text).code, code);
  }
}

} // namespace
} // namespace chipwright::models
