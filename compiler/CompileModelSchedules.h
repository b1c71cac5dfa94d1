//===- CompileModelSchedules.h - Schedules as text --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One line for each grid.generic: its program, its number in the program and
// its schedule as in MLIR. `#` at the begin of a line makes it a comment.
//
//   linear_0 0 #grid.schedule<tile = [64, 128, 128], on = [row, col, seq]>
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_COMPILEMODELSCHEDULES_H
#define CHIPWRIGHT_COMPILER_COMPILEMODELSCHEDULES_H

#include "chips/Diagnostic.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>

namespace chipwright::compiler {

/// \returns the schedules of all programs of \p module, with the names of
/// dimensions and operations as comments.
std::string printSchedules(mlir::ModuleOp module);

/// Gives the operations of \p module the schedules of \p text, in place of
/// those that they have. \p name stands for the text in messages.
/// \returns for each program that \p text names the place of its last line, as
/// "F:3".
Result<std::map<std::string, std::string>>
applySchedules(mlir::ModuleOp module, const std::string &text,
               const std::string &name);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_COMPILEMODELSCHEDULES_H
