//===- BytePairModel.h - Merging symbols of a piece -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer: byte pair encoding of one piece of text. The
// adjacent pair of lowest rank merges first, the leftmost of equal ones, until
// no pair has a rank. Ranks come from a list of merges (Hugging Face, GGUF
// `gpt2`), from the ids of the merged tokens (tiktoken) or from scores
// (SentencePiece); which, decides the reader of the file.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_BYTEPAIRMODEL_H
#define CHIPWRIGHT_MODELS_TOKENIZER_BYTEPAIRMODEL_H

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace chipwright::models {

/// What a pair of adjacent symbols becomes.
struct Merge {
  uint32_t rank = 0;
  int32_t result = -1;
};

/// Merges by pair of symbols: open addressing, at most half full.
class MergeTable {
public:
  void reserve(size_t count);

  /// Sets the merge of the pair; a later one replaces an earlier one.
  void set(int32_t left, int32_t right, Merge merge);

  /// \returns the merge of the pair or nullptr.
  const Merge *find(int32_t left, int32_t right) const;

  size_t size() const { return used; }

private:
  struct Slot {
    uint64_t pair = empty;
    Merge merge;
  };
  static constexpr uint64_t empty = ~uint64_t(0);

  size_t place(uint64_t pair) const;

  std::vector<Slot> slots;
  size_t used = 0;
};

/// Ids of token contents, looked up without a copy.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using TokenIds =
    std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>>;

class BytePairModel {
public:
  /// Token contents: raw bytes with byteLevel, else UTF-8.
  TokenIds ids;
  MergeTable merges;
  /// The first symbols are bytes; else they are code points.
  bool byteLevel = false;
  /// A piece that is a token is that token, whatever the merges give.
  bool ignoreMerges = false;
  /// Unknown code points become tokens of their bytes.
  bool byteFallback = false;
  /// Tokens of single bytes: the symbols with byteLevel, else those of
  /// byteFallback; -1 where there is none.
  std::array<int32_t, 256> byteTokens{};
  std::optional<int32_t> unknown;
  /// A run of unknown symbols gives one unknown token.
  bool fuseUnknown = false;

  /// Code points that are no token but begin a merge (SentencePiece), by
  /// content; symbol i of them is virtualBase + i.
  TokenIds virtualIds;
  std::vector<std::string> virtualTexts;
  int32_t virtualBase = 0;

  BytePairModel() { byteTokens.fill(-1); }

  /// Memory that encode() reuses from piece to piece.
  struct Scratch {
    struct Symbol {
      int32_t id;
      int32_t previous; // -1 at the front
      int32_t next;     // -1 at the back
    };
    struct Candidate {
      uint32_t rank;
      int32_t position;
      int32_t left, right;
      int32_t result;
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
  };

  /// Appends the tokens of \p piece (well-formed UTF-8, below 2 GiB) to
  /// \p tokens. Bytes that no token stands for vanish where the vocabulary
  /// has no unknown token, as in the public packages.
  void encode(std::string_view piece, Scratch &scratch,
              std::vector<int32_t> &tokens) const;

private:
  void firstSymbols(std::string_view piece, Scratch &scratch) const;
  void mergeAll(Scratch &scratch) const;
  /// \returns the tokens of the bytes of \p text, or nothing if one has none.
  bool bytesOf(std::string_view text, std::vector<int32_t> &tokens) const;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_BYTEPAIRMODEL_H
