//===- Passes.h - Passes on pe programs -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_PASSES_H
#define CHIPWRIGHT_COMPILER_PE_PASSES_H

#include "chips/KernelAbi.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace mlir {
class OpPassManager;
}

namespace chipwright::compiler {

#define GEN_PASS_DECL
#include "compiler/pe/Passes.h.inc"

/// What of a chip the code of a pe program depends on.
struct PeToLLVMOptions {
  unsigned contexts = 16;
  uint64_t localBytes = 262144;
  uint64_t stackBytes = kStackBytes;
  unsigned unrollCommands = 32;
};

/// Structured commands to the LLVM dialect (`pe-to-llvm` of chipwright-opt).
void buildPeToLLVMPipeline(mlir::OpPassManager &passes,
                           const PeToLLVMOptions &options);

/// Registers the passes and the pipeline.
void registerPePasses();

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_PE_PASSES_H
