//===- GgufMetadata.cpp - Keys and values of a GGUF file --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/gguf/GgufMetadata.h"
#include "models/JsonText.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace chipwright::models {

namespace {

struct KindEntry {
  std::string_view name;
  unsigned bytes;
};

// In the order of the enumeration.
constexpr KindEntry kinds[] = {
    {"u8", 1},  {"i8", 1},  {"u16", 2},  {"i16", 2},    {"u32", 4},
    {"i32", 4}, {"f32", 4}, {"bool", 1}, {"string", 0}, {"array", 0},
    {"u64", 8}, {"i64", 8}, {"f64", 8},
};
static_assert(std::size(kinds) == static_cast<size_t>(GgufKind::F64) + 1);

template <typename T> T rawAt(const std::byte *place) {
  T value;
  std::memcpy(&value, place, sizeof(T));
  return value;
}

bool isInteger(GgufKind kind) {
  return kind != GgufKind::F32 && kind != GgufKind::F64 &&
         kind != GgufKind::Bool && kind != GgufKind::Text &&
         kind != GgufKind::Array;
}

/// \returns the integer, or nothing if it does not fit.
std::optional<int64_t> integerAt(GgufKind kind, const std::byte *place) {
  switch (kind) {
  case GgufKind::U8:
    return rawAt<uint8_t>(place);
  case GgufKind::I8:
    return rawAt<int8_t>(place);
  case GgufKind::U16:
    return rawAt<uint16_t>(place);
  case GgufKind::I16:
    return rawAt<int16_t>(place);
  case GgufKind::U32:
    return rawAt<uint32_t>(place);
  case GgufKind::I32:
    return rawAt<int32_t>(place);
  case GgufKind::I64:
    return rawAt<int64_t>(place);
  case GgufKind::U64: {
    auto value = rawAt<uint64_t>(place);
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return std::nullopt;
    }
    return static_cast<int64_t>(value);
  }
  default: // excluded by isInteger()
    return std::nullopt;
  }
}

double realAt(GgufKind kind, const std::byte *place) {
  if (kind == GgufKind::F64) {
    return rawAt<double>(place);
  }
  auto value = rawAt<float>(place);
  return std::isfinite(value)
             ? std::strtod(fmt::format("{}", value).c_str(), nullptr)
             : static_cast<double>(value);
}

std::string_view textAt(const std::byte *place) {
  return {reinterpret_cast<const char *>(place) + 8,
          static_cast<size_t>(rawAt<uint64_t>(place))};
}

std::string describe(const GgufValue &value) {
  std::string_view name = ggufKindName(value.kind);
  if (value.isArray) {
    return fmt::format("an array of {} {}", value.count, name);
  }
  if (value.kind == GgufKind::Text) {
    return "the string " + quoteText(textAt(value.bytes.data()));
  }
  if (value.kind == GgufKind::Bool) {
    return fmt::format("the bool {}", rawAt<uint8_t>(value.bytes.data()) != 0);
  }
  if (!isInteger(value.kind)) {
    return fmt::format("the {} {}", name,
                       realAt(value.kind, value.bytes.data()));
  }
  auto integer = integerAt(value.kind, value.bytes.data());
  return integer
             ? fmt::format("the {} {}", name, *integer)
             : fmt::format("the u64 {}", rawAt<uint64_t>(value.bytes.data()));
}

} // namespace

std::string_view ggufKindName(GgufKind kind) {
  return kinds[static_cast<size_t>(kind)].name;
}

unsigned ggufKindBytes(GgufKind kind) {
  return kinds[static_cast<size_t>(kind)].bytes;
}

Diagnostic GgufMetadata::refuse(std::string_view key, std::string_view expected,
                                std::string_view found,
                                std::string_view advice) const {
  return Diagnostic{fmt::format("{}: {}: expected {}, found {}; {}", fileName,
                                quoteText(key), expected, found, advice)};
}

Diagnostic GgufMetadata::wrong(std::string_view key,
                               std::string_view expected) const {
  const GgufValue *value = find(key);
  return refuse(key, expected, value ? describe(*value) : "no such key",
                "convert the model with a current converter");
}

Result<int64_t> GgufMetadata::integer(std::string_view key, int64_t lo,
                                      int64_t hi,
                                      std::optional<int64_t> fallback) const {
  const GgufValue *value = find(key);
  if (!value && fallback) {
    return *fallback;
  }
  if (value && !value->isArray && isInteger(value->kind)) {
    auto result = integerAt(value->kind, value->bytes.data());
    if (result && *result >= lo && *result <= hi) {
      return *result;
    }
  }
  return wrong(key, fmt::format("an integer from {} to {}", lo, hi));
}

Result<double> GgufMetadata::real(std::string_view key,
                                  std::optional<double> fallback) const {
  const GgufValue *value = find(key);
  if (!value && fallback) {
    return *fallback;
  }
  if (value && !value->isArray &&
      (value->kind == GgufKind::F32 || value->kind == GgufKind::F64)) {
    double result = realAt(value->kind, value->bytes.data());
    if (std::isfinite(result)) {
      return result;
    }
  }
  return wrong(key, "a finite f32 or f64");
}

Result<bool> GgufMetadata::boolean(std::string_view key,
                                   std::optional<bool> fallback) const {
  const GgufValue *value = find(key);
  if (!value && fallback) {
    return *fallback;
  }
  if (value && !value->isArray && value->kind == GgufKind::Bool) {
    return rawAt<uint8_t>(value->bytes.data()) != 0;
  }
  return wrong(key, "a bool");
}

Result<std::string>
GgufMetadata::text(std::string_view key,
                   const std::optional<std::string> &fallback) const {
  const GgufValue *value = find(key);
  if (!value && fallback) {
    return *fallback;
  }
  if (value && !value->isArray && value->kind == GgufKind::Text) {
    return std::string(textAt(value->bytes.data()));
  }
  return wrong(key, "a string");
}

Result<std::vector<int64_t>>
GgufMetadata::integers(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value || !value->isArray || !isInteger(value->kind)) {
    return wrong(key, "an array of integers");
  }
  unsigned bytes = ggufKindBytes(value->kind);
  std::vector<int64_t> result;
  result.reserve(value->count);
  for (uint64_t i = 0; i < value->count; ++i) {
    auto element = integerAt(value->kind, value->bytes.data() + i * bytes);
    if (!element) {
      return wrong(key, "integers below 2^63");
    }
    result.push_back(*element);
  }
  return result;
}

Result<std::vector<double>> GgufMetadata::reals(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value || !value->isArray ||
      (value->kind != GgufKind::F32 && value->kind != GgufKind::F64)) {
    return wrong(key, "an array of f32 or f64");
  }
  unsigned bytes = ggufKindBytes(value->kind);
  std::vector<double> result;
  result.reserve(value->count);
  for (uint64_t i = 0; i < value->count; ++i) {
    // Elements keep their bits: nobody wrote these numbers by hand.
    const std::byte *place = value->bytes.data() + i * bytes;
    result.push_back(value->kind == GgufKind::F32
                         ? static_cast<double>(rawAt<float>(place))
                         : rawAt<double>(place));
  }
  return result;
}

Result<std::vector<std::string>>
GgufMetadata::texts(std::string_view key) const {
  const GgufValue *value = find(key);
  if (!value || !value->isArray || value->kind != GgufKind::Text) {
    return wrong(key, "an array of strings");
  }
  std::vector<std::string> result;
  result.reserve(value->count);
  const std::byte *place = value->bytes.data();
  for (uint64_t i = 0; i < value->count; ++i) {
    result.emplace_back(textAt(place));
    place += 8 + result.back().size();
  }
  return result;
}

} // namespace chipwright::models
