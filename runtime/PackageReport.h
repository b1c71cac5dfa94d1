//===- PackageReport.h - Packages as text and JSON --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_RUNTIME_PACKAGEREPORT_H
#define CHIPWRIGHT_RUNTIME_PACKAGEREPORT_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "package/Package.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chipwright {

/// \returns "4096", "tokens" or "2 * tokens".
std::string sizeText(const PackageSize &size);

/// What the package was made of and for, its bounds and sums.
std::string formatPackage(const Package &package);

/// A line per launch: op, program, values, arguments.
std::string formatLaunches(const Package &package);

/// A line per buffer in order of addresses, as placed on \p spec. Refused: a
/// package that does not fit.
Result<std::string> formatMemoryMap(const Package &package,
                                    const ChipSpec &spec);

/// Everything but the machine code, with the names that docs/package.md lists.
nlohmann::ordered_json toJson(const Package &package);

} // namespace chipwright

#endif // CHIPWRIGHT_RUNTIME_PACKAGEREPORT_H
