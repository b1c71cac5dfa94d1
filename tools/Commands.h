//===- Commands.h - Commands of the driver ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_COMMANDS_H
#define CHIPWRIGHT_TOOLS_COMMANDS_H

#include <string>
#include <vector>

namespace chipwright::tools {

/// Arguments behind the command's name. \returns the exit status.
int kernelCommand(const std::vector<std::string> &arguments,
                  const std::string &commandLine);
int compileCommand(const std::vector<std::string> &arguments,
                   const std::string &commandLine);
int runCommand(const std::vector<std::string> &arguments,
               const std::string &commandLine);
int showCommand(const std::vector<std::string> &arguments,
                const std::string &commandLine);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_COMMANDS_H
