//===- SplitPattern.cpp - Regular expressions that split text ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/tokenizer/SplitPattern.h"
#include "models/JsonText.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chipwright::models {

namespace {

constexpr std::array published = {
    patterns::gpt2,        patterns::llama3,       patterns::o200k,
    patterns::qwen2,       patterns::number,       patterns::threeDigits,
    patterns::deepseekHan, patterns::deepseekWords};

// Backtracking points of one match; none of the published patterns needs more
// than two.
constexpr uint32_t heapKibibytes = 64 << 10;

/// What callouts pay from.
struct Meter {
  StepBudget *budget;
  size_t last;
};

int payStep(pcre2_callout_block *block, void *data) {
  auto *meter = static_cast<Meter *>(data);
  size_t now = block->current_position;
  // Backtracking is paid by the step itself, what a repeat ran over by bytes.
  uint64_t steps = 1 + (now > meter->last ? now - meter->last : 0);
  meter->last = now;
  return meter->budget->pay(steps) ? 0 : PCRE2_ERROR_CALLOUT;
}

template <typename T, void (*release)(T *)> struct Released {
  void operator()(T *object) const { release(object); }
};
using Code = std::unique_ptr<pcre2_code, Released<pcre2_code, pcre2_code_free>>;
using CompileContext = std::unique_ptr<
    pcre2_compile_context,
    Released<pcre2_compile_context, pcre2_compile_context_free>>;
using MatchContext =
    std::unique_ptr<pcre2_match_context,
                    Released<pcre2_match_context, pcre2_match_context_free>>;
using MatchData =
    std::unique_ptr<pcre2_match_data,
                    Released<pcre2_match_data, pcre2_match_data_free>>;

std::string pcre2Message(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char *>(text.data());
}

} // namespace

struct SplitPattern::Program {
  Code code;
  bool metered = false;
};

Result<SplitPattern> SplitPattern::compile(std::string_view pattern,
                                           const std::string &place) {
  Result<std::string> translated = translatePattern(pattern, place);
  if (!translated) {
    return translated.error();
  }
  auto program = std::make_shared<Program>();
  program->metered =
      std::find(published.begin(), published.end(), pattern) == published.end();
  CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  // Ruby's syntax, which the files are written in: ^ and $ are of lines.
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE |
                     PCRE2_NO_UTF_CHECK |
                     (program->metered ? PCRE2_AUTO_CALLOUT : 0);
  int error = 0;
  PCRE2_SIZE offset = 0;
  program->code.reset(pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
      options, &error, &offset, context.get()));
  if (!program->code) {
    return Diagnostic{fmt::format("{}: expected a regular expression, found {} "
                                  "({}); take the file published with the "
                                  "model",
                                  place, quoteText(pattern),
                                  pcre2Message(error))};
  }
  SplitPattern result;
  result.program = std::move(program);
  result.where = place;
  return result;
}

SplitPattern SplitPattern::literal(std::string_view text) {
  SplitPattern result;
  result.literalText = text;
  return result;
}

Result<void> SplitPattern::findAll(std::string_view text, StepBudget &budget,
                                   std::vector<ByteRange> &matches) const {
  if (!program) {
    for (size_t at = text.find(literalText); at != std::string_view::npos;
         at = text.find(literalText, at + literalText.size())) {
      matches.push_back({at, at + literalText.size()});
    }
    return {};
  }
  MatchData data(pcre2_match_data_create(1, nullptr));
  MatchContext context(pcre2_match_context_create(nullptr));
  Meter meter{&budget, 0};
  if (program->metered) {
    pcre2_set_callout(context.get(), payStep, &meter);
    pcre2_set_heap_limit(context.get(), heapKibibytes);
  } else {
    // A run of a megabyte of capitals backtracks a million times, once.
    pcre2_set_match_limit(context.get(), UINT32_MAX);
  }
  auto *subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t from = 0;
  size_t lastEnd = std::string_view::npos;
  while (from <= text.size()) {
    meter.last = from;
    int found = pcre2_match(program->code.get(), subject, text.size(), from,
                            PCRE2_NO_UTF_CHECK, data.get(), context.get());
    if (found == PCRE2_ERROR_NOMATCH) {
      break;
    }
    if (found < 0) {
      return Diagnostic{fmt::format(
          "{}: expected a pattern that splits text in linear time, found one "
          "that gave up at byte {} of {} bytes ({}); take the pattern of the "
          "published tokenizer",
          where, from, text.size(), pcre2Message(found))};
    }
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data.get());
    ByteRange match{offsets[0], offsets[1]};
    // An empty match right behind another one is none, or the search would
    // stay here.
    if (match.empty() && match.end == lastEnd) {
      if (from == text.size()) {
        break;
      }
      do {
        ++from;
      } while (from < text.size() &&
               (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80);
      continue;
    }
    matches.push_back(match);
    from = lastEnd = match.end;
  }
  return {};
}

} // namespace chipwright::models
