//===- ResolvedChip.h - A chip with the origin of each value ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Reads chips/*.yaml (docs/chips.md describes the format), follows `base:`,
// applies `--set`, checks that such a machine can exist, and remembers for
// every value where it came from.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_RESOLVEDCHIP_H
#define CHIPWRIGHT_CHIPS_RESOLVEDCHIP_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chipwright {

/// Who vouches for a value.
enum class ValueKind {
  Published, // a public document states it
  Default,   // not public: an engineering default with a range
  User,      // a user's file or --set, without a source
};

/// \returns "published", "default" or "user".
const char *valueKindName(ValueKind kind);

/// The origin of one parameter's value.
struct ParameterOrigin {
  ValueKind kind = ValueKind::User;
  /// The public source, or the reason for the default; for user values
  /// "--set", or why the value follows from another one.
  std::string source;
  /// Values that a sensitivity study should cover, in the parameter's unit.
  std::optional<std::pair<double, double>> range;
  /// "file:line:column", or the --set argument.
  std::string place;
  /// 0 for the innermost base; larger overrides smaller.
  unsigned layer = 0;
};

struct ResolvedChip {
  ChipSpec spec;
  /// One entry per parameter, in the order of parameters().
  std::vector<ParameterOrigin> origins;
  /// The file that was named, as found.
  std::string path;
  /// Features of the real chip that no model covers.
  std::vector<std::string> notModelled;

  /// Lines "path=value" of all parameters in table order. Equal texts mean
  /// equal machines, whatever their names and sources.
  std::string canonicalText() const;
  /// 64-bit FNV-1a of canonicalText().
  uint64_t hash() const;
  /// The same over architectural parameters only: a package compiled for one
  /// fingerprint runs on every chip that has it.
  uint64_t architecturalFingerprint() const;
  /// The same over timing parameters only.
  uint64_t timingFingerprint() const;
};

/// One line of `show chips`.
struct ChipListing {
  std::string name;
  std::string path;
  std::string kind; // "simulated", "baseline", ...; "?" if unreadable
  std::string description;
};

/// Directories that are searched for a chip's name: $CHIPWRIGHT_CHIPS (a list
/// separated by ':') if set, and the repository's chips/.
std::vector<std::string> defaultChipDirs();

/// Loads one simulated chip.
/// \param nameOrPath a name that is looked up as DIR/NAME.yaml in \p
///        searchDirs, or a path (it has a '/' or ends in .yaml).
/// \param sets overrides "path=value", applied in order after the files.
/// \returns the chip, or a diagnostic with exit status 2 for a wrong override
/// and 3 for a wrong file or an impossible machine. Never throws.
Result<ResolvedChip>
loadChip(const std::string &nameOrPath,
         const std::vector<std::string> &sets = {},
         const std::vector<std::string> &searchDirs = defaultChipDirs());

/// The same, from \p text instead of a file; \p fileName stands in messages.
Result<ResolvedChip> loadChipFromText(
    const std::string &text, const std::string &fileName,
    const std::vector<std::string> &sets = {},
    const std::vector<std::string> &searchDirs = defaultChipDirs());

/// Lists the chip files in \p searchDirs by name; an earlier directory hides
/// the same name in a later one.
std::vector<ChipListing>
listChips(const std::vector<std::string> &searchDirs = defaultChipDirs());

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_RESOLVEDCHIP_H
