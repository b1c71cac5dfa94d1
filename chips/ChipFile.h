//===- ChipFile.h - One chip file, before resolution ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The syntax of a chip file: keys, leaves, provenance. What values mean and
// how files combine is ResolvedChip.cpp's part. Private to chips/.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_CHIPFILE_H
#define CHIPWRIGHT_CHIPS_CHIPFILE_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"

#include <optional>
#include <string>
#include <vector>

namespace chipwright {

/// One value of a file or of --set, not yet interpreted.
struct ChipEntry {
  size_t parameter; // index into parameters()
  std::vector<std::string> items;
  bool isList = false;
  bool hasProvenance = false; // `source` or `assumed` was given
  ParameterOrigin origin;
};

struct ChipFile {
  std::string name, kind, path;
  std::string namePlace, basePlace;
  std::optional<std::string> description, base;
  std::vector<std::string> notModelled;
  bool hasNotModelled = false;
  std::vector<ChipEntry> entries;
};

/// Reads the text of a file, at most a byte more than parseChipFile accepts
/// (so that endless devices end).
Result<std::string> readChipText(const std::string &path);

/// Parses \p text; \p path stands in messages. With \p headerOnly the
/// parameters are neither checked nor returned (and a baseline is accepted).
Result<ChipFile> parseChipFile(const std::string &text, const std::string &path,
                               bool headerOnly = false);

/// Parses one --set argument "path=value".
Result<ChipEntry> parseSet(const std::string &argument);

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_CHIPFILE_H
