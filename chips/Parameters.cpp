//===- Parameters.cpp - Table of a chip's settable parameters ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/Parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <span>

namespace chipwright {

namespace {

struct Alias {
  const char *alias, *path;
};

const Alias aliases[] = {
#define CHIP_PARAMETER(path, member, unit, cls, min, max, doc)
#define CHIP_ALIAS(alias, path) {alias, path},
#include "chips/Parameters.def"
};

template <typename E> struct Choice {
  const char *name;
  E value;
};

/// Spellings of each enumeration, selected by overload.
const auto &choices(const NocTopology *) {
  static const std::vector<Choice<NocTopology>> table = {
      {"crossbar", NocTopology::Crossbar}, {"mesh", NocTopology::Mesh}};
  return table;
}
const auto &choices(const DramLevel *) {
  static const std::vector<Choice<DramLevel>> table = {
      {"command", DramLevel::Command}, {"burst", DramLevel::Burst}};
  return table;
}
const auto &choices(const DramKind *) {
  static const std::vector<Choice<DramKind>> table = {
      {"lpddr5", DramKind::Lpddr5}, {"hbm3", DramKind::Hbm3}};
  return table;
}
const auto &choices(const DramRefresh *) {
  static const std::vector<Choice<DramRefresh>> table = {
      {"all_bank", DramRefresh::AllBank}, {"per_bank", DramRefresh::PerBank}};
  return table;
}

/// Types whose products the DPE can be given.
const DType operandTypes[] = {DType::F16,    DType::BF16,   DType::I8,
                              DType::F8E4M3, DType::F8E5M2, DType::TF32};

/// Types that the SIMD engine may be able to read and no engine writes.
const DType storedTypes[] = {DType::I4, DType::F4E2M1, DType::F8E8M0};

/// Types that a list may hold, and whether it may be empty.
struct TypeChoice {
  std::span<const DType> types;
  bool mayBeEmpty;
};
TypeChoice typeChoice(std::string_view path) {
  bool isStored = path == "se.read_dtypes";
  return {isStored ? std::span<const DType>(storedTypes)
                   : std::span<const DType>(operandTypes),
          isStored};
}

bool isByteUnit(std::string_view unit) { return unit == "bytes"; }

/// Limits in a form people read: powers of two as KiB and so on.
std::string formatLimit(double value, std::string_view unit) {
  if (isByteUnit(unit)) {
    static const char *suffixes[] = {"", " KiB", " MiB", " GiB", " TiB"};
    unsigned step = 0;
    while (step < 4 && value >= 1024 && std::fmod(value, 1024) == 0) {
      value /= 1024;
      ++step;
    }
    return fmt::format("{}{}", value, suffixes[step]);
  }
  return fmt::format("{}", value);
}

/// Reads \p text as the type of the member; false if it is not one.
template <typename T>
bool read(std::string_view text, const Parameter &param, T &out) {
  if constexpr (std::is_same_v<T, bool>) {
    if (text == "true" || text == "on") {
      out = true;
      return true;
    }
    if (text == "false" || text == "off") {
      out = false;
      return true;
    }
    return false;
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto &choice : choices(&out)) {
      if (text == choice.name) {
        out = choice.value;
        return true;
      }
    }
    return false;
  } else {
    std::optional<double> number = parseNumber(text, isByteUnit(param.unit));
    if (!number || !std::isfinite(*number) || *number < param.min ||
        *number > param.max) {
      return false;
    }
    if constexpr (std::is_integral_v<T>) {
      // The limits lie below 2^53, so the double is exact.
      if (*number != std::floor(*number)) {
        return false;
      }
    }
    out = static_cast<T>(*number);
    return true;
  }
}

/// RV64 with extensions that code generation and the hart model know.
bool isKnownIsa(std::string_view text) {
  if (!text.starts_with("rv64i")) {
    return false;
  }
  text.remove_prefix(5);
  size_t underscore = text.find('_');
  std::string_view letters = text.substr(0, underscore);
  // Canonical order, each letter at most once; D needs F.
  constexpr std::string_view order = "mafdc";
  size_t next = 0;
  for (char letter : letters) {
    size_t at = order.find(letter, next);
    if (at == std::string_view::npos) {
      return false;
    }
    next = at + 1;
  }
  if (letters.find('d') != std::string_view::npos &&
      letters.find('f') == std::string_view::npos) {
    return false;
  }
  return underscore == std::string_view::npos ||
         text.substr(underscore) == "_zba";
}

std::string join(const std::vector<std::string> &items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

template <typename T> MemberRef makeRef(T &member) {
  return MemberRef(std::in_place_type<T *>, &member);
}

} // namespace

const std::vector<Parameter> &parameters() {
  static const std::vector<Parameter> table = {
#define CHIP_PARAMETER(path, member, unit, cls, min, max, doc)                 \
  {path, unit, ParameterClass::cls, min, max, doc, [](ChipSpec &spec) {        \
     return makeRef(spec.member);                                              \
   }},
#include "chips/Parameters.def"
  };
  return table;
}

bool Parameter::isNumber() const {
  ChipSpec spec{};
  return std::visit(
      [](auto *value) {
        using T = std::remove_pointer_t<decltype(value)>;
        return std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
      },
      member(spec));
}

bool Parameter::isChoice() const {
  ChipSpec spec{};
  return std::visit(
      [](auto *value) {
        using T = std::remove_pointer_t<decltype(value)>;
        return std::is_enum_v<T> || std::is_same_v<T, bool>;
      },
      member(spec));
}

std::string Parameter::expected() const {
  ChipSpec spec{};
  return std::visit(
      [&](auto *value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          return "true or false";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return std::string_view(path) == "hart.isa"
                     ? "rv64i with letters of mafdc in this order and an "
                       "optional _zba, e.g. rv64imafdc_zba"
                     : "a short text";
        } else if constexpr (std::is_same_v<T, std::vector<DType>>) {
          std::vector<std::string> names;
          for (DType type : typeChoice(path).types) {
            names.push_back(dtypeName(type));
          }
          return "a list of different types out of " + join(names);
        } else if constexpr (std::is_enum_v<T>) {
          std::vector<std::string> names;
          for (const auto &choice : choices(value)) {
            names.push_back(choice.name);
          }
          return "one of " + join(names);
        } else {
          return fmt::format("a {} ({}) between {} and {}",
                             std::is_integral_v<T> ? "whole number" : "number",
                             unit, formatLimit(min, unit),
                             formatLimit(max, unit));
        }
      },
      member(spec));
}

std::string Parameter::format(const ChipSpec &spec) const {
  return std::visit(
      [](const auto *value) -> std::string {
        using T = std::remove_cv_t<std::remove_pointer_t<decltype(value)>>;
        if constexpr (std::is_same_v<T, std::vector<DType>>) {
          std::vector<std::string> names;
          for (DType type : *value) {
            names.push_back(dtypeName(type));
          }
          return "[" + join(names) + "]";
        } else if constexpr (std::is_enum_v<T>) {
          for (const auto &choice : choices(value)) {
            if (choice.value == *value) {
              return choice.name;
            }
          }
          return "?";
        } else {
          return fmt::format("{}", *value);
        }
      },
      // The table's accessors serve both directions; nothing is written here.
      member(const_cast<ChipSpec &>(spec)));
}

std::optional<std::string>
Parameter::parse(const std::vector<std::string> &items, bool isList,
                 ChipSpec &spec) const {
  auto wrong = [&]() -> std::optional<std::string> {
    std::string found = isList          ? "the list [" + join(items) + "]"
                        : items.empty() ? "nothing"
                                        : "'" + items.front() + "'";
    if (found.size() > 80) {
      found = found.substr(0, 80) + "...";
    }
    return fmt::format("expected {}, found {}", expected(), printable(found));
  };
  return std::visit(
      [&](auto *value) -> std::optional<std::string> {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<DType>>) {
          const TypeChoice choice = typeChoice(path);
          std::vector<DType> types;
          const bool isEmpty =
              isList &&
              (items.empty() || (items.size() == 1 && items[0].empty()));
          if (isEmpty && choice.mayBeEmpty) {
            value->clear();
            return std::nullopt;
          }
          for (const std::string &item : items) {
            std::optional<DType> type = dtypeFromName(item);
            if (!type ||
                std::find(choice.types.begin(), choice.types.end(), *type) ==
                    choice.types.end() ||
                std::find(types.begin(), types.end(), *type) != types.end()) {
              return wrong();
            }
            types.push_back(*type);
          }
          if (types.empty()) {
            return wrong();
          }
          *value = std::move(types);
          return std::nullopt;
        } else {
          if (isList || items.size() != 1) {
            return wrong();
          }
          if constexpr (std::is_same_v<T, std::string>) {
            const std::string &text = items.front();
            if (text.empty() || text.size() > 64 ||
                (std::string_view(path) == "hart.isa" && !isKnownIsa(text))) {
              return wrong();
            }
            *value = text;
            return std::nullopt;
          } else {
            T parsed{};
            if (!read(items.front(), *this, parsed)) {
              return wrong();
            }
            *value = parsed;
            return std::nullopt;
          }
        }
      },
      member(spec));
}

std::string printable(std::string_view text) {
  std::string shown(text);
  std::replace_if(shown.begin(), shown.end(), isControl, '?');
  return shown;
}

std::string quote(std::string_view text) {
  constexpr size_t limit = 60;
  std::string shown = printable(text.substr(0, limit));
  return text.size() > limit ? "'" + shown + "...'" : "'" + shown + "'";
}

std::optional<double> parseNumber(std::string_view text, bool bytes) {
  double scale = 1;
  if (bytes) {
    double factor = 1;
    for (std::string_view suffix : {"KiB", "MiB", "GiB", "TiB"}) {
      factor *= 1024;
      if (text.ends_with(suffix)) {
        text.remove_suffix(suffix.size());
        scale = factor;
        while (text.ends_with(' ')) {
          text.remove_suffix(1);
        }
        break;
      }
    }
  }
  double value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value)) {
    return std::nullopt;
  }
  return value * scale;
}

std::optional<size_t> findParameter(std::string_view path) {
  for (const Alias &alias : aliases) {
    if (path == alias.alias) {
      path = alias.path;
      break;
    }
  }
  const std::vector<Parameter> &table = parameters();
  for (size_t i = 0; i < table.size(); ++i) {
    if (path == table[i].path) {
      return i;
    }
  }
  return std::nullopt;
}

bool isParameterSection(std::string_view path) {
  auto inside = [&](std::string_view full) {
    return full.size() > path.size() && full.starts_with(path) &&
           full[path.size()] == '.';
  };
  for (const Parameter &param : parameters()) {
    if (inside(param.path)) {
      return true;
    }
  }
  for (const Alias &alias : aliases) {
    if (inside(alias.alias)) {
      return true;
    }
  }
  return false;
}

namespace {

/// Levenshtein distance.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1,
                         diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view lastPart(std::string_view path) {
  size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

} // namespace

std::optional<std::string>
nearestName(std::string_view name, const std::vector<std::string> &candidates) {
  // A name this long is no slip, and the distance takes quadratic time.
  if (name.size() > 128) {
    return std::nullopt;
  }
  const std::string *best = nullptr;
  size_t bestDistance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string &candidate : candidates) {
    size_t distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = &candidate;
    }
  }
  return best ? std::optional<std::string>(*best) : std::nullopt;
}

std::string suggestPath(std::string_view path) {
  std::vector<std::string> paths;
  for (const Parameter &param : parameters()) {
    paths.push_back(param.path);
  }
  for (const std::string &full : paths) {
    if (full.size() > path.size() + 1 && !path.empty() &&
        full.starts_with(path) && full[path.size()] == '_') {
      return fmt::format("; a key carries its unit, write '{}'", full);
    }
  }
  for (const std::string &full : paths) {
    if (lastPart(full) == path) {
      return fmt::format("; did you mean '{}'?", full);
    }
  }
  if (std::optional<std::string> near = nearestName(path, paths)) {
    return fmt::format("; did you mean '{}'?", *near);
  }
  return "";
}

} // namespace chipwright
