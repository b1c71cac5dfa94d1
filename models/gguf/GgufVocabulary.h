//===- GgufVocabulary.h - What a GGUF file says of tokens -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GGUF_GGUFVOCABULARY_H
#define CHIPWRIGHT_MODELS_GGUF_GGUFVOCABULARY_H

#include "chips/Diagnostic.h"
#include "models/gguf/GgufMetadata.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipwright::models {

/// Kinds of tokens, with their numbers in tokenizer.ggml.token_type.
enum class GgufTokenType : int32_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// The tokenizer.* keys of a file, as they stand there.
struct GgufVocabulary {
  std::string model; // "gpt2": byte-level BPE, "llama": SentencePiece
  std::string pre;   // name of the rule that splits text first; may be empty
  std::vector<std::string> tokens; // by id; bytes, not always UTF-8
  std::vector<float> scores;       // one per token, or none
  std::vector<int32_t> tokenTypes; // GgufTokenType of each, or none
  std::vector<std::string> merges; // "left right", by rank
  std::optional<int64_t> bos, eos, eot, eom, unknown, padding; // ids
  std::optional<bool> addBos, addEos, addSpacePrefix;          // stated
  std::string chatTemplate; // Jinja; may be empty
};

/// Reads the vocabulary of \p metadata. Refused: missing or empty
/// tokenizer.ggml.model or tokens, values of other types, lists that are not
/// as long as the tokens, types of tokens outside 1 to 6, ids outside the
/// vocabulary, merges that are not two texts with a space between them.
Result<GgufVocabulary> readGgufVocabulary(const GgufMetadata &metadata);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GGUF_GGUFVOCABULARY_H
