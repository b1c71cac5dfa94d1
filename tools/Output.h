//===- Output.h - Writing results -------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_OUTPUT_H
#define CHIPWRIGHT_TOOLS_OUTPUT_H

#include "chips/Diagnostic.h"

#include <string>

namespace chipwright::tools {

/// Whether writeOutput() to \p path would find a place to write to; asked
/// before a long run rather than after it.
Result<void> checkOutput(const std::string &path);

/// Writes \p text to \p path. "-" is stdout. A regular file appears complete
/// or not at all (temporary name, then rename); pipes and devices are written
/// directly.
Result<void> writeOutput(const std::string &path, const std::string &text);

/// Writes all of \p text to stdout; an error if that fails (full disk, closed
/// pipe).
Result<void> print(const std::string &text);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_OUTPUT_H
