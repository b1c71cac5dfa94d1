//===- GgufTokenizerTest.cpp - Vocabularies of GGUF files -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"

#include <cmath>
#include <functional>
#include <map>
#include <random>

namespace chipwright::models {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

/// The vocabulary of a byte-level fixture as a converter writes it.
GgufVocabulary vocabularyOf(const std::string &fixture,
                            const std::string &pre) {
  json document = json::parse(readFixture(fixture + ".json.gz"));
  GgufVocabulary result;
  result.model = "gpt2";
  result.pre = pre;
  auto put = [&](size_t id, const std::string &content, int32_t type) {
    if (result.tokens.size() <= id) {
      result.tokens.resize(id + 1);
      result.tokenTypes.resize(id + 1);
    }
    result.tokens[id] = content;
    result.tokenTypes[id] = type;
  };
  for (auto &[content, id] : document["model"]["vocab"].items()) {
    put(id, content, 1);
  }
  for (json &token : document["added_tokens"]) {
    put(token["id"], token["content"], token["special"] ? 3 : 4);
  }
  for (json &merge : document["model"]["merges"]) {
    result.merges.push_back(merge.is_string()
                                ? merge.get<std::string>()
                                : merge[0].get<std::string>() + " " +
                                      merge[1].get<std::string>());
  }
  return result;
}

Tokenizer make(const GgufVocabulary &vocabulary) {
  auto made = Tokenizer::fromGguf(vocabulary, "m.gguf");
  if (!made) {
    ADD_FAILURE() << made.error().message;
    std::abort();
  }
  return made.take();
}

/// The fixtures' strings, of which every \p step th.
std::vector<std::string> someStrings(size_t step) {
  std::string data = readFixture("strings.gz");
  std::vector<std::string> strings;
  size_t number = 0;
  for (size_t at = 0; at + 4 <= data.size();) {
    uint32_t size = 0;
    std::memcpy(&size, data.data() + at, 4);
    if (number++ % step == 0) {
      strings.push_back(data.substr(at + 4, size));
    }
    at += 4 + size;
  }
  return strings;
}

// The tokenizer.json of the fixtures agrees with the public package, so what
// agrees with it does too.
TEST(GgufTokenizerTest, SameAsTokenizerJson) {
  for (auto [fixture, pre] : std::vector<std::pair<const char *, const char *>>{
           {"llama3", "llama-bpe"},
           {"llama4", "llama4"},
           {"smollm2", "smollm"},
           {"deepseek", "deepseek-v3"}}) {
    auto reference = Tokenizer::fromJson(
        readFixture(std::string(fixture) + ".json.gz"), "j");
    ASSERT_TRUE(reference) << reference.error().message;
    GgufVocabulary vocabulary = vocabularyOf(fixture, pre);
    vocabulary.addBos = false;
    Tokenizer tokenizer = make(vocabulary);
    for (const std::string &text : someStrings(5)) {
      ASSERT_EQ(encode(tokenizer, text), encode(*reference, text))
          << fixture << ": " << testing::PrintToString(text);
    }
  }
}

TEST(GgufTokenizerTest, EveryKnownPreLoads) {
  for (const char *pre :
       {"gpt-2", "llama-bpe", "llama3", "llama-v3", "llama4", "gpt-4o", "qwen2",
        "deepseek-r1-qwen", "smollm", "starcoder", "refact", "deepseek-v3"}) {
    GgufVocabulary vocabulary = vocabularyOf("llama4", pre);
    vocabulary.addBos = false;
    Tokenizer tokenizer = make(vocabulary);
    EXPECT_EQ(decode(tokenizer, encode(tokenizer, "Hello 123")), "Hello 123");
  }
}

TEST(GgufTokenizerTest, TextIsComposedForQwen) {
  GgufVocabulary vocabulary = vocabularyOf("llama4", "qwen2");
  vocabulary.addBos = false;
  Tokenizer tokenizer = make(vocabulary);
  EXPECT_EQ(encode(tokenizer, "e\u0301"), encode(tokenizer, "\u00e9"));
}

TEST(GgufTokenizerTest, BosAndEosAsTheFileSays) {
  GgufVocabulary vocabulary = vocabularyOf("llama3", "llama-bpe");
  vocabulary.bos = 5;
  vocabulary.eos = 6;
  Ids plain = encode(make(vocabulary), "a");
  Ids with = plain;
  with.insert(with.begin(), 5);
  EXPECT_EQ(encode(make(vocabulary), "a", true), with); // llama-bpe's default
  EXPECT_EQ(make(vocabulary).bos(), 5);
  EXPECT_EQ(make(vocabulary).eos(), 6);
  vocabulary.addBos = false;
  EXPECT_EQ(encode(make(vocabulary), "a", true), plain);
  vocabulary.addBos = true;
  vocabulary.addEos = true;
  with.push_back(6);
  EXPECT_EQ(encode(make(vocabulary), "a", true), with);
}

// --- SentencePiece -----------------------------------------------------------

/// <unk>, <s>, </s>, the bytes, then \p pieces with their scores.
GgufVocabulary
scored(const std::vector<std::pair<std::string, float>> &pieces) {
  GgufVocabulary result;
  result.model = "llama";
  auto put = [&](const std::string &content, float score, int32_t type) {
    result.tokens.push_back(content);
    result.scores.push_back(score);
    result.tokenTypes.push_back(type);
  };
  put("<unk>", 0, 2);
  put("<s>", 0, 3);
  put("</s>", 0, 3);
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    put(std::string("<0x") + hex[byte >> 4] + hex[byte & 15] + ">", 0, 6);
  }
  for (const auto &[content, score] : pieces) {
    put(content, score, 1);
  }
  result.bos = 1;
  result.eos = 2;
  return result;
}

TEST(GgufTokenizerTest, MergesByScore) {
  Tokenizer tokenizer = make(scored({{"\u2581", -9},
                                     {"a", -9},
                                     {"b", -9},
                                     {"ab", -2},
                                     {"ba", -1},
                                     {"\u2581a", -3},
                                     {"aab", -4}}));
  int a = 260, b = 261, ab = 262, ba = 263, spaceA = 264;
  EXPECT_EQ(encode(tokenizer, "ab"), (Ids{259, ab}));
  EXPECT_EQ(encode(tokenizer, "aba"), (Ids{spaceA, ba}));
  EXPECT_EQ(encode(tokenizer, "abab"), (Ids{spaceA, ba, b}));
  // U+00E9 is no piece: its bytes.
  EXPECT_EQ(encode(tokenizer, "a\u00e9a"),
            (Ids{spaceA, 3 + 0xc3, 3 + 0xa9, a}));
  EXPECT_EQ(encode(tokenizer, "", true), (Ids{1}));
  EXPECT_EQ(encode(tokenizer, "a", true), (Ids{1, spaceA}));
  EXPECT_EQ(encode(tokenizer, "a</s>a"), (Ids{spaceA, 2, spaceA}));
  EXPECT_EQ(decode(tokenizer, {1, spaceA, ba, 3 + 0xc3, 3 + 0xa9}, true),
            "aba\u00e9");
}

// The fixture's merges are what a converter makes of scores that fall with the
// ids; the public package agrees with them.
TEST(GgufTokenizerTest, ScoresGiveWhatConvertedMergesGive) {
  json document = json::parse(readFixture("llama2.json.gz"));
  auto reference = Tokenizer::fromJson(document.dump(), "j");
  ASSERT_TRUE(reference) << reference.error().message;
  std::map<int, std::string> pieces;
  for (auto &[content, id] : document["model"]["vocab"].items()) {
    pieces[id] = content;
  }
  std::vector<std::pair<std::string, float>> ranked;
  for (const auto &[id, content] : pieces) {
    if (id >= 259) {
      ranked.emplace_back(content, -static_cast<float>(id));
    }
  }
  Tokenizer tokenizer = make(scored(ranked));
  size_t compared = 0;
  for (const std::string &text : someStrings(3)) {
    // A token that only the fixture adds.
    if (text.find("[INST]") == std::string::npos) {
      ASSERT_EQ(encode(tokenizer, text, true), encode(*reference, text, true))
          << testing::PrintToString(text);
      ++compared;
    }
  }
  EXPECT_GT(compared, 3000u);
}

TEST(GgufTokenizerTest, WithoutSpaceInFront) {
  GgufVocabulary vocabulary =
      scored({{"\u2581", -1}, {"a", -1}, {"\u2581a", -1}});
  vocabulary.addSpacePrefix = false;
  Tokenizer tokenizer = make(vocabulary);
  EXPECT_EQ(encode(tokenizer, "a a"), (Ids{260, 261}));
  EXPECT_EQ(decode(tokenizer, {261}), " a");
}

TEST(GgufTokenizerTest, CodePointsThatAreOnlyPartsOfPieces) {
  // "x" alone is no token, "xy" is.
  Tokenizer tokenizer =
      make(scored({{"\u2581", -1}, {"y", -1}, {"xy", -1}, {"zxy", -2}}));
  EXPECT_EQ(encode(tokenizer, "xy"), (Ids{259, 261}));
  EXPECT_EQ(encode(tokenizer, "x"), (Ids{259, 3 + 'x'}));
  EXPECT_EQ(encode(tokenizer, "zxyzx"), (Ids{259, 262, 3 + 'z', 3 + 'x'}));
}

/// SentencePiece's rule: of all neighbours whose sum is a piece the one of
/// highest score merges, the leftmost of equals.
std::vector<std::string> byScore(const std::map<std::string, float> &scores,
                                 const std::string &text) {
  std::vector<std::string> symbols;
  for (char c : text) {
    symbols.emplace_back(1, c);
  }
  for (;;) {
    size_t best = symbols.size();
    float score = -INFINITY;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto piece = scores.find(symbols[i] + symbols[i + 1]);
      if (piece != scores.end() && piece->second > score) {
        best = i;
        score = piece->second;
      }
    }
    if (best == symbols.size()) {
      return symbols;
    }
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(GgufTokenizerTest, EqualsTheRuleOfScores) {
  uint32_t seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    std::map<std::string, float> scores;
    auto word = [&](uint32_t most) {
      std::string text;
      for (uint32_t n = 1 + below(most); n > 0; --n) {
        text += static_cast<char>('a' + below(3));
      }
      return text;
    };
    for (int i = 0; i < 25; ++i) {
      scores.emplace(word(5), -static_cast<float>(below(10)));
    }
    std::vector<std::pair<std::string, float>> pieces(scores.begin(),
                                                      scores.end());
    GgufVocabulary vocabulary = scored(pieces);
    vocabulary.addSpacePrefix = false;
    Tokenizer tokenizer = make(vocabulary);
    std::string text = word(40);
    Ids expected;
    for (const std::string &symbol : byScore(scores, text)) {
      auto piece = scores.find(symbol);
      expected.push_back(piece == scores.end()
                             ? 3 + symbol[0]
                             : 259 + static_cast<int32_t>(
                                         std::distance(scores.begin(), piece)));
    }
    ASSERT_EQ(encode(tokenizer, text), expected) << text;
  }
}

// --- Refusals ----------------------------------------------------------------

struct Fault {
  std::string name;
  bool isScored;
  std::function<void(GgufVocabulary &)> apply;
  std::string place;
  std::string found;
};

void PrintTo(const Fault &fault, std::ostream *out) { *out << fault.name; }

using V = GgufVocabulary;
const std::vector<Fault> faults = {
    {"Model", false, [](V &v) { v.model = "bert"; }, "model", "'bert'"},
    {"Pre", false, [](V &v) { v.pre = "other"; }, "pre",
     "llama-bpe, llama3, llama-v3, llama4, gpt-4o, qwen2, deepseek-r1-qwen, "
     "smollm, starcoder, refact, deepseek-v3, found 'other'"},
    {"NoPre", false, [](V &v) { v.pre = ""; }, "pre", "''"},
    {"NoTokens", false, [](V &v) { v.tokens.clear(); }, "tokens", "0"},
    {"Types", false, [](V &v) { v.tokenTypes.pop_back(); }, "token_type",
     "1405"},
    {"TypeZero", false, [](V &v) { v.tokenTypes[3] = 0; }, "token_type",
     "0 for id 3"},
    {"TypeSeven", true, [](V &v) { v.tokenTypes[3] = 7; }, "token_type",
     "7 for id 3"},
    {"NotUtf8", false, [](V &v) { v.tokens[3] = "\xff"; }, "tokens", "id 3"},
    {"NotPrintable", false, [](V &v) { v.tokens[3] = "\u4e2d"; }, "tokens",
     "id 3"},
    {"EmptyToken", false, [](V &v) { v.tokens[3] = ""; }, "tokens", "id 3"},
    {"TokenTwice", false, [](V &v) { v.tokens[3] = v.tokens[4]; }, "tokens",
     "id 4"},
    {"SpecialTwice", false,
     [](V &v) {
       v.tokenTypes[3] = v.tokenTypes[4] = 3;
       v.tokens[3] = v.tokens[4];
     },
     "tokens[4]", "twice"},
    {"MergeOfOne", false, [](V &v) { v.merges[2] = "ab"; }, "merges[2]",
     "'ab'"},
    {"MergeEmptyPart", false, [](V &v) { v.merges[2] = "ab "; }, "merges[2]",
     "'ab '"},
    {"MergeUnknown", false, [](V &v) { v.merges[2] = "zqz z"; }, "merges[2]",
     "'zqz z'"},
    {"BosRange", false, [](V &v) { v.bos = 1406; }, "bos_token_id", "1406"},
    {"BosNegative", true, [](V &v) { v.bos = -1; }, "bos_token_id", "-1"},
    {"NoBos", true, [](V &v) { v.bos.reset(); }, "bos_token_id", "no such key"},
    {"NoEos", true,
     [](V &v) {
       v.eos.reset();
       v.addEos = true;
     },
     "eos_token_id", "no such key"},
    {"UnknownRange", true, [](V &v) { v.unknown = int64_t(1) << 40; },
     "unknown_token_id", "1099511627776"},
    {"Scores", true, [](V &v) { v.scores.pop_back(); }, "scores", "260"},
    {"ScoreNan", true, [](V &v) { v.scores[7] = NAN; }, "scores",
     "NaN for id 7"},
    {"ByteForm", true, [](V &v) { v.tokens[5] = "<0x2>"; }, "tokens",
     "'<0x2>' for id 5"},
    {"ByteTwice", true, [](V &v) { v.tokens[5] = "<0x00>"; }, "tokens",
     "'<0x00>' for id 5"},
    {"PieceTwice", true, [](V &v) { v.tokens[260] = v.tokens[259]; }, "tokens",
     "id 260"},
    {"PieceEmpty", true, [](V &v) { v.tokens[260] = ""; }, "tokens",
     "0 for id 260"},
    {"PieceLong", true, [](V &v) { v.tokens[260] = std::string(600, 'a'); },
     "tokens", "600 for id 260"},
};

class GgufRefusalTest : public testing::TestWithParam<Fault> {};

TEST_P(GgufRefusalTest, NamesKeyAndFinding) {
  GgufVocabulary vocabulary = GetParam().isScored
                                  ? scored({{"a", -1}, {"b", -1}})
                                  : vocabularyOf("llama4", "llama4");
  ASSERT_TRUE(Tokenizer::fromGguf(vocabulary, "m.gguf"));
  GetParam().apply(vocabulary);
  auto made = Tokenizer::fromGguf(vocabulary, "m.gguf");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("m.gguf: "),
                    HasSubstr("tokenizer.ggml." + GetParam().place),
                    HasSubstr(": expected "), HasSubstr(GetParam().found)));
}

INSTANTIATE_TEST_SUITE_P(Gguf, GgufRefusalTest, testing::ValuesIn(faults),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace chipwright::models
