//===- TraceOptions.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/trace/TraceOptions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

using namespace chipwright;
using namespace chipwright::sim;

static Diagnostic usage(std::string text) {
  return {std::move(text), ExitUsage};
}

/// All of \p text as a decimal number.
static std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

namespace {
struct Span {
  unsigned first, last;
};
} // namespace

/// "3", "0-3" or "*" below \p count. \p what: "row" or "column".
static Result<Span> parseSpan(std::string_view text, unsigned count,
                              const char *what, std::string_view item) {
  if (text == "*") {
    return Span{0, count - 1};
  }
  size_t dash = text.find('-');
  std::optional<uint64_t> first = number(text.substr(0, dash));
  std::optional<uint64_t> last =
      dash == text.npos ? first : number(text.substr(dash + 1));
  if (!first || !last) {
    return usage(fmt::format("PE '{}': expected a {} number, a range such as "
                             "0-3 or *, found '{}'",
                             item, what, text));
  }
  if (*first > *last) {
    return usage(fmt::format("PE '{}': the {} range '{}' runs backwards; "
                             "write {}-{}",
                             item, what, text, *last, *first));
  }
  if (*last >= count) {
    return usage(fmt::format("PE '{}': {} {} does not exist, the chip has {} "
                             "(0 to {})",
                             item, what, *last, count, count - 1));
  }
  return Span{static_cast<unsigned>(*first), static_cast<unsigned>(*last)};
}

Result<std::vector<unsigned>>
chipwright::sim::parsePeList(std::string_view text, const GridSpec &grid) {
  std::vector<unsigned> pes;
  while (true) {
    size_t colon = text.find(':');
    std::string_view item = text.substr(0, colon);
    size_t comma = item.find(',');
    if (comma == item.npos) {
      return usage(fmt::format("PE '{}': expected ROW,COLUMN (several are "
                               "separated by ':', as in 0,0:1,3)",
                               item));
    }
    Result<Span> rows =
        parseSpan(item.substr(0, comma), grid.rows, "row", item);
    if (!rows) {
      return rows.error();
    }
    Result<Span> cols =
        parseSpan(item.substr(comma + 1), grid.cols, "column", item);
    if (!cols) {
      return cols.error();
    }
    for (unsigned row = rows->first; row <= rows->last; ++row) {
      for (unsigned col = cols->first; col <= cols->last; ++col) {
        pes.push_back(row * grid.cols + col);
      }
    }
    if (colon == text.npos) {
      break;
    }
    text.remove_prefix(colon + 1);
  }
  std::sort(pes.begin(), pes.end());
  pes.erase(std::unique(pes.begin(), pes.end()), pes.end());
  return pes;
}

Result<CycleWindow> chipwright::sim::parseWindow(std::string_view text) {
  size_t colon = text.find(':');
  CycleWindow window;
  bool good = colon != text.npos && text.size() > 1;
  if (good && colon != 0) {
    std::optional<uint64_t> begin = number(text.substr(0, colon));
    good = begin.has_value();
    window.begin = begin.value_or(0);
  }
  if (good && colon + 1 != text.size()) {
    std::optional<uint64_t> end = number(text.substr(colon + 1));
    good = end.has_value();
    window.end = end.value_or(0);
  }
  if (!good) {
    return usage(fmt::format("window '{}': expected FIRST:END in cycles, such "
                             "as 1000:5000 or 5000:",
                             text));
  }
  if (window.begin >= window.end) {
    return usage(fmt::format("window '{}' is empty: its end, {}, does not lie "
                             "after its first cycle, {}",
                             text, window.end, window.begin));
  }
  return window;
}

Result<WatchOptions> chipwright::sim::parseWatch(std::string_view text,
                                                 const ChipSpec &spec) {
  WatchOptions options;
  bool hasPe = false;
  while (!text.empty()) {
    size_t blank = text.find_first_of(" \t");
    std::string_view item = text.substr(0, blank);
    text.remove_prefix(blank == text.npos ? text.size() : blank + 1);
    if (item.empty()) {
      continue;
    }
    if (item.starts_with("pe=")) {
      Result<std::vector<unsigned>> pes =
          parsePeList(item.substr(3), spec.grid);
      if (!pes) {
        return pes.error();
      }
      if (pes->size() != 1 || hasPe) {
        return usage(
            fmt::format("watch '{}': expected one PE, found more", item));
      }
      options.pe = pes->front();
      hasPe = true;
    } else if (item.starts_with("cb=")) {
      std::optional<uint64_t> cb = number(item.substr(3));
      if (!cb || *cb >= spec.cp.cbs) {
        return usage(fmt::format("watch '{}': expected the number of a CB, 0 "
                                 "to {} (cp.cbs)",
                                 item, spec.cp.cbs - 1));
      }
      options.cb = static_cast<unsigned>(*cb);
    } else {
      return usage(fmt::format(
          "watch: expected pe=ROW,COLUMN and cb=NUMBER, found '{}'", item));
    }
  }
  if (!hasPe) {
    return usage("watch: pe=ROW,COLUMN is missing");
  }
  return options;
}
