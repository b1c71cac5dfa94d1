//===- Arguments.cpp - Values on the command line -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tools/Arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <numeric>

using namespace chipwright;
namespace po = boost::program_options;

int tools::report(const Diagnostic &diagnostic) {
  std::fputs(("chipwright: error: " + diagnostic.message + "\n").c_str(),
             stderr);
  return diagnostic.exitStatus;
}

Diagnostic tools::usageError(const std::string &message,
                             const std::string &command) {
  return {fmt::format("{}; `chipwright {}{}--help` explains", message, command,
                      command.empty() ? "" : " "),
          ExitUsage};
}

/// Levenshtein distance.
static size_t distance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min(
          {above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string tools::closest(const std::string &word,
                           const std::vector<std::string> &known) {
  std::string best;
  // A third of the letters may be wrong.
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string &name : known) {
    size_t d = word.size() > 64 ? least : distance(word, name);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

Result<po::variables_map>
tools::parseOptions(const std::vector<std::string> &arguments,
                    const po::options_description &options,
                    const char *positional, const std::string &command) {
  po::positional_options_description places;
  if (positional) {
    places.add(positional, -1);
  }
  try {
    po::variables_map values;
    using Style = po::command_line_style::style_t;
    po::store(po::command_line_parser(arguments)
                  .options(options)
                  .positional(places)
                  .style(Style(po::command_line_style::default_style &
                               ~po::command_line_style::allow_guessing))
                  .run(),
              values);
    po::notify(values);
    return values;
  } catch (const po::unknown_option &error) {
    std::vector<std::string> known;
    for (const auto &option : options.options()) {
      known.push_back("--" + option->long_name());
    }
    std::string meant = closest(error.get_option_name(), known);
    return usageError(
        fmt::format("there is no option {}{}", error.get_option_name(),
                    meant.empty() ? "" : ", did you mean " + meant + "?"),
        command);
  } catch (const po::error &error) {
    return usageError(error.what(), command);
  }
}

Result<uint64_t> tools::parseNumber(const std::string &text,
                                    const std::string &option,
                                    const std::string &command) {
  bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char *begin = text.data() + (hex ? 2 : 0);
  const char *end = text.data() + text.size();
  uint64_t value = 0;
  auto [rest, failed] = std::from_chars(begin, end, value, hex ? 16 : 10);
  unsigned shift = 0;
  if (failed == std::errc() && rest + 1 == end && !hex) {
    shift = *rest == 'K' ? 10 : *rest == 'M' ? 20 : *rest == 'G' ? 30 : 0;
    rest += shift ? 1 : 0;
  }
  if (failed != std::errc() || rest != end || begin == end ||
      value > ~uint64_t(0) >> shift) {
    return usageError(fmt::format("{} is '{}', expected a whole number below "
                                  "2^64 such as 4096, 16M or 0x1000",
                                  option, text),
                      command);
  }
  return value << shift;
}

std::vector<std::string> tools::split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) {
      return parts;
    }
    begin = end + 1;
  }
}
