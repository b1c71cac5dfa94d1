//===- AddedTokens.h - Tokens found before the text is split ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_ADDEDTOKENS_H
#define CHIPWRIGHT_MODELS_TOKENIZER_ADDEDTOKENS_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace chipwright::models {

/// A token that stands in the text as such.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  /// Control token: found only with parseSpecial, left out by decode()'s
  /// skipSpecial.
  bool special = false;
  /// Takes the white space before it, or behind it.
  bool leftStrip = false;
  bool rightStrip = false;
  /// Found only where no word character is on either side.
  bool singleWord = false;
  /// Sought in the normalized text, by its normalized content.
  bool normalized = false;
};

/// A part of a text: an added token or what is between them.
struct TextPart {
  std::string_view text;
  const AddedToken *token = nullptr;
};

/// Finds added tokens: at the leftmost position the longest one.
class AddedTokenMatcher {
public:
  /// Makes \p content stand for \p token, which must outlive this. Of equal
  /// contents the first counts; an empty one is not found.
  void add(std::string_view content, const AddedToken &token);

  bool empty() const { return edges.empty(); }

  /// Cuts the well-formed \p text into parts, in order, none empty except
  /// that the one part of an empty text is. Without \p parseSpecial the text
  /// of special tokens is ordinary text.
  std::vector<TextPart> split(std::string_view text, bool parseSpecial) const;

private:
  /// \returns the longest token at the front of \p text and its length.
  const AddedToken *longest(std::string_view text, size_t &length) const;

  // A trie: edge (node, byte) -> node; node 0 is the root.
  std::unordered_map<uint64_t, uint32_t> edges;
  std::vector<const AddedToken *> ends{nullptr};
  std::array<bool, 256> starts{};
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_ADDEDTOKENS_H
