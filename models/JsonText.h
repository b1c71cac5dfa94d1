//===- JsonText.h - JSON with places, limits, no duplicates -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/: the only header that names nlohmann's types, so that no
// public header does. The stock parser keeps the last of two equal keys and
// recurses without bound when a tree is destroyed; files from the network
// deserve neither.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_JSONTEXT_H
#define CHIPWRIGHT_MODELS_JSONTEXT_H

#include "chips/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace chipwright::models {

using Json = nlohmann::json;

/// \returns \p text in quotes, shortened, without control characters.
std::string quoteText(std::string_view text);

/// \returns \p value as a message quotes it: "the list [1, 2]", "null".
std::string describeJson(const Json &value);

/// Parses one JSON document of UTF-8 text. Refused: syntax errors, invalid
/// UTF-8, equal keys of one object, numbers outside the range of double,
/// nesting deeper than 32. \p what names the document in messages
/// ("model.safetensors, header").
Result<Json> parseJson(std::string_view text, const std::string &what);

/// \returns the contents of the regular file \p path of at most \p limit
/// bytes; \p kind says in messages what the file should be.
Result<std::string> readTextFile(const std::string &path, uint64_t limit,
                                 std::string_view kind);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_JSONTEXT_H
