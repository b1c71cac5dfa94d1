//===- ChipReport.h - Chips as text and JSON --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What `chipwright show chips` and `chipwright show chip` print, and the form
// in which every JSON result records the chip it was computed for.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_CHIPS_CHIPREPORT_H
#define CHIPWRIGHT_CHIPS_CHIPREPORT_H

#include "chips/ResolvedChip.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace chipwright {

/// `show chips`: one line per chip file in \p searchDirs. A file that cannot
/// be loaded stands in the table with its error.
std::string
formatChipTable(const std::vector<std::string> &searchDirs = defaultChipDirs());

/// `show chip X`: peaks, bandwidths, ridge points (peak FLOP/s over bytes/s),
/// capacities, what is not public with its range, what is not modelled.
std::string formatChip(const ResolvedChip &chip);

/// `show chip X --paths`: every settable path with value, unit, range, whether
/// a change needs recompiling, and the origin of the value.
std::string formatChipPaths(const ResolvedChip &chip);

/// `show chip X --diff Y`: the paths whose values differ.
std::string formatChipDiff(const ResolvedChip &a, const ResolvedChip &b);

/// The chip with all values and their provenance:
/// {name, description, kind, hash, architectural_fingerprint,
///  timing_fingerprint, not_modelled: [...], derived: {...},
///  parameters: {path: {value, unit, class, kind, source, range, place}}}.
/// Hashes are 16 hexadecimal digits. Places are left out where empty.
nlohmann::json toJson(const ResolvedChip &chip);

/// \returns \p hash as 16 hexadecimal digits, as printed everywhere.
std::string formatHash(uint64_t hash);

} // namespace chipwright

#endif // CHIPWRIGHT_CHIPS_CHIPREPORT_H
