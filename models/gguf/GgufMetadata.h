//===- GgufMetadata.h - Keys and values of a GGUF file ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GGUF_GGUFMETADATA_H
#define CHIPWRIGHT_MODELS_GGUF_GGUFMETADATA_H

#include "chips/Diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chipwright::models {

/// Types of values, with their numbers in the file.
enum class GgufKind : uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  Text,
  Array,
  U64,
  I64,
  F64,
};

/// \returns the name in messages ("u32", "string").
std::string_view ggufKindName(GgufKind kind);

/// \returns the size of a value in bytes: 0 for strings and arrays.
unsigned ggufKindBytes(GgufKind kind);

/// One value, or an array of them, in the bytes of the file. Strings stand
/// there with their lengths, which the reader has checked.
struct GgufValue {
  GgufKind kind = GgufKind::U8; // of the elements where isArray
  bool isArray = false;
  uint64_t count = 1;
  std::span<const std::byte> bytes;
};

/// The key-value pairs of a file. Nothing is copied until it is asked for; the
/// file's bytes must outlive this. All getters refuse values of another type
/// than asked for, with file and key; `find` and `has` say what is there.
class GgufMetadata {
public:
  explicit GgufMetadata(std::string file = "") : fileName(std::move(file)) {}

  /// Adds a pair. \returns false if the key is there already.
  bool add(std::string key, const GgufValue &value) {
    return values.emplace(std::move(key), value).second;
  }

  const std::map<std::string, GgufValue, std::less<>> &entries() const {
    return values;
  }

  /// \returns the value or nullptr.
  const GgufValue *find(std::string_view key) const {
    auto place = values.find(key);
    return place == values.end() ? nullptr : &place->second;
  }

  bool has(std::string_view key) const { return find(key) != nullptr; }

  /// An integer (of any integer type) of [lo, hi]; \p fallback where the key
  /// is missing, without one that is refused.
  Result<int64_t> integer(std::string_view key, int64_t lo, int64_t hi,
                          std::optional<int64_t> fallback = std::nullopt) const;

  /// A finite f32 or f64. An f32 becomes the shortest decimal number that
  /// rounds to it: files hold 1e-5 as an f32, and 1e-5 is what was meant.
  Result<double> real(std::string_view key,
                      std::optional<double> fallback = std::nullopt) const;

  Result<bool> boolean(std::string_view key,
                       std::optional<bool> fallback = std::nullopt) const;

  Result<std::string>
  text(std::string_view key,
       const std::optional<std::string> &fallback = std::nullopt) const;

  /// The elements of an array of integers, an array of f32 or f64, and an
  /// array of strings. An array that is missing is refused.
  Result<std::vector<int64_t>> integers(std::string_view key) const;
  Result<std::vector<double>> reals(std::string_view key) const;
  Result<std::vector<std::string>> texts(std::string_view key) const;

  const std::string &file() const { return fileName; }

  /// \returns "FILE: KEY: expected EXPECTED, found FOUND; ADVICE".
  Diagnostic refuse(std::string_view key, std::string_view expected,
                    std::string_view found, std::string_view advice) const;

private:
  Diagnostic wrong(std::string_view key, std::string_view expected) const;

  std::string fileName;
  std::map<std::string, GgufValue, std::less<>> values;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GGUF_GGUFMETADATA_H
