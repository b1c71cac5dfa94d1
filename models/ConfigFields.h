//===- ConfigFields.h - Checked access to keys of config.json ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/. A ConfigFields reads typed values from one JSON object.
// The first fault is kept and later calls return defaults, so that a reader is
// a list of keys and checks once at the end.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_CONFIGFIELDS_H
#define CHIPWRIGHT_MODELS_CONFIGFIELDS_H

#include "models/JsonText.h"

#include <optional>
#include <string_view>
#include <vector>

namespace chipwright::models {

class ConfigFields {
public:
  /// Reads \p object, which stands in \p file under the key path \p path
  /// ("text_config", or "" at the top). The object must outlive this.
  ConfigFields(const Json &object, std::string file, std::string path)
      : json(object), fileName(std::move(file)), prefix(std::move(path)) {}

  /// An integer of [lo, hi]. A key that is missing or null gives \p fallback;
  /// without one it is a fault.
  int64_t integer(std::string_view key, int64_t lo, int64_t hi,
                  std::optional<int64_t> fallback = std::nullopt);

  /// A finite number of [lo, hi].
  double real(std::string_view key, double lo, double hi,
              std::optional<double> fallback = std::nullopt);

  /// true or false; where \p numbers is set, an integer too (0 is false).
  bool boolean(std::string_view key, bool fallback, bool numbers = false);

  std::string text(std::string_view key,
                   const std::optional<std::string> &fallback = std::nullopt);

  /// A list of integers of [lo, hi] (true and false count as 1 and 0); nothing
  /// if the key is missing or null.
  std::optional<std::vector<int64_t>> integers(std::string_view key, int64_t lo,
                                               int64_t hi);

  /// An integer or a list of integers; an empty list if missing or null.
  std::vector<int64_t> integersOrOne(std::string_view key, int64_t lo,
                                     int64_t hi);

  /// A list of finite numbers of [lo, hi]; nothing if missing or null.
  std::optional<std::vector<double>> reals(std::string_view key, double lo,
                                           double hi);

  /// A list of texts; nothing if the key is missing or null.
  std::optional<std::vector<std::string>> texts(std::string_view key);

  /// The object under \p key, or nullptr if it is missing or null.
  const Json *object(std::string_view key);

  /// \returns true if the key is there, even as null.
  bool has(std::string_view key) const;

  /// \returns true if the key is there and not null.
  bool isGiven(std::string_view key) const;

  /// Records "FILE: KEY: expected EXPECTED, found FOUND; ADVICE".
  void refuse(std::string_view key, std::string_view expected,
              std::string_view found, std::string_view advice);

  /// As above, with the value under \p key as what was found.
  void refuse(std::string_view key, std::string_view expected,
              std::string_view advice);

  /// Takes over the fault that the fields of an inner object found.
  void adopt(const Diagnostic &fault) {
    if (!failure) {
      failure = fault;
    }
  }

  /// \returns the first fault, if any.
  const std::optional<Diagnostic> &fault() const { return failure; }

  const std::string &file() const { return fileName; }

  /// \returns the path of \p key from the top of the file.
  std::string pathOf(std::string_view key) const;

private:
  /// \returns the value, or nullptr if missing or null.
  const Json *find(std::string_view key) const;
  bool integerOf(const Json &value, int64_t &result) const;
  void missing(std::string_view key, std::string_view kind);

  const Json &json;
  std::string fileName;
  std::string prefix;
  std::optional<Diagnostic> failure;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_CONFIGFIELDS_H
