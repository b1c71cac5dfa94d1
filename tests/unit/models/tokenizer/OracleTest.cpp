//===- OracleTest.cpp - Against the public package --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// tests/golden/tokenizers holds tokenizers and what the public `tokenizers`
// package makes of 12,000 strings; scripts/make_tokenizer_fixtures.py made it.
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"

#include <cstring>

namespace chipwright::models {
namespace {

class FixtureReader {
public:
  explicit FixtureReader(std::string contents) : data(std::move(contents)) {}

  bool atEnd() const { return at >= data.size(); }

  uint32_t number() {
    uint32_t value = 0;
    if (at + 4 <= data.size()) {
      std::memcpy(&value, data.data() + at, 4);
    }
    at += 4;
    return value;
  }

  std::string text() {
    uint32_t size = number();
    std::string result = data.substr(std::min(at, data.size()), size);
    at += size;
    return result;
  }

private:
  std::string data;
  size_t at = 0;
};

uint32_t hashOf(const Ids &ids) {
  uint32_t value = 0x811c9dc5;
  auto mix = [&](uint32_t number) {
    for (int i = 0; i < 4; ++i) {
      value = (value ^ ((number >> (8 * i)) & 0xff)) * 0x01000193;
    }
  };
  mix(static_cast<uint32_t>(ids.size()));
  for (int32_t id : ids) {
    mix(static_cast<uint32_t>(id));
  }
  return value;
}

std::string shown(const std::string &text) {
  return testing::PrintToString(text.substr(0, 200));
}

class OracleTest : public testing::TestWithParam<std::string> {};

TEST_P(OracleTest, SameIdsAndTexts) {
  auto loaded =
      Tokenizer::fromJson(readFixture(GetParam() + ".json.gz"), GetParam());
  ASSERT_TRUE(loaded) << loaded.error().message;
  Tokenizer tokenizer = loaded.take();

  std::vector<std::string> strings;
  for (FixtureReader reader(readFixture("strings.gz")); !reader.atEnd();) {
    strings.push_back(reader.text());
  }
  ASSERT_GE(strings.size(), 10000u);
  FixtureReader expected(readFixture(GetParam() + ".ids.gz"));
  std::vector<Ids> found;
  size_t wrong = 0;
  for (size_t i = 0; i < strings.size(); ++i) {
    found.push_back(encode(tokenizer, strings[i], i % 2 == 0, i % 4 < 2));
    if (hashOf(found.back()) != expected.number() && ++wrong <= 10) {
      ADD_FAILURE() << "string " << i << ", " << shown(strings[i]) << ": "
                    << testing::PrintToString(found.back());
    }
  }
  EXPECT_EQ(wrong, 0u) << "of " << strings.size();

  // The first ones in full, and back to text.
  FixtureReader texts(readFixture(GetParam() + ".text.gz"));
  size_t full = 0;
  for (; !expected.atEnd(); ++full) {
    Ids ids(expected.number());
    for (int32_t &id : ids) {
      id = static_cast<int32_t>(expected.number());
    }
    EXPECT_EQ(found[full], ids) << full << ", " << shown(strings[full]);
    EXPECT_EQ(decode(tokenizer, ids, full % 3 == 0), texts.text())
        << full << ", " << shown(strings[full]);
  }
  EXPECT_GE(full, 200u);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, OracleTest,
                         testing::Values("llama3", "llama4", "smollm2", "qwen2",
                                         "deepseek", "flags", "llama2",
                                         "metaspace"),
                         [](const auto &info) { return info.param; });

} // namespace
} // namespace chipwright::models
