//===- EmitElf.h - LLVM dialect to RISC-V ELF -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_ELF_EMITELF_H
#define CHIPWRIGHT_COMPILER_ELF_EMITELF_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::compiler {

/// Machine code for a hart, from a module in the LLVM dialect whose context
/// has the translations registered (registerTranslations). \p isa is the
/// hart's instruction set as in "rv64imc_zba". Messages go to the context's
/// diagnostics.
/// \returns a relocatable object.
mlir::FailureOr<llvm::SmallVector<char, 0>> emitObject(mlir::ModuleOp module,
                                                       llvm::StringRef isa);

/// Links one object at the base of kernel images.
/// \p where is blamed in messages.
mlir::FailureOr<std::vector<uint8_t>> linkObject(llvm::ArrayRef<char> object,
                                                 mlir::Location where);

/// What emitObject needs of a context.
void registerTranslations(mlir::DialectRegistry &registry);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_ELF_EMITELF_H
