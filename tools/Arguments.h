//===- Arguments.h - Values on the command line -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_ARGUMENTS_H
#define CHIPWRIGHT_TOOLS_ARGUMENTS_H

#include "chips/Diagnostic.h"

#include <boost/program_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chipwright::tools {

/// Prints "chipwright: error: ..." to stderr. \returns the exit status.
int report(const Diagnostic &diagnostic);

/// An error of the command line with a pointer to the help of \p command.
Diagnostic usageError(const std::string &message, const std::string &command);

/// The name of \p known that \p word was probably meant to be, or "".
std::string closest(const std::string &word,
                    const std::vector<std::string> &known);

/// Parses options, and positional arguments into \p positional (a name of
/// \p options, or null if there are none). Nothing is thrown.
Result<boost::program_options::variables_map>
parseOptions(const std::vector<std::string> &arguments,
             const boost::program_options::options_description &options,
             const char *positional, const std::string &command);

/// A whole number, decimal or 0x hexadecimal; sizes may end in K, M, G (powers
/// of 1024). \p option stands in the message.
Result<uint64_t> parseNumber(const std::string &text, const std::string &option,
                             const std::string &command);

/// The strings between separators.
std::vector<std::string> split(const std::string &text, char separator);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_ARGUMENTS_H
