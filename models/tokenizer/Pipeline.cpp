//===- Pipeline.cpp - From text to pieces -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/Pipeline.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <memory>

namespace chipwright::models {

namespace {

Result<std::string> composed(std::string_view text, NormalizerKind kind) {
  unsigned options = UTF8PROC_STABLE;
  bool compose = kind == NormalizerKind::Nfc || kind == NormalizerKind::Nfkc;
  bool compatible =
      kind == NormalizerKind::Nfkc || kind == NormalizerKind::Nfkd;
  options |= compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  options |= compatible ? UTF8PROC_COMPAT : 0;
  utf8proc_uint8_t *bytes = nullptr;
  utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t *>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &bytes,
                   std::bit_cast<utf8proc_option_t>(options)); // a set
  std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(bytes,
                                                                &std::free);
  if (size < 0) {
    return Diagnostic{fmt::format(
        "expected {} bytes of text that can be normalized, found that they "
        "cannot ({}); pass the text in parts",
        text.size(), utf8proc_errmsg(size))};
  }
  return std::string(reinterpret_cast<const char *>(bytes),
                     static_cast<size_t>(size));
}

Result<std::string> replaced(std::string_view text, const NormalizerStep &step,
                             StepBudget &budget) {
  std::vector<ByteRange> matches;
  Result<void> found = step.pattern->findAll(text, budget, matches);
  if (!found) {
    return found.error();
  }
  // Several stages could make a text grow without end.
  size_t size = text.size() + matches.size() * step.text.size();
  if (!budget.pay(size)) {
    return Diagnostic{fmt::format(
        "expected stages that keep the length of a text, found that {} bytes "
        "become up to {}; take the file published with the model",
        text.size(), size)};
  }
  std::string result;
  size_t done = 0;
  for (const ByteRange &match : matches) {
    result += text.substr(done, match.begin - done);
    result += step.text;
    done = match.end;
  }
  result += text.substr(done);
  return result;
}

/// A stretch between matches or a match, as a splitting decides about it.
struct Stretch {
  ByteRange range;
  bool isMatch;
};

/// Appends the pieces that \p stretches of one piece become.
void divide(const std::vector<Stretch> &stretches, SplitBehavior behavior,
            std::vector<ByteRange> &pieces) {
  size_t first = pieces.size();
  bool previous = false;
  auto push = [&](const ByteRange &range) { pieces.push_back(range); };
  switch (behavior) {
  case SplitBehavior::Isolated:
  case SplitBehavior::Removed:
    for (const Stretch &stretch : stretches) {
      if (!stretch.isMatch || behavior == SplitBehavior::Isolated) {
        push(stretch.range);
      }
    }
    break;
  case SplitBehavior::MergedWithPrevious:
    for (const Stretch &stretch : stretches) {
      if (stretch.isMatch && !previous && pieces.size() > first) {
        pieces.back().end = stretch.range.end;
      } else {
        push(stretch.range);
      }
      previous = stretch.isMatch;
    }
    break;
  case SplitBehavior::MergedWithNext:
    for (auto stretch = stretches.rbegin(); stretch != stretches.rend();
         ++stretch) {
      if (stretch->isMatch && !previous && pieces.size() > first) {
        pieces.back().begin = stretch->range.begin;
      } else {
        push(stretch->range);
      }
      previous = stretch->isMatch;
    }
    std::reverse(pieces.begin() + static_cast<ptrdiff_t>(first), pieces.end());
    break;
  case SplitBehavior::Contiguous:
    for (const Stretch &stretch : stretches) {
      if (stretch.isMatch == previous && pieces.size() > first) {
        pieces.back().end = stretch.range.end;
      } else {
        push(stretch.range);
      }
      previous = stretch.isMatch;
    }
    break;
  }
  pieces.erase(std::remove_if(pieces.begin() + static_cast<ptrdiff_t>(first),
                              pieces.end(),
                              [](const ByteRange &r) { return r.empty(); }),
               pieces.end());
}

Result<void> splitAll(const std::string &text, const PreTokenizerStep &step,
                      std::vector<ByteRange> &pieces, StepBudget &budget) {
  std::vector<ByteRange> result;
  std::vector<ByteRange> matches;
  std::vector<Stretch> stretches;
  for (const ByteRange &piece : pieces) {
    std::string_view view =
        std::string_view(text).substr(piece.begin, piece.end - piece.begin);
    matches.clear();
    Result<void> found = step.pattern->findAll(view, budget, matches);
    if (!found) {
      return found;
    }
    stretches.clear();
    size_t done = piece.begin;
    for (const ByteRange &match : matches) {
      size_t begin = piece.begin + match.begin, end = piece.begin + match.end;
      if (done != begin) {
        stretches.push_back({{done, begin}, step.invert});
      }
      stretches.push_back({{begin, end}, !step.invert});
      done = end;
    }
    if (done != piece.end) {
      stretches.push_back({{done, piece.end}, step.invert});
    }
    divide(stretches, step.behavior, result);
  }
  pieces = std::move(result);
  return {};
}

/// Puts a space before each piece that has none.
void prefixSpaces(std::string &text, std::vector<ByteRange> &pieces) {
  std::string result;
  for (ByteRange &piece : pieces) {
    size_t begin = result.size();
    if (text[piece.begin] != ' ') {
      result += ' ';
    }
    result.append(text, piece.begin, piece.end - piece.begin);
    piece = {begin, result.size()};
  }
  text = std::move(result);
}

void metaspace(std::string &text, std::vector<ByteRange> &pieces,
               const PreTokenizerStep &step, bool atStart) {
  std::string result;
  for (ByteRange &piece : pieces) {
    size_t begin = result.size();
    bool wanted =
        step.scheme == PrependScheme::Always ||
        (step.scheme == PrependScheme::First && atStart && piece.begin == 0);
    std::string_view view =
        std::string_view(text).substr(piece.begin, piece.end - piece.begin);
    if (wanted && view.front() != ' ' && !view.starts_with(step.replacement)) {
      result += step.replacement;
    }
    for (char c : view) {
      if (c == ' ') {
        result += step.replacement;
      } else {
        result += c;
      }
    }
    piece = {begin, result.size()};
  }
  text = std::move(result);
}

} // namespace

Result<std::string> Normalizer::apply(std::string_view text,
                                      StepBudget &budget) const {
  std::string now(text);
  for (const NormalizerStep &step : steps) {
    switch (step.kind) {
    case NormalizerKind::Prepend:
      if (!now.empty()) {
        now.insert(0, step.text);
      }
      break;
    case NormalizerKind::Replace: {
      Result<std::string> next = replaced(now, step, budget);
      if (!next) {
        return next.error();
      }
      now = next.take();
      break;
    }
    default: {
      Result<std::string> next = composed(now, step.kind);
      if (!next) {
        return next.error();
      }
      now = next.take();
      break;
    }
    }
  }
  return now;
}

Result<void> PreTokenizer::apply(std::string &text,
                                 std::vector<ByteRange> &pieces, bool atStart,
                                 StepBudget &budget) const {
  pieces.clear();
  if (!text.empty()) {
    pieces.push_back({0, text.size()});
  }
  for (const PreTokenizerStep &step : steps) {
    if (step.kind == PreTokenizerKind::ByteLevel && step.addPrefixSpace) {
      prefixSpaces(text, pieces);
    } else if (step.kind == PreTokenizerKind::Metaspace) {
      metaspace(text, pieces, step, atStart);
    }
    if (step.pattern) {
      Result<void> done = splitAll(text, step, pieces, budget);
      if (!done) {
        return done;
      }
    }
  }
  return {};
}

} // namespace chipwright::models
