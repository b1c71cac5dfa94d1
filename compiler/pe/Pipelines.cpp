//===- Pipelines.cpp - Passes in their order ------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/pe/Passes.h"

#include "dialects/pe/Pe.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;

namespace chipwright::compiler {
#define GEN_PASS_REGISTRATION
#include "compiler/pe/Passes.h.inc"
} // namespace chipwright::compiler

void compiler::buildPeToLLVMPipeline(OpPassManager &passes,
                                     const PeToLLVMOptions &options) {
  // Commands need to stand in the two kernel functions.
  passes.addPass(createInlinerPass());
  passes.addPass(createSymbolDCEPass());
  passes.addPass(createCanonicalizerPass());
  // Loops of both harts still correspond: one hart's may be unrolled.
  passes.addPass(createPeCheckRings());
  passes.addPass(createPeCheckCollectives());
  passes.addPass(createPeUnroll({options.unrollCommands}));
  // Fields of equal values are found by equal SSA values, and leave a loop
  // only if their values have left it.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createLoopInvariantCodeMotionPass());
  passes.addPass(
      createPeAssignContexts({options.contexts, options.localBytes}));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertPeToLLVM({options.stackBytes}));
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

namespace {
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<unsigned> contexts{*this, "contexts",
                            llvm::cl::desc("contexts of a hart"),
                            llvm::cl::init(PeToLLVMOptions().contexts)};
  Option<uint64_t> localBytes{*this, "local-bytes",
                              llvm::cl::desc("size of local memory"),
                              llvm::cl::init(PeToLLVMOptions().localBytes)};
  Option<uint64_t> stackBytes{*this, "stack-bytes",
                              llvm::cl::desc("stack of one hart"),
                              llvm::cl::init(PeToLLVMOptions().stackBytes)};
  Option<unsigned> unrollCommands{
      *this, "unroll-commands",
      llvm::cl::desc("largest number of commands of an unrolled loop"),
      llvm::cl::init(PeToLLVMOptions().unrollCommands)};
};
} // namespace

void compiler::registerPePasses() {
  registerPeTransformsPasses();
  PassPipelineRegistration<PipelineOptions>(
      "pe-to-llvm", "structured pe commands to the LLVM dialect",
      [](OpPassManager &passes, const PipelineOptions &options) {
        buildPeToLLVMPipeline(passes,
                              {options.contexts, options.localBytes,
                               options.stackBytes, options.unrollCommands});
      });
}
