//===- Utf8.h - Code points of possibly ill-formed text ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/tokenizer. Ill-formed text is read as Unicode recommends
// (chapter 3.9, "U+FFFD Substitution of Maximal Subparts"): each longest piece
// that could begin a code point counts as one U+FFFD. Python's
// bytes.decode(errors="replace") and Rust's from_utf8_lossy do the same.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TOKENIZER_UTF8_H
#define CHIPWRIGHT_MODELS_TOKENIZER_UTF8_H

#include <cstdint>
#include <string>
#include <string_view>

namespace chipwright::models {

constexpr uint32_t replacementCharacter = 0xfffd;

/// The first code point of a text, or the ill-formed piece in its place.
struct Utf8Unit {
  uint32_t code = replacementCharacter;
  size_t bytes = 1;
  bool wellFormed = false;
  /// The text ends within what may become a code point.
  bool incomplete = false;
};

/// \returns the first unit of \p text, which is not empty.
Utf8Unit firstUnit(std::string_view text);

/// \returns true if all of \p text is well-formed.
bool isUtf8(std::string_view text);

/// \returns \p text with U+FFFD for each ill-formed piece.
std::string repairUtf8(std::string_view text);

void appendUtf8(std::string &text, uint32_t code);

/// \returns the last code point of the well-formed, non-empty \p text.
Utf8Unit lastUnit(std::string_view text);

/// \returns true for code points of Unicode's property White_Space.
bool isWhiteSpace(uint32_t code);

/// \returns true for letters, marks, decimal digits and connectors (what \w
/// is by Unicode's technical standard 18).
bool isWordCharacter(uint32_t code);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TOKENIZER_UTF8_H
