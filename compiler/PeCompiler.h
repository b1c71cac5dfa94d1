//===- PeCompiler.h - pe modules to machine code, for passes ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PECOMPILER_H
#define CHIPWRIGHT_COMPILER_PECOMPILER_H

#include "compiler/PeToElf.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir {
class OpPassManager;
}

namespace chipwright::compiler {

/// Registers the dialects of pe programs and what their emission needs.
void registerPeCompiler(mlir::DialectRegistry &registry);

/// Adds the passes from the pe to the LLVM dialect for \p spec.
void addPeToLLVM(mlir::OpPassManager &passes, const ChipSpec &spec,
                 const PeCompileOptions &options);

/// The data type of elements as products see it.
DType productTypeOf(mlir::Type element);

/// \returns failure after a diagnostic if \p root holds a product (grid.matmul)
/// of a type that the DPE of \p spec lacks.
mlir::LogicalResult checkProducts(mlir::Operation *root, const ChipSpec &spec);

/// Lowers \p module of the grid or pe dialect, which is changed, to ELF.
/// Messages go to the context's
/// diagnostics.
mlir::FailureOr<std::vector<uint8_t>>
compilePeModule(mlir::ModuleOp module, const ChipSpec &spec,
                const PeCompileOptions &options);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PECOMPILER_H
