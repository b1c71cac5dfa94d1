//===- BytePairTest.cpp - Merging against the definition --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "TokenizerTestSupport.h"
#include "models/tokenizer/BytePairModel.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

namespace chipwright::models {
namespace {

/// A seed of the clock's or CHIPWRIGHT_SEED, printed.
uint32_t chooseSeed() {
  const char *given = std::getenv("CHIPWRIGHT_SEED");
  uint32_t seed = given ? static_cast<uint32_t>(std::strtoul(given, nullptr, 0))
                        : std::random_device()();
  std::printf("CHIPWRIGHT_SEED=%u\n", seed);
  return seed;
}

using Pair = std::pair<int32_t, int32_t>;

/// Merges the pair of lowest rank, the leftmost of equals, until none is left.
Ids mergedByDefinition(Ids symbols, const std::map<Pair, Merge> &merges) {
  for (;;) {
    size_t best = symbols.size();
    const Merge *merge = nullptr;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto found = merges.find({symbols[i], symbols[i + 1]});
      if (found != merges.end() &&
          (!merge || found->second.rank < merge->rank)) {
        best = i;
        merge = &found->second;
      }
    }
    if (!merge) {
      return symbols;
    }
    symbols[best] = merge->result;
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(BytePairTest, EqualsTheDefinition) {
  std::mt19937 random(chooseSeed());
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    BytePairModel model;
    model.byteLevel = true;
    uint32_t letters = 1 + below(4);
    for (uint32_t i = 0; i < letters; ++i) {
      model.byteTokens['a' + i] = static_cast<int32_t>(i);
    }
    // Ranks may be equal, as scores may be, and any pair may become anything.
    std::map<Pair, Merge> merges;
    int32_t next = static_cast<int32_t>(letters);
    uint32_t count = below(40);
    for (uint32_t i = 0; i < count; ++i) {
      auto any = [&] { return static_cast<int32_t>(below(next)); };
      Pair pair{any(), any()};
      Merge merge{below(2) ? i : below(8), next};
      if (merges.emplace(pair, merge).second) {
        model.merges.set(pair.first, pair.second, merge);
        ++next;
      }
    }
    std::string text;
    Ids symbols;
    for (uint32_t i = 0, n = below(80); i < n; ++i) {
      uint32_t letter = below(letters);
      text += static_cast<char>('a' + letter);
      symbols.push_back(static_cast<int32_t>(letter));
    }
    BytePairModel::Scratch scratch;
    Ids tokens;
    model.encode(text, scratch, tokens);
    ASSERT_EQ(tokens, mergedByDefinition(symbols, merges)) << text;
  }
}

TEST(BytePairTest, TableHoldsWhatWasSetLast) {
  std::mt19937 random(chooseSeed());
  MergeTable table;
  std::map<Pair, Merge> expected;
  EXPECT_EQ(table.find(1, 2), nullptr);
  for (uint32_t i = 0; i < 20000; ++i) {
    auto any = [&] { return static_cast<int32_t>(random() % 300); };
    Pair pair{any(), any()};
    Merge merge{i, static_cast<int32_t>(random() % 1000)};
    expected[pair] = merge;
    table.set(pair.first, pair.second, merge);
  }
  EXPECT_EQ(table.size(), expected.size());
  for (int32_t left = 0; left < 300; ++left) {
    for (int32_t right = 0; right < 300; ++right) {
      auto known = expected.find({left, right});
      const Merge *found = table.find(left, right);
      ASSERT_EQ(found != nullptr, known != expected.end());
      if (found) {
        ASSERT_EQ(found->rank, known->second.rank);
        ASSERT_EQ(found->result, known->second.result);
      }
    }
  }
}

TEST(BytePairTest, UnknownSymbols) {
  BytePairModel model;
  model.ids = {{"a", 1}, {"b", 2}};
  BytePairModel::Scratch scratch;
  auto encoded = [&](std::string_view text) {
    Ids tokens;
    model.encode(text, scratch, tokens);
    return tokens;
  };
  EXPECT_EQ(encoded("xaxxb"), (Ids{1, 2}));
  model.unknown = 0;
  EXPECT_EQ(encoded("xaxxb\u4e2d"), (Ids{0, 1, 0, 0, 2, 0}));
  model.fuseUnknown = true;
  EXPECT_EQ(encoded("xaxxb\u4e2d"), (Ids{0, 1, 0, 2, 0}));
  model.byteFallback = true;
  for (int byte = 0; byte < 256; ++byte) {
    model.byteTokens[byte] = 100 + byte;
  }
  EXPECT_EQ(encoded("xa\u00e9"), (Ids{100 + 'x', 1, 100 + 0xc3, 100 + 0xa9}));
  // One missing byte makes the whole code point unknown.
  model.byteTokens[0xa9] = -1;
  EXPECT_EQ(encoded("xa\u00e9"), (Ids{100 + 'x', 1, 0}));
}

} // namespace
} // namespace chipwright::models
