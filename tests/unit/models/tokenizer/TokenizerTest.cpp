//===- TokenizerTest.cpp - Encoding, decoding, added tokens -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"

#include <filesystem>
#include <fstream>

namespace chipwright::models {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(TokenizerTest, MergesByRank) {
  // "bc" ranks before "ab": a bc, not ab c. " a" ranks behind both.
  Tokenizer tokenizer = load(byteLevelJson({"b c", "a b", "Ġ a"}));
  EXPECT_EQ(encode(tokenizer, "abc"), (Ids{'a', 256}));
  EXPECT_EQ(encode(tokenizer, "ab ab"), (Ids{257, ' ', 257}));
  EXPECT_EQ(encode(tokenizer, "ab ac"), (Ids{257, 258, 'c'}));
  EXPECT_EQ(encode(tokenizer, ""), Ids());
  EXPECT_EQ(encode(tokenizer, "\u00e9"), (Ids{0xc3, 0xa9}));
  EXPECT_EQ(tokenizer.size(), 259);
}

TEST(TokenizerTest, MergesAsPairs) {
  json document = byteLevelJson({"a b"});
  document["model"]["merges"] = json::array({json::array({"a", "b"})});
  EXPECT_EQ(encode(load(document), "abab"), (Ids{256, 256}));
}

TEST(TokenizerTest, IgnoreMergesTakesWholePieces) {
  json document = byteLevelJson({"a b"});
  document["model"]["vocab"]["abc"] = 257; // no merge makes it
  EXPECT_EQ(encode(load(document), "abc"), (Ids{256, 'c'}));
  document["model"]["ignore_merges"] = true;
  EXPECT_EQ(encode(load(document), "abc"), (Ids{257}));
  EXPECT_EQ(encode(load(document), "abcd"), (Ids{256, 'c', 'd'}));
}

TEST(TokenizerTest, IllFormedTextBecomesReplacementCharacters) {
  Tokenizer tokenizer = load(byteLevelJson({}));
  EXPECT_EQ(encode(tokenizer, "a\xff"), (Ids{'a', 0xef, 0xbf, 0xbd}));
  EXPECT_EQ(decode(tokenizer, {0xe2, 0x82, 'x', 0xff}), "\ufffdx\ufffd");
}

TEST(TokenizerTest, SpecialTokensOnlyWhereWanted) {
  json document = byteLevelJson({});
  addToken(document, 256, "<|eot|>", true);
  addToken(document, 257, "<think>", false);
  Tokenizer tokenizer = load(document);
  EXPECT_EQ(encode(tokenizer, "<|eot|><think>", false, true), (Ids{256, 257}));
  Ids plain = encode(tokenizer, "<|eot|><think>", false, false);
  EXPECT_EQ(plain, (Ids{'<', '|', 'e', 'o', 't', '|', '>', 257}));
  EXPECT_EQ(decode(tokenizer, {256, 'a', 257}), "<|eot|>a<think>");
  EXPECT_EQ(decode(tokenizer, {256, 'a', 257}, true), "a<think>");
  EXPECT_TRUE(tokenizer.isSpecial(256));
  EXPECT_FALSE(tokenizer.isSpecial(257));
  EXPECT_FALSE(tokenizer.isSpecial(-1));
  EXPECT_EQ(tokenizer.find("<|eot|>"), 256);
  EXPECT_EQ(tokenizer.find("a"), 'a');
  EXPECT_EQ(tokenizer.find("ab"), std::nullopt);
}

TEST(TokenizerTest, AddedTokensLeftmostLongest) {
  json document = byteLevelJson({});
  addToken(document, 256, "ab", false);
  addToken(document, 257, "abcd", false);
  addToken(document, 258, "bcd", false);
  Tokenizer tokenizer = load(document);
  EXPECT_EQ(encode(tokenizer, "abcd"), (Ids{257}));
  EXPECT_EQ(encode(tokenizer, "abcx"), (Ids{256, 'c', 'x'}));
  EXPECT_EQ(encode(tokenizer, "xbcd"), (Ids{'x', 258}));
  EXPECT_EQ(encode(tokenizer, "abab"), (Ids{256, 256}));
}

TEST(TokenizerTest, FlagsOfAddedTokens) {
  json document = byteLevelJson({});
  addToken(document, 256, "<l>", false, {{"lstrip", true}});
  addToken(document, 257, "<r>", false, {{"rstrip", true}});
  addToken(document, 258, "cat", false, {{"single_word", true}});
  Tokenizer tokenizer = load(document);
  EXPECT_EQ(encode(tokenizer, "a \u3000<l> b"), (Ids{'a', 256, ' ', 'b'}));
  EXPECT_EQ(encode(tokenizer, "a <r>\n b"), (Ids{'a', ' ', 257, 'b'}));
  // White space between two goes to the first one that takes it.
  EXPECT_EQ(encode(tokenizer, "<r>  <l>"), (Ids{257, 256}));
  EXPECT_EQ(encode(tokenizer, "cat"), (Ids{258}));
  EXPECT_EQ(encode(tokenizer, "-cat."), (Ids{'-', 258, '.'}));
  EXPECT_EQ(encode(tokenizer, "cats"), (Ids{'c', 'a', 't', 's'}));
  EXPECT_EQ(encode(tokenizer, "\u00e9cat").back(), 't');
}

TEST(TokenizerTest, TemplatesPutTokensAround) {
  json document = byteLevelJson({});
  addToken(document, 256, "<s>", true);
  addToken(document, 257, "</s>", true);
  document["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
        {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
      {"special_tokens",
       {{"<s>", {{"id", "<s>"}, {"ids", {256}}, {"tokens", {"<s>"}}}},
        {"</s>", {{"id", "</s>"}, {"ids", {257}}, {"tokens", {"</s>"}}}}}}};
  Tokenizer tokenizer = load(document);
  EXPECT_EQ(encode(tokenizer, "a", true), (Ids{256, 'a', 257}));
  EXPECT_EQ(encode(tokenizer, "", true), (Ids{256, 257}));
  EXPECT_EQ(encode(tokenizer, "a", false), (Ids{'a'}));
  EXPECT_EQ(tokenizer.bos(), 256);
  EXPECT_EQ(tokenizer.eos(), 257);
}

TEST(TokenizerTest, DecodeRefusesIdsWithoutToken) {
  json document = byteLevelJson({});
  addToken(document, 300, "<x>", true); // 256 to 299 stay without token
  Tokenizer tokenizer = load(document);
  EXPECT_EQ(tokenizer.size(), 301);
  for (int32_t id : {-1, 256, 301, INT32_MAX, INT32_MIN}) {
    auto text = tokenizer.decode(std::vector<int32_t>{id});
    ASSERT_FALSE(text) << id;
    EXPECT_THAT(text.error().message, HasSubstr(std::to_string(id)));
    EXPECT_EQ(tokenizer.bytesOf(id), std::nullopt);
  }
}

TEST(DetokenizerTest, HoldsBackIncompleteCodePoints) {
  Detokenizer stream(load(byteLevelJson({})));
  std::string text = "\u00e9\u4e2d\U0001f600!";
  std::string out;
  for (char c : text) {
    auto piece = stream.add(static_cast<unsigned char>(c));
    ASSERT_TRUE(piece);
    out += *piece;
    // Never more than what is complete.
    EXPECT_EQ(text.substr(0, out.size()), out);
  }
  EXPECT_EQ(out, text);
  EXPECT_EQ(stream.finish(), "");
  ASSERT_EQ(*stream.add(0xf0), "");
  ASSERT_EQ(*stream.add(0x9f), "");
  ASSERT_FALSE(stream.add(999)); // changes nothing
  EXPECT_EQ(*stream.add('a'), "\ufffda");
  ASSERT_EQ(*stream.add(0xe2), "");
  EXPECT_EQ(stream.finish(), "\ufffd");
  EXPECT_EQ(stream.finish(), "");
}

TEST(DetokenizerTest, StreamEqualsWhole) {
  for (const char *name : {"llama3", "llama2", "flags"}) {
    auto loaded =
        Tokenizer::fromJson(readFixture(std::string(name) + ".json.gz"), name);
    ASSERT_TRUE(loaded) << loaded.error().message;
    // Every id, forwards and backwards: many incomplete sequences.
    Ids ids;
    for (int32_t id = 0; id < loaded->size(); ++id) {
      if (loaded->bytesOf(id)) {
        ids.push_back(id);
        ids.insert(ids.begin(), id);
      }
    }
    for (bool skip : {false, true}) {
      Detokenizer stream(*loaded, skip);
      std::string out;
      for (int32_t id : ids) {
        out += *stream.add(id);
      }
      out += stream.finish();
      EXPECT_EQ(out, decode(*loaded, ids, skip)) << name;
    }
  }
}

TEST(DetokenizerTest, DropsTheSpaceThatWasPutInFront) {
  auto loaded = Tokenizer::fromJson(readFixture("llama2.json.gz"), "llama2");
  ASSERT_TRUE(loaded) << loaded.error().message;
  Ids ids = encode(*loaded, "the people", true);
  EXPECT_EQ(decode(*loaded, ids, true), "the people");
  EXPECT_EQ(decode(*loaded, ids, false), "<s> the people");
  EXPECT_EQ(decode(*loaded, encode(*loaded, " the"), true), " the");
  EXPECT_EQ(decode(*loaded, encode(*loaded, "\U0001f9ff\n"), true),
            "\U0001f9ff\n");
}

// --- tokenizer.model ---------------------------------------------------------

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits =
          (bits << 8) |
          (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? digits[(bits >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return text;
}

std::string tiktokenText(const std::vector<std::string> &more) {
  std::string text;
  int id = 0;
  for (int byte = 0; byte < 256; ++byte) {
    text += base64(std::string(1, static_cast<char>(byte))) + " " +
            std::to_string(id++) + "\n";
  }
  for (const std::string &token : more) {
    text += base64(token) + " " + std::to_string(id++) + "\n";
  }
  return text;
}

TEST(TiktokenTest, MergesByTheIdOfTheSum) {
  auto loaded =
      Tokenizer::fromTiktoken(tiktokenText({"bc", "ab", "abc", " ab", "wxyz"}),
                              "tokenizer.model", TiktokenModel::Llama3);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(encode(*loaded, "abc"), (Ids{258}));       // as a whole piece
  EXPECT_EQ(encode(*loaded, "abcx"), (Ids{258, 'x'})); // a bc, then abc
  EXPECT_EQ(encode(*loaded, "wxyz"), (Ids{260}));      // no merge makes it
  EXPECT_EQ(encode(*loaded, "wxyzw").size(), 5u);
  EXPECT_EQ(encode(*loaded, "a", true), (Ids{261, 'a'}));
  EXPECT_EQ(encode(*loaded, "<|eot_id|>"), (Ids{261 + 9}));
  EXPECT_EQ(loaded->size(), 261 + 256);
  EXPECT_EQ(loaded->bos(), 261);
  EXPECT_EQ(loaded->eos(), 262);
  EXPECT_EQ(decode(*loaded, {258, 'x'}), "abcx");
}

// The ids that the published models give these tokens, less the 128000 or
// 200000 of the vocabulary.
TEST(TiktokenTest, SpecialTokensOfThePublishedModels) {
  auto three = Tokenizer::fromTiktoken(tiktokenText({}), "tokenizer.model",
                                       TiktokenModel::Llama3);
  ASSERT_TRUE(three) << three.error().message;
  EXPECT_EQ(three->size(), 256 + 256);
  for (auto [offset, content] : std::vector<std::pair<int, const char *>>{
           {0, "<|begin_of_text|>"},
           {1, "<|end_of_text|>"},
           {4, "<|finetune_right_pad_id|>"},
           {6, "<|start_header_id|>"},
           {7, "<|end_header_id|>"},
           {8, "<|eom_id|>"},
           {9, "<|eot_id|>"},
           {10, "<|python_tag|>"},
           {255, "<|reserved_special_token_245|>"}}) {
    EXPECT_EQ(three->find(content), 256 + offset) << content;
  }
  auto four = Tokenizer::fromTiktoken(tiktokenText({}), "tokenizer.model",
                                      TiktokenModel::Llama4);
  ASSERT_TRUE(four) << four.error().message;
  EXPECT_EQ(four->size(), 256 + 2048);
  for (auto [offset, content] : std::vector<std::pair<int, const char *>>{
           {0, "<|begin_of_text|>"},
           {1, "<|end_of_text|>"},
           {2, "<|fim_prefix|>"},
           {3, "<|fim_middle|>"},
           {4, "<|fim_suffix|>"},
           {5, "<|header_start|>"},
           {6, "<|header_end|>"},
           {7, "<|eom|>"},
           {8, "<|eot|>"},
           {9, "<|step|>"},
           {16, "<|python_start|>"},
           {17, "<|python_end|>"},
           {18, "<|finetune_right_pad|>"},
           {80, "<|image_start|>"},
           {81, "<|image_end|>"},
           {84, "<|tile_x_separator|>"},
           {85, "<|tile_y_separator|>"},
           {90, "<|image|>"},
           {92, "<|patch|>"},
           {1142, "<|reasoning_thinking_start|>"},
           {1143, "<|reasoning_thinking_end|>"}}) {
    EXPECT_EQ(four->find(content), 256 + offset) << content;
  }
}

TEST(TiktokenTest, Refusals) {
  auto message = [](const std::string &text,
                    std::optional<TiktokenModel> model) {
    auto loaded = Tokenizer::fromTiktoken(text, "t.model", model);
    EXPECT_FALSE(loaded) << text.substr(0, 40);
    return loaded ? "" : loaded.error().message;
  };
  auto three = TiktokenModel::Llama3;
  std::string good = tiktokenText({"ab"});
  EXPECT_THAT(message(good, std::nullopt), HasSubstr("found 257"));
  EXPECT_THAT(message("", three), HasSubstr("expected"));
  EXPECT_THAT(message("YQ==\n", three), HasSubstr("line 1"));
  EXPECT_THAT(message("YQ== x\n", three), HasSubstr("line 1"));
  EXPECT_THAT(message("YQ== 0 \n", three), HasSubstr("line 1"));
  EXPECT_THAT(message("YR== 0\n", three), HasSubstr("base64"));
  EXPECT_THAT(message("Y*== 0\n", three), HasSubstr("base64"));
  EXPECT_THAT(message("Y 0\n", three), HasSubstr("base64"));
  EXPECT_THAT(message(" 0\n", three), HasSubstr("base64"));
  EXPECT_THAT(message("YQ== -1\n", three), HasSubstr("expected an id"));
  EXPECT_THAT(message("YQ== 99999999999\n", three),
              HasSubstr("expected an id"));
  EXPECT_THAT(message("YQ== 0\nYg== 0\n", three), HasSubstr("second one"));
  EXPECT_THAT(message("YQ== 0\nYQ== 1\n", three),
              HasSubstr("each byte string"));
  EXPECT_THAT(message("YQ== 0\nYg== 2\n", three), HasSubstr("the ids 0 to 1"));
  EXPECT_THAT(message("YQ== 0\nYg== 1\n", three), HasSubstr("for each byte"));
  EXPECT_THAT(message(base64(std::string(600, 'a')) + " 0\n", three),
              HasSubstr("at most"));
  EXPECT_THAT(message(tiktokenText({"<|eot_id|>"}), std::nullopt),
              HasSubstr("found 257"));
}

// --- Files -------------------------------------------------------------------

class OpenTest : public testing::Test {
protected:
  void SetUp() override {
    folder =
        std::filesystem::temp_directory_path() /
        ("chipwright-tokenizer-" +
         std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
         "-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string &name, const std::string &text) {
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  }

  std::filesystem::path folder;
};

TEST_F(OpenTest, FilesAndDirectories) {
  auto none = Tokenizer::open(folder.string());
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("tokenizer.json"));
  ASSERT_FALSE(Tokenizer::open((folder / "nothing").string()));

  write("tokenizer.model", tiktokenText({}));
  auto ranks = Tokenizer::open(folder.string());
  ASSERT_FALSE(ranks); // 256 lines are neither model's
  EXPECT_THAT(ranks.error().message, HasSubstr("tokenizer.model"));

  std::string path = write("tokenizer.json", byteLevelJson({"a b"}).dump());
  for (const std::string &name : {folder.string(), path}) {
    auto tokenizer = Tokenizer::open(name);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(encode(*tokenizer, "ab"), (Ids{256}));
  }
}

} // namespace
} // namespace chipwright::models
