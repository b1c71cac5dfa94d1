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

/// Assembly text for a hart, from a module in the LLVM dialect whose context
/// has the translations registered (registerTranslations). \p isa is the
/// hart's instruction set as in "rv64imc_zba". Messages go to the context's
/// diagnostics.
mlir::FailureOr<std::string> emitAssembly(mlir::ModuleOp module,
                                          llvm::StringRef isa);

/// Machine code of assembly text for a hart with \p isa. Messages name lines
/// of \p name, of which the text begins in line \p firstLine.
/// \returns a relocatable object.
mlir::FailureOr<llvm::SmallVector<char, 0>>
assemble(llvm::StringRef text, llvm::StringRef isa, mlir::MLIRContext *context,
         llvm::StringRef name, unsigned firstLine = 1);

/// Links one object at the base of kernel images.
/// \p where is blamed in messages.
mlir::FailureOr<std::vector<uint8_t>> linkObject(llvm::ArrayRef<char> object,
                                                 mlir::Location where);

/// What emitObject needs of a context.
void registerTranslations(mlir::DialectRegistry &registry);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_ELF_EMITELF_H
