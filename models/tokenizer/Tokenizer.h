//===- Tokenizer.h - Text to tokens and back --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Byte pair tokenizers of published language models, from the files they are
// published in. docs/tokenizers.md says which, and what differs from the
// public packages.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZER_H
#define CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZER_H

#include "chips/Diagnostic.h"
#include "models/gguf/GgufVocabulary.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

struct TokenizerData;

/// The models whose Meta `tokenizer.model` holds byte strings with ranks. The
/// file has neither their pattern nor their special tokens.
enum class TiktokenModel { Llama3, Llama4 };

/// A tokenizer. Copies share its tables; calls may run in several threads.
class Tokenizer {
public:
  /// Reads a Hugging Face `tokenizer.json`; \p file names it in messages.
  /// Refused: models other than BPE, stages that are not known, merges and ids
  /// that contradict the vocabulary, patterns that do not compile.
  static Result<Tokenizer> fromJson(std::string_view text,
                                    const std::string &file);

  /// Reads Meta's `tokenizer.model`, lines of a byte string in base64 and its
  /// id. Without \p model the number of lines decides: 128000 are Llama 3's,
  /// 200000 Llama 4's.
  static Result<Tokenizer>
  fromTiktoken(std::string_view text, const std::string &file,
               std::optional<TiktokenModel> model = std::nullopt);

  /// Makes the tokenizer of a GGUF file; \p file names it in messages.
  static Result<Tokenizer> fromGguf(const GgufVocabulary &vocabulary,
                                    const std::string &file);

  /// Opens a file of the first two forms, told apart by their contents, or the
  /// directory of a checkpoint with `tokenizer.json` or `tokenizer.model`.
  static Result<Tokenizer> open(const std::string &path);

  /// \returns the tokens of \p text. Ill-formed UTF-8 reads as U+FFFD, one for
  /// each maximal subpart of a code point. \p addSpecial puts what the
  /// tokenizer puts around a text (BOS, for most). \p parseSpecial makes
  /// control tokens of their text, as chat templates need; without it nothing
  /// in \p text becomes a control token. Refused: texts of more than 64 MiB,
  /// and those on which a pattern from the file takes too many steps.
  Result<std::vector<int32_t>> encode(std::string_view text, bool addSpecial,
                                      bool parseSpecial) const;

  /// \returns the text of \p ids, always well-formed UTF-8 (bytes that are
  /// none become U+FFFD); with \p skipSpecial without control tokens. Refused:
  /// ids without a token.
  Result<std::string> decode(std::span<const int32_t> ids,
                             bool skipSpecial = false) const;

  /// \returns the number of ids, all of [0, size()); some may have no token.
  int64_t size() const;

  /// \returns the id of the token with this content: of an added token its
  /// text, else what it decodes to.
  std::optional<int32_t> find(std::string_view content) const;

  /// \returns the bytes that \p id decodes to (possibly a part of a code
  /// point), or nothing if it has no token.
  std::optional<std::string_view> bytesOf(int64_t id) const;

  bool isSpecial(int64_t id) const;

  /// The token that begins a text, or ends it, where the file names one.
  std::optional<int32_t> bos() const;
  std::optional<int32_t> eos() const;

private:
  friend struct TokenizerData;
  friend class Detokenizer;
  explicit Tokenizer(std::shared_ptr<const TokenizerData> shared)
      : data(std::move(shared)) {}

  std::shared_ptr<const TokenizerData> data;
};

/// Turns a stream of tokens into a stream of text. What add() and finish()
/// return, put together, is decode() of all ids. Bytes of a code point that is
/// not complete yet are held back.
class Detokenizer {
public:
  explicit Detokenizer(Tokenizer tokenizer, bool skipSpecial = false);

  /// \returns the text that \p id completes, well-formed; empty while a code
  /// point is incomplete. Refused: an id without a token, which changes
  /// nothing.
  Result<std::string> add(int64_t id);

  /// \returns what is still held back, as U+FFFD, and starts a new text.
  std::string finish();

private:
  Tokenizer tokenizer;
  bool skipsSpecial;
  bool atStart = true;
  std::string held;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_TOKENIZER_H
