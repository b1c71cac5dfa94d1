//===- StepCompiler.h - Functions of llm to launches ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// For callers without MLIR: no type of MLIR or LLVM and no exception crosses
// this header.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_STEPCOMPILER_H
#define CHIPWRIGHT_COMPILER_STEPCOMPILER_H

#include "chips/ChipSpec.h"
#include "chips/Diagnostic.h"
#include "package/Package.h"

#include <cstdint>
#include <map>
#include <string>

namespace chipwright {

/// Compiles the function @step of \p text, operations of the llm dialect, for
/// \p spec, with the passes that compile a model. \p bounds says how large the
/// symbols get ("tokens"), \p name stands for the text in messages.
///
/// Buffers are called as arguments and parameters of the function, values
/// "operation.result" ("router.1"). The result of the last operation is the
/// result of the function, and the buffer with the role Output.
/// \returns buffers, programs, launches and bounds of a package that belongs to
/// no model, or all errors of the compiler, one a line.
Result<Package> compileStepText(const ChipSpec &spec, const std::string &text,
                                const std::string &name,
                                const std::map<std::string, int64_t> &bounds);

/// The tile programs and the launches of \p text, with the schedules that
/// compileStepText() would give them.
Result<std::string> scheduledStepText(const ChipSpec &spec,
                                      const std::string &text,
                                      const std::string &name);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_STEPCOMPILER_H
