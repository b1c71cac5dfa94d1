//===- PatternTranslator.cpp - Oniguruma's syntax for PCRE2 -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/JsonText.h"
#include "models/tokenizer/SplitPattern.h"
#include "models/tokenizer/Utf8.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace chipwright::models {

namespace {

constexpr size_t maxPatternBytes = 4096;
// A counted repeat is matched without a callout in between.
constexpr unsigned maxRepeat = 1000;

// As items of a class. PCRE2's own \s has U+180E too, and its \w no marks.
constexpr std::string_view spaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view words = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view digits = R"(\p{Nd})";

class Translator {
public:
  Translator(std::string_view pattern, std::string place)
      : text(pattern), where(std::move(place)) {}

  Result<std::string> run() {
    while (!problem && at < text.size()) {
      item();
    }
    if (problem) {
      return *problem;
    }
    return std::move(out);
  }

private:
  void refuse(std::string_view found) {
    if (!problem) {
      problem = Diagnostic{fmt::format(
          "{}: expected a pattern of literals, classes, \\p{{..}}, (?:..), "
          "(?i:..), look-around and repeats up to {}, found {} at byte {} of "
          "{}; write the pattern without it",
          where, maxRepeat, found, at, quoteText(text))};
    }
  }

  bool startsWith(std::string_view prefix) const {
    return text.substr(at).starts_with(prefix);
  }

  /// Copies \p count bytes.
  void copy(size_t count) {
    out += text.substr(at, count);
    at += count;
  }

  void item() {
    switch (text[at]) {
    case '\\':
      return escape(false);
    case '[':
      return characterClass();
    case '(':
      return group();
    case '{':
      return brace();
    default:
      copy(1);
    }
  }

  void group() {
    for (std::string_view start :
         {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"}) {
      if (startsWith(start)) {
        return copy(start.size());
      }
    }
    if (startsWith("(?") || startsWith("(*")) {
      return refuse("the group " + quoteText(text.substr(at, 4)));
    }
    // Nothing refers to groups.
    out += "(?:";
    ++at;
  }

  /// {n}, {n,}, {,m} or {n,m}, or a brace that stands for itself.
  void brace() {
    size_t end = text.find('}', at);
    std::string_view inner =
        text.substr(at + 1, end == std::string_view::npos ? 0 : end - at - 1);
    size_t comma = inner.find(',');
    std::string_view low = inner.substr(0, comma);
    std::string_view high =
        comma == std::string_view::npos ? low : inner.substr(comma + 1);
    auto number = [](std::string_view digitsText, unsigned &value) {
      if (digitsText.empty()) {
        return true;
      }
      auto [stop, error] = std::from_chars(
          digitsText.data(), digitsText.data() + digitsText.size(), value);
      return error == std::errc() &&
             stop == digitsText.data() + digitsText.size();
    };
    unsigned least = 0, most = 0;
    if (!number(low, least) || !number(high, most) ||
        (low.empty() && high.empty())) {
      // "\{" never is a repeat, whatever follows.
      out += "\\{";
      ++at;
      return;
    }
    if (least > maxRepeat || most > maxRepeat) {
      return refuse("the repeat " + quoteText(text.substr(at, end + 1 - at)));
    }
    // After braces Oniguruma's + repeats again and ? may mean "optional".
    if (end + 1 < text.size() &&
        (text[end + 1] == '+' || text[end + 1] == '?')) {
      return refuse("the repeat " + quoteText(text.substr(at, end + 2 - at)));
    }
    out += fmt::format("{{{}{}}}", least,
                       comma == std::string_view::npos ? ""
                       : high.empty() ? ","
                                      : fmt::format(",{}", most));
    at = end + 1;
  }

  void characterClass() {
    copy(1);
    if (at < text.size() && text[at] == '^') {
      copy(1);
    }
    if (at < text.size() && text[at] == ']') {
      return refuse("an empty class");
    }
    while (!problem && at < text.size() && text[at] != ']') {
      if (text[at] == '\\') {
        escape(true);
      } else if (text[at] == '[') {
        refuse("a class within a class");
      } else if (startsWith("&&")) {
        refuse("an intersection of classes");
      } else {
        copy(1);
      }
    }
    if (problem) {
      return;
    }
    if (at == text.size()) {
      return refuse("the end within a class");
    }
    copy(1);
  }

  /// One of \s \S \d \D \w \W.
  void shorthand(std::string_view items, bool negated, bool inClass) {
    at += 2;
    if (inClass) {
      if (negated) {
        at -= 2;
        return refuse("the negation " + quoteText(text.substr(at, 2)) +
                      " in a class");
      }
      out += items;
    } else {
      out += fmt::format("[{}{}]", negated ? "^" : "", items);
    }
  }

  void escape(bool inClass) {
    if (at + 1 == text.size()) {
      return refuse("a lone backslash");
    }
    char c = text[at + 1];
    auto isAlnum = [](char x) {
      return (x >= '0' && x <= '9') || ((x | 0x20) >= 'a' && (x | 0x20) <= 'z');
    };
    switch (c) {
    case 's':
    case 'S':
      return shorthand(spaces, c == 'S', inClass);
    case 'd':
    case 'D':
      return shorthand(digits, c == 'D', inClass);
    case 'w':
    case 'W':
      return shorthand(words, c == 'W', inClass);
    case 'p':
    case 'P': {
      size_t end = text.find('}', at);
      if (at + 2 >= text.size() || text[at + 2] != '{' ||
          end == std::string_view::npos) {
        return refuse("a property without braces");
      }
      return copy(end + 1 - at);
    }
    case 'r':
    case 'n':
    case 't':
    case 'f':
      return copy(2);
    case 'v': // Oniguruma's is the one character.
      out += "\\x{b}";
      at += 2;
      return;
    case 'x':
    case 'u':
      return codePoint();
    default:
      if (isAlnum(c) || static_cast<unsigned char>(c) >= 0x80) {
        return refuse("the escape " + quoteText(text.substr(at, 2)));
      }
      return copy(2);
    }
  }

  /// \xHH, \x{H..} or \uHHHH.
  void codePoint() {
    std::string_view hex;
    size_t end = at + 2;
    if (text[at + 1] == 'u') {
      hex = text.substr(end, 4);
      end += 4;
    } else if (end < text.size() && text[end] == '{') {
      size_t close = text.find('}', end);
      close = close == std::string_view::npos ? text.size() : close;
      hex = text.substr(end + 1, close - end - 1);
      end = close + 1;
    } else {
      hex = text.substr(end, 2);
      end += 2;
    }
    uint32_t code = 0;
    auto [stop, error] =
        std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (end > text.size() || error != std::errc() ||
        stop != hex.data() + hex.size() || code > 0x10ffff) {
      return refuse("the escape " + quoteText(text.substr(at, end - at)));
    }
    out += fmt::format("\\x{{{:x}}}", code);
    at = end;
  }

  std::string_view text;
  std::string where;
  size_t at = 0;
  std::string out;
  std::optional<Diagnostic> problem;
};

} // namespace

Result<std::string> translatePattern(std::string_view pattern,
                                     const std::string &place) {
  if (pattern.empty() || pattern.size() > maxPatternBytes) {
    return Diagnostic{fmt::format("{}: expected a pattern of 1 to {} bytes, "
                                  "found {}; take the file published with the "
                                  "model",
                                  place, maxPatternBytes, pattern.size())};
  }
  if (!isUtf8(pattern)) {
    return Diagnostic{fmt::format("{}: expected a pattern in UTF-8, found {}; "
                                  "take the file published with the model",
                                  place, quoteText(pattern))};
  }
  return Translator(pattern, place).run();
}

} // namespace chipwright::models
