//===- PeCompiler.h - pe modules to machine code, for passes ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PECOMPILER_H
#define CHIPWRIGHT_COMPILER_PECOMPILER_H

#include "compiler/PeToElf.h"

#include "mlir/IR/BuiltinOps.h"

namespace chipwright::compiler {

/// Registers the dialects of pe programs and what their emission needs.
void registerPeCompiler(mlir::DialectRegistry &registry);

/// Lowers \p module, which is changed, to ELF. Messages go to the context's
/// diagnostics.
mlir::FailureOr<std::vector<uint8_t>>
compilePeModule(mlir::ModuleOp module, const ChipSpec &spec,
                const PeCompileOptions &options);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PECOMPILER_H
