//===- RefusalTest.cpp - Broken tokenizer.json files ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"

#include <functional>

namespace chipwright::models {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

/// One way to break a file, and what the message must name.
struct Fault {
  std::string name;
  std::function<void(json &)> apply;
  std::string place;
  std::string found;
};

void PrintTo(const Fault &fault, std::ostream *out) { *out << fault.name; }

json goodFile() {
  json document = byteLevelJson({"a b", "ab c"});
  addToken(document, 258, "<s>", true);
  document["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
      {"special_tokens", {{"<s>", {{"ids", {258}}}}}}};
  return document;
}

json &split(json &j) { return j["pre_tokenizer"]["pretokenizers"][0]; }

json spmDecoder() {
  return {{"type", "Sequence"},
          {"decoders",
           {{{"type", "Replace"},
             {"pattern", {{"String", "\u2581"}}},
             {"content", " "}},
            {{"type", "ByteFallback"}},
            {{"type", "Fuse"}},
            {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
}

const std::vector<Fault> faults = {
    // The model.
    {"NoModel", [](json &j) { j.erase("model"); }, "model", "no such key"},
    {"ModelIsText", [](json &j) { j["model"] = "BPE"; }, "model", "'BPE'"},
    {"Unigram", [](json &j) { j["model"]["type"] = "Unigram"; }, "model.type",
     "'Unigram'"},
    {"Dropout", [](json &j) { j["model"]["dropout"] = 0.1; }, "model.dropout",
     "0.1"},
    {"Prefix", [](json &j) { j["model"]["continuing_subword_prefix"] = "##"; },
     "model.continuing_subword_prefix", "'##'"},
    {"Suffix", [](json &j) { j["model"]["end_of_word_suffix"] = "</w>"; },
     "model.end_of_word_suffix", "'</w>'"},
    {"NoVocab", [](json &j) { j["model"].erase("vocab"); }, "model.vocab",
     "no such key"},
    {"EmptyVocab", [](json &j) { j["model"]["vocab"] = json::object(); },
     "model.vocab", "an empty one"},
    {"VocabIsList", [](json &j) { j["model"]["vocab"] = {"a"}; }, "model.vocab",
     "list"},
    {"IdIsText", [](json &j) { j["model"]["vocab"]["a"] = "x"; },
     "model.vocab.'a'", "'x'"},
    {"IdIsNegative", [](json &j) { j["model"]["vocab"]["a"] = -1; },
     "model.vocab.'a'", "-1"},
    {"IdIsFraction", [](json &j) { j["model"]["vocab"]["a"] = 1.5; },
     "model.vocab.'a'", "1.5"},
    {"IdIsHuge", [](json &j) { j["model"]["vocab"]["a"] = 1ull << 40; },
     "model.vocab.'a'", "1099511627776"},
    {"IdIsFarOff", [](json &j) { j["model"]["vocab"]["a"] = 100000; },
     "model.vocab.'a'", "100000"},
    {"IdTwice", [](json &j) { j["model"]["vocab"]["a"] = 'b'; }, "model.vocab",
     "with id 98"},
    {"NotByteLevel", [](json &j) { j["model"]["vocab"]["\u4e2d"] = 259; },
     "model.vocab.'\u4e2d'", "others"},
    {"LongToken",
     [](json &j) { j["model"]["vocab"][std::string(5000, 'a')] = 259; },
     "model.vocab", "5000"},
    {"UnknownOutside", [](json &j) { j["model"]["unk_token"] = "<unk>"; },
     "model.unk_token", "'<unk>'"},
    // Merges.
    {"NoMerges", [](json &j) { j["model"].erase("merges"); }, "model.merges",
     "no such key"},
    {"MergesAreText", [](json &j) { j["model"]["merges"] = "a b"; },
     "model.merges", "'a b'"},
    {"MergeOfOne", [](json &j) { j["model"]["merges"][1] = "ab"; },
     "model.merges[1]", "'ab'"},
    {"MergeOfThree", [](json &j) { j["model"]["merges"][1] = "a b c"; },
     "model.merges[1]", "'a b c'"},
    {"MergePairOfThree",
     [](json &j) { j["model"]["merges"][1] = json::array({"a", "b", "c"}); },
     "model.merges[1]", "list"},
    {"MergeOfNumbers",
     [](json &j) { j["model"]["merges"][1] = json::array({1, 2}); },
     "model.merges[1]", "[1,2]"},
    {"MergeWithEmptyPart", [](json &j) { j["model"]["merges"][1] = "a "; },
     "model.merges[1]", "'a '"},
    {"MergeLeftUnknown", [](json &j) { j["model"]["merges"][1] = "xy c"; },
     "model.merges[1]", "'xy'"},
    {"MergeRightUnknown", [](json &j) { j["model"]["merges"][1] = "a xy"; },
     "model.merges[1]", "'xy'"},
    {"MergeSumUnknown", [](json &j) { j["model"]["merges"][1] = "b c"; },
     "model.merges[1]", "'bc'"},
    // Added tokens.
    {"AddedIsObject", [](json &j) { j["added_tokens"] = json::object(); },
     "added_tokens", "an object"},
    {"AddedIsText", [](json &j) { j["added_tokens"][0] = "<s>"; },
     "added_tokens[0]", "'<s>'"},
    {"AddedWithoutId", [](json &j) { j["added_tokens"][0].erase("id"); },
     "added_tokens[0].id", "no such key"},
    {"AddedNegative", [](json &j) { j["added_tokens"][0]["id"] = -1; },
     "added_tokens[0].id", "-1"},
    {"AddedFarOff", [](json &j) { j["added_tokens"][0]["id"] = 4000000; },
     "added_tokens[0]", "4000000"},
    {"AddedEmpty", [](json &j) { j["added_tokens"][0]["content"] = ""; },
     "added_tokens[0]", "an empty one"},
    {"AddedTakenId", [](json &j) { j["added_tokens"][0]["id"] = 5; },
     "added_tokens[0]", "with id 5"},
    {"AddedOtherId", [](json &j) { addToken(j, 300, "abc", false); },
     "added_tokens[1].id", "300"},
    {"AddedTwice", [](json &j) { addToken(j, 259, "<s>", true); },
     "added_tokens[1]", "'<s>'"},
    {"AddedFlagIsText", [](json &j) { j["added_tokens"][0]["lstrip"] = "no"; },
     "added_tokens[0].lstrip", "'no'"},
    // Stages.
    {"UnknownNormalizer",
     [](json &j) { j["normalizer"] = {{"type", "BertNormalizer"}}; },
     "normalizer.type", "'BertNormalizer'"},
    {"NormalizerIsText", [](json &j) { j["normalizer"] = "NFC"; }, "normalizer",
     "'NFC'"},
    {"NormalizerWithoutType", [](json &j) { j["normalizer"] = json::object(); },
     "normalizer.type", "no such key"},
    {"SequenceWithoutList",
     [](json &j) { j["normalizer"] = {{"type", "Sequence"}}; },
     "normalizer.normalizers", "no such key"},
    {"SequenceTooLong",
     [](json &j) {
       j["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array()}};
       for (int i = 0; i < 100; ++i) {
         j["normalizer"]["normalizers"].push_back({{"type", "NFC"}});
       }
     },
     "normalizer", "more"},
    {"PrependTooLong",
     [](json &j) {
       j["normalizer"] = {{"type", "Prepend"},
                          {"prepend", std::string(100, 'a')}};
     },
     "normalizer.prepend", "aaa"},
    {"UnknownPreTokenizer",
     [](json &j) { split(j) = {{"type", "BertPreTokenizer"}}; },
     "pre_tokenizer.pretokenizers[0].type", "'BertPreTokenizer'"},
    {"StageBehindByteLevel",
     [](json &j) {
       j["pre_tokenizer"]["pretokenizers"].push_back(
           {{"type", "Digits"}, {"individual_digits", true}});
     },
     "pre_tokenizer.pretokenizers[2].type", "'Digits'"},
    {"NoPattern", [](json &j) { split(j).erase("pattern"); },
     "pre_tokenizer.pretokenizers[0].pattern", "no such key"},
    {"EmptyLiteral", [](json &j) { split(j)["pattern"] = {{"String", ""}}; },
     "pre_tokenizer.pretokenizers[0].pattern", "an object"},
    {"UnknownBehavior", [](json &j) { split(j)["behavior"] = "Cut"; },
     "pre_tokenizer.pretokenizers[0].behavior", "'Cut'"},
    {"PatternDoesNotCompile",
     [](json &j) { split(j)["pattern"] = {{"Regex", "(a"}}; },
     "pre_tokenizer.pretokenizers[0].pattern", "'(a'"},
    {"PatternOfOtherMeaning",
     [](json &j) { split(j)["pattern"] = {{"Regex", "\\h"}}; },
     "pre_tokenizer.pretokenizers[0].pattern", "'\\h'"},
    {"MetaspaceOfText",
     [](json &j) {
       j["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "space"}};
     },
     "pre_tokenizer.replacement", "'space'"},
    {"MetaspaceScheme",
     [](json &j) {
       j["pre_tokenizer"] = {{"type", "Metaspace"},
                             {"replacement", "_"},
                             {"prepend_scheme", "often"}};
     },
     "pre_tokenizer.prepend_scheme", "'often'"},
    {"UnknownPostProcessor",
     [](json &j) { j["post_processor"] = {{"type", "BertProcessing"}}; },
     "post_processor.type", "'BertProcessing'"},
    {"TemplateWithoutList", [](json &j) { j["post_processor"]["single"] = 1; },
     "post_processor.single", "1"},
    {"TemplateWithoutText",
     [](json &j) { j["post_processor"]["single"].erase(1); },
     "post_processor.single", "list"},
    {"TemplateWithTwoTexts",
     [](json &j) {
       j["post_processor"]["single"].push_back({{"Sequence", {{"id", "A"}}}});
     },
     "post_processor.single", "an object"},
    {"TemplateOfOtherToken",
     [](json &j) {
       j["post_processor"]["single"][0]["SpecialToken"]["id"] = "<t>";
     },
     "post_processor.single", "an object"},
    {"TemplateOfOtherId",
     [](json &j) {
       j["post_processor"]["special_tokens"]["<s>"]["ids"] = {999};
     },
     "tokens around a text", "999"},
    {"TemplateOfNegativeId",
     [](json &j) {
       j["post_processor"]["special_tokens"]["<s>"]["ids"] = {-1};
     },
     "post_processor.special_tokens", "-1"},
    {"TwoTemplates",
     [](json &j) {
       json one = j["post_processor"];
       j["post_processor"] = {{"type", "Sequence"}, {"processors", {one, one}}};
     },
     "post_processor.processors[1].type", "'TemplateProcessing'"},
    {"UnknownDecoder", [](json &j) { j["decoder"] = {{"type", "WordPiece"}}; },
     "decoder.type", "'WordPiece'"},
    {"NoDecoder", [](json &j) { j["decoder"] = nullptr; }, "decoder", "none"},
    {"OtherDecoder", [](json &j) { j["decoder"] = spmDecoder(); }, "decoder",
     "none"},
    {"ByteDecoderAlone", [](json &j) { j["pre_tokenizer"] = nullptr; },
     "decoder", "ByteLevel"},
    {"NeitherDecoder",
     [](json &j) {
       j["pre_tokenizer"] = nullptr;
       j["decoder"] = nullptr;
     },
     "decoder", "neither"},
    {"StripOfMore",
     [](json &j) {
       j["decoder"] = spmDecoder();
       j["decoder"]["decoders"][3]["start"] = 2;
     },
     "decoder.decoders[3].start", "2"},
    {"StripWithoutFuse",
     [](json &j) {
       j["decoder"] = spmDecoder();
       j["decoder"]["decoders"].erase(2);
     },
     "decoder.decoders[2].content", "' '"},
};

class RefusalTest : public testing::TestWithParam<Fault> {};

TEST_P(RefusalTest, NamesPlaceAndFinding) {
  json document = goodFile();
  ASSERT_TRUE(Tokenizer::fromJson(document.dump(), "t.json"));
  GetParam().apply(document);
  auto loaded = Tokenizer::fromJson(document.dump(), "t.json");
  ASSERT_FALSE(loaded);
  const std::string &message = loaded.error().message;
  EXPECT_THAT(message,
              AllOf(HasSubstr("t.json: "), HasSubstr(GetParam().place),
                    HasSubstr(": expected "), HasSubstr(GetParam().found)));
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LE(message.size(), 600u) << message;
  EXPECT_EQ(loaded.error().exitStatus, ExitBadInput);
}

INSTANTIATE_TEST_SUITE_P(Json, RefusalTest, testing::ValuesIn(faults),
                         [](const auto &info) { return info.param.name; });

TEST(RefusalTextTest, NotJson) {
  for (const char *text :
       {"", "{", "[]", "3", "null", "{\"model\": 1}", "{\"a\":1,\"a\":2}",
        "\xff", "{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}}}"}) {
    auto loaded = Tokenizer::fromJson(text, "t.json");
    ASSERT_FALSE(loaded) << text;
    EXPECT_THAT(loaded.error().message, HasSubstr("t.json"));
  }
}

// A pattern that compiles may still take forever; the text then is refused.
TEST(RefusalTextTest, HostilePatternMeetsItsText) {
  auto loaded = Tokenizer::fromJson(
      byteLevelJson({}, R"((?:a|a)*b|(?:\s+)+x)").dump(), "t.json");
  ASSERT_TRUE(loaded) << loaded.error().message;
  auto ids = loaded->encode(std::string(200, 'a'), false, false);
  ASSERT_FALSE(ids);
  EXPECT_THAT(ids.error().message,
              AllOf(HasSubstr("t.json: pre_tokenizer.pretokenizers[0].pattern"),
                    HasSubstr("200 bytes")));
  EXPECT_TRUE(loaded->encode("ab", false, false));
}

} // namespace
} // namespace chipwright::models
