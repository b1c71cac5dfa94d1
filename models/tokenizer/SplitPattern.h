//===- SplitPattern.h - Regular expressions that split text -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer. Patterns of tokenizer files are written for
// Oniguruma; they are matched here by PCRE2. Only the part of the syntax that
// means the same in both is accepted, after \s, \d and \w are written out with
// Oniguruma's meaning.
//
// Patterns come from strangers. Those that are not among the published ones
// run under a budget of steps, which their matching pays by PCRE2's callouts.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_SPLITPATTERN_H
#define CHIPWRIGHT_MODELS_TOKENIZER_SPLITPATTERN_H

#include "chips/Diagnostic.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

/// Half-open range of bytes.
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;

  bool empty() const { return begin == end; }
  bool operator==(const ByteRange &) const = default;
};

/// How many steps the patterns may still take for one text.
class StepBudget {
public:
  explicit StepBudget(size_t textBytes) : left(1'000'000 + 200 * textBytes) {}

  /// \returns false once nothing is left.
  bool pay(uint64_t steps) {
    left = steps > left ? 0 : left - steps;
    return left > 0;
  }

private:
  uint64_t left;
};

/// Patterns of published tokenizers, as in their files; each takes time linear
/// in the text.
namespace patterns {
inline constexpr std::string_view gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view llama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view o200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view qwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view number = R"(\p{N})";
inline constexpr std::string_view threeDigits = R"(\p{N}{1,3})";
inline constexpr std::string_view deepseekHan =
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
inline constexpr std::string_view deepseekWords =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
} // namespace patterns

class SplitPattern {
public:
  /// Compiles \p pattern (UTF-8). \p place says in messages where it stands
  /// ("tokenizer.json: pre_tokenizer.pattern").
  static Result<SplitPattern> compile(std::string_view pattern,
                                      const std::string &place);

  /// A pattern that matches \p text itself, which is not empty.
  static SplitPattern literal(std::string_view text);

  /// Appends the matches in well-formed \p text to \p matches, in order, none
  /// overlapping another; empty ones may occur. Refused: more steps than
  /// \p budget holds.
  Result<void> findAll(std::string_view text, StepBudget &budget,
                       std::vector<ByteRange> &matches) const;

private:
  struct Program;
  SplitPattern() = default;

  std::shared_ptr<const Program> program; // null for a literal
  std::string literalText;
  std::string where;
};

/// \returns \p pattern with Oniguruma's meaning spelt out for PCRE2. Refused:
/// what the two read differently.
Result<std::string> translatePattern(std::string_view pattern,
                                     const std::string &place);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_SPLITPATTERN_H
