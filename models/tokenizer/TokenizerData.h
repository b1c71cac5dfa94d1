//===- TokenizerData.h - What the readers of tokenizers fill ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZERDATA_H
#define CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZERDATA_H

#include "models/tokenizer/AddedTokens.h"
#include "models/tokenizer/BytePairModel.h"
#include "models/tokenizer/Pipeline.h"
#include "models/tokenizer/Tokenizer.h"

#include <deque>
#include <set>

namespace chipwright::models {

/// Ids are below this; the largest published vocabularies have 262,144.
constexpr int64_t maxVocabulary = int64_t(1) << 22;

/// Contents are shorter than this; the longest published ones have 512 bytes.
constexpr size_t maxTokenBytes = 4096;

struct TokenizerData {
  /// What one id stands for.
  struct Entry {
    /// Bytes that it decodes to.
    std::string bytes;
    bool exists = false;
    bool special = false;
  };

  std::string file;
  /// Ids of define() are below this. Readers lower it to a small multiple of
  /// the tokens that a file has, so that a short file takes little memory.
  int64_t idLimit = maxVocabulary;
  BytePairModel model;
  Normalizer normalizer;
  PreTokenizer preTokenizer;
  /// Stays where it is: the matchers point to its elements.
  std::deque<AddedToken> added;
  AddedTokenMatcher exact;      // sought in the text as it is
  AddedTokenMatcher normalized; // sought in the normalized text
  TokenIds addedIds;
  /// Added tokens that decode to their normalized content.
  std::set<int32_t> renamed;
  /// Put before and behind a text.
  std::vector<int32_t> prefix, suffix;
  std::vector<Entry> entries; // by id
  /// In a content that is not byte-level, each \c markFrom decodes to
  /// \c markTo; none if empty.
  std::string markFrom, markTo;
  /// decode() drops a space at the front, which Prepend has put there.
  bool dropsFirstSpace = false;
  std::optional<int32_t> bos, eos;

  /// Gives \p id its bytes. Refused: an id out of range or already given;
  /// \p place says where it stands.
  Result<void> define(int64_t id, std::string_view bytes,
                      const std::string &place);

  /// Adds a token and its entry; \p known says that the vocabulary has it
  /// under this id already. Refused: as define(), content that is empty or
  /// there twice.
  Result<void> addToken(AddedToken token, bool known, const std::string &place);

  /// Lowers idLimit for a file with \p tokens tokens.
  void expectTokens(size_t tokens);

  /// \returns \p content with markTo for each markFrom.
  std::string withoutMarks(std::string_view content) const;

  /// Builds the matchers and hands the tokenizer out.
  static Result<Tokenizer> finish(TokenizerData &&filled);
};

/// The byte that stands as \p code in the printable form of byte-level
/// vocabularies: 33-126, 161-172 and 174-255 as themselves, the other 68 in
/// order from U+0100.
std::optional<uint8_t> byteOfPrintable(uint32_t code);

/// \returns the bytes of \p printable, or nothing if it holds other
/// characters.
std::optional<std::string> bytesOfPrintable(std::string_view printable);

/// The value of "<0xNN>", the form of byte tokens of SentencePiece.
std::optional<uint8_t> byteOfToken(std::string_view content);

/// U+2581, which stands for a space in SentencePiece's vocabularies.
constexpr std::string_view spaceMark = "\u2581";

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZERDATA_H
