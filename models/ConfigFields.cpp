//===- ConfigFields.cpp - Checked access to keys of config.json -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigFields.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace chipwright::models {

namespace {
constexpr std::string_view standardAdvice =
    "correct the file or take the one published with the model";
} // namespace

std::string ConfigFields::pathOf(std::string_view key) const {
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

bool ConfigFields::has(std::string_view key) const {
  return json.contains(key);
}

const Json *ConfigFields::find(std::string_view key) const {
  auto place = json.find(key);
  return place == json.end() || place->is_null() ? nullptr : &*place;
}

bool ConfigFields::isGiven(std::string_view key) const {
  return find(key) != nullptr;
}

void ConfigFields::refuse(std::string_view key, std::string_view expected,
                          std::string_view found, std::string_view advice) {
  if (!failure) {
    failure =
        Diagnostic{fmt::format("{}: {}: expected {}, found {}; {}", fileName,
                               pathOf(key), expected, found, advice)};
  }
}

void ConfigFields::refuse(std::string_view key, std::string_view expected,
                          std::string_view advice) {
  const Json *value = find(key);
  refuse(key, expected,
         value       ? describeJson(*value)
         : !has(key) ? "no such key"
                     : "null",
         advice);
}

void ConfigFields::missing(std::string_view key, std::string_view kind) {
  refuse(key, kind, has(key) ? "null" : "no such key", standardAdvice);
}

bool ConfigFields::integerOf(const Json &value, int64_t &result) const {
  if (value.is_number_unsigned()) {
    auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return false;
    }
    result = static_cast<int64_t>(number);
    return true;
  }
  if (value.is_number_integer()) {
    result = value.get<int64_t>();
    return true;
  }
  return false;
}

int64_t ConfigFields::integer(std::string_view key, int64_t lo, int64_t hi,
                              std::optional<int64_t> fallback) {
  std::string kind = fmt::format("an integer of {} to {}", lo, hi);
  const Json *value = find(key);
  if (!value) {
    if (!fallback) {
      missing(key, kind);
    }
    return fallback.value_or(lo);
  }
  int64_t result = 0;
  if (!integerOf(*value, result) || result < lo || result > hi) {
    refuse(key, kind, standardAdvice);
    return lo;
  }
  return result;
}

double ConfigFields::real(std::string_view key, double lo, double hi,
                          std::optional<double> fallback) {
  std::string kind = fmt::format("a number of {} to {}", lo, hi);
  const Json *value = find(key);
  if (!value) {
    if (!fallback) {
      missing(key, kind);
    }
    return fallback.value_or(lo);
  }
  double result = value->is_number() ? value->get<double>() : std::nan("");
  // Written so that a NaN is refused.
  if (!(result >= lo && result <= hi)) {
    refuse(key, kind, standardAdvice);
    return lo;
  }
  return result;
}

bool ConfigFields::boolean(std::string_view key, bool fallback, bool numbers) {
  const Json *value = find(key);
  if (!value) {
    return fallback;
  }
  if (value->is_boolean()) {
    return value->get<bool>();
  }
  int64_t number = 0;
  if (numbers && integerOf(*value, number)) {
    return number != 0;
  }
  refuse(key, numbers ? "true, false or an integer" : "true or false",
         standardAdvice);
  return fallback;
}

std::string ConfigFields::text(std::string_view key,
                               const std::optional<std::string> &fallback) {
  const Json *value = find(key);
  if (!value) {
    if (!fallback) {
      missing(key, "a text");
    }
    return fallback.value_or("");
  }
  if (!value->is_string()) {
    refuse(key, "a text", standardAdvice);
    return "";
  }
  return value->get<std::string>();
}

std::optional<std::vector<int64_t>>
ConfigFields::integers(std::string_view key, int64_t lo, int64_t hi) {
  const Json *value = find(key);
  if (!value) {
    return std::nullopt;
  }
  std::string kind = fmt::format("a list of integers of {} to {}", lo, hi);
  std::vector<int64_t> result;
  if (!value->is_array()) {
    refuse(key, kind, standardAdvice);
    return result;
  }
  for (const Json &item : *value) {
    int64_t number = 0;
    if (item.is_boolean()) {
      number = item.get<bool>() ? 1 : 0;
    } else if (!integerOf(item, number)) {
      refuse(key, kind, describeJson(item) + " in it", standardAdvice);
      return result;
    }
    if (number < lo || number > hi) {
      refuse(key, kind, fmt::format("{} in it", number), standardAdvice);
      return result;
    }
    result.push_back(number);
  }
  return result;
}

std::vector<int64_t> ConfigFields::integersOrOne(std::string_view key,
                                                 int64_t lo, int64_t hi) {
  const Json *value = find(key);
  if (value && !value->is_array()) {
    return {integer(key, lo, hi)};
  }
  return integers(key, lo, hi).value_or(std::vector<int64_t>());
}

std::optional<std::vector<double>> ConfigFields::reals(std::string_view key,
                                                       double lo, double hi) {
  const Json *value = find(key);
  if (!value) {
    return std::nullopt;
  }
  std::string kind = fmt::format("a list of numbers of {} to {}", lo, hi);
  std::vector<double> result;
  if (!value->is_array()) {
    refuse(key, kind, standardAdvice);
    return result;
  }
  for (const Json &item : *value) {
    double number = item.is_number() ? item.get<double>() : std::nan("");
    if (!(number >= lo && number <= hi)) {
      refuse(key, kind, describeJson(item) + " in it", standardAdvice);
      return result;
    }
    result.push_back(number);
  }
  return result;
}

std::optional<std::vector<std::string>>
ConfigFields::texts(std::string_view key) {
  const Json *value = find(key);
  if (!value) {
    return std::nullopt;
  }
  std::vector<std::string> result;
  if (!value->is_array()) {
    refuse(key, "a list of texts", standardAdvice);
    return result;
  }
  for (const Json &item : *value) {
    if (!item.is_string()) {
      refuse(key, "a list of texts", describeJson(item) + " in it",
             standardAdvice);
      return result;
    }
    result.push_back(item.get<std::string>());
  }
  return result;
}

const Json *ConfigFields::object(std::string_view key) {
  const Json *value = find(key);
  if (value && !value->is_object()) {
    refuse(key, "an object", standardAdvice);
    return nullptr;
  }
  return value;
}

} // namespace chipwright::models
