//===- Parameters.h - Table of a chip's settable parameters -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Reflection over ChipSpec: Parameters.def as data. Reading, printing,
// fingerprints and `--set` all walk this one table.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_PARAMETERS_H
#define CHIPWRIGHT_CHIPS_PARAMETERS_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipwright {

enum class ParameterClass { Architectural, Timing, Described };

/// One member of a ChipSpec.
using MemberRef =
    std::variant<unsigned *, uint64_t *, double *, bool *, std::string *,
                 std::vector<DType> *, NocTopology *, DramLevel *, DramKind *,
                 DramRefresh *>;

struct Parameter {
  const char *path;
  const char *unit; // "" for a name or a choice
  ParameterClass cls;
  double min, max; // hard limits of numbers
  const char *doc;
  MemberRef (*member)(ChipSpec &);

  /// \returns whether values are numbers (so that ranges make sense).
  bool isNumber() const;
  /// \returns whether values are a switch or one of a few names.
  bool isChoice() const;
  /// \returns what a value must look like, e.g. "a whole number of cycles
  /// between 0 and 1000" or "one of crossbar, mesh".
  std::string expected() const;
  /// \returns the value in \p spec in canonical spelling: numbers in shortest
  /// round-trip form, lists as "[a, b]".
  std::string format(const ChipSpec &spec) const;
  /// Stores the value spelled by \p items (one text, or several for a list)
  /// in \p spec. \returns an error text without a place, e.g. "expected ...,
  /// found 'x'"; nothing on success.
  std::optional<std::string> parse(const std::vector<std::string> &items,
                                   bool isList, ChipSpec &spec) const;
};

/// All parameters, in the order of Parameters.def.
const std::vector<Parameter> &parameters();

/// \returns the index of \p path or of the path it is an alias of.
std::optional<size_t> findParameter(std::string_view path);

/// \returns whether \p path is a section ("cp", "dram.timing") and not a value.
bool isParameterSection(std::string_view path);

/// \returns whether \p c has no glyph: a message shows '?' instead, so that
/// no file drives the terminal.
inline bool isControl(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// \returns \p text with '?' for control characters.
std::string printable(std::string_view text);

/// \returns \p text between single quotes, printable and cut at 60 bytes, as
/// messages show what a file holds.
std::string quote(std::string_view text);

/// Reads a number as chip files spell it: decimal, with an optional exponent,
/// and for byte counts an optional KiB, MiB, GiB or TiB.
std::optional<double> parseNumber(std::string_view text, bool bytes);

/// \returns the candidate nearest to \p name by edit distance, or nothing if
/// none is close enough to be a slip of the fingers.
std::optional<std::string>
nearestName(std::string_view name, const std::vector<std::string> &candidates);

/// \returns ", did you mean 'x'?"-style help for an unknown path: a key that
/// lacks its unit, the same key in another section, or the nearest spelling;
/// empty if nothing is near.
std::string suggestPath(std::string_view path);

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_PARAMETERS_H
