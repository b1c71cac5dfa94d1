//===- PeToElf.cpp - Programs of the pe dialect to machine code -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/PeToElf.h"

#include "compiler/Diagnostics.h"
#include "compiler/PeCompiler.h"
#include "compiler/Target.h"
#include "compiler/elf/EmitElf.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/pe/Passes.h"
#include "dialects/grid/Grid.h"
#include "dialects/pe/Pe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace chipwright;

void compiler::registerPeCompiler(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
              grid::GridDialect, LLVM::LLVMDialect, math::MathDialect,
              scf::SCFDialect, tensor::TensorDialect, pe::PeDialect>();
  func::registerAllExtensions(registry);
  registerTranslations(registry);
}

void compiler::addPeToLLVM(OpPassManager &passes, const ChipSpec &spec,
                           const PeCompileOptions &options) {
  PeToLLVMOptions lowering;
  lowering.contexts = spec.cp.contexts;
  lowering.localBytes = spec.ls.bytes;
  lowering.stackBytes = options.stackBytes;
  lowering.unrollCommands = options.unrollCommands;
  buildPeToLLVMPipeline(passes, lowering);
}

DType compiler::productTypeOf(Type element) {
  return element.isF16()                         ? DType::F16
         : element.isBF16()                      ? DType::BF16
         : element.isTF32()                      ? DType::TF32
         : element.isInteger(8)                  ? DType::I8
         : element.isInteger(32)                 ? DType::I32
         : llvm::isa<Float8E4M3FNType>(element)  ? DType::F8E4M3
         : llvm::isa<Float8E5M2Type>(element)    ? DType::F8E5M2
         : element.isInteger(4)                  ? DType::I4
         : llvm::isa<Float4E2M1FNType>(element)  ? DType::F4E2M1
         : llvm::isa<Float8E8M0FNUType>(element) ? DType::F8E8M0
                                                 : DType::F32;
}

/// Types of stored weights that an element-wise operation converts.
static LogicalResult checkReads(Operation *op, const ChipSpec &spec) {
  if (!llvm::isa<arith::ExtFOp, arith::SIToFPOp, grid::SimdOp>(op)) {
    return success();
  }
  for (Type operand : op->getOperandTypes()) {
    auto tile = dyn_cast<RankedTensorType>(operand);
    DType type =
        tile ? compiler::productTypeOf(tile.getElementType()) : DType::F32;
    if (!spec.se.reads(type)) {
      return op->emitOpError("converts ")
             << dtypeName(type) << ", which the SIMD engine of " << spec.name
             << " does not read (se.read_dtypes); store another type, or name "
                "another chip";
    }
  }
  return success();
}

LogicalResult compiler::checkProducts(Operation *root, const ChipSpec &spec) {
  WalkResult read = root->walk(
      [&](Operation *op) { return WalkResult(checkReads(op, spec)); });
  if (read.wasInterrupted()) {
    return failure();
  }
  WalkResult walked = root->walk([&](grid::MatmulOp op) {
    for (Value factor : {op.getA(), op.getB()}) {
      DType type = productTypeOf(
          cast<RankedTensorType>(factor.getType()).getElementType());
      if (spec.peakFlops(type) == 0) {
        op.emitOpError("multiplies ")
            << dtypeName(type) << ", which the DPE of " << spec.name
            << " does not (dpe.dtypes); convert the operands to a type that "
               "it has, or name another chip";
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

FailureOr<std::vector<uint8_t>>
compiler::compilePeModule(ModuleOp module, const ChipSpec &spec,
                          const PeCompileOptions &options) {
  PassManager passes(module.getContext());
  if (!module.getOps<grid::ProgramOp>().empty()) {
    Target::of(spec).attachTo(module);
    buildGridToCommandsPipeline(passes);
  }
  addPeToLLVM(passes, spec, options);
  Location where = module.getLoc();
  if (failed(passes.run(module))) {
    return failure();
  }
  FailureOr<std::string> text = emitAssembly(module, spec.hart.isa);
  if (failed(text)) {
    return failure();
  }
  FailureOr<llvm::SmallVector<char, 0>> object =
      assemble(*text, spec.hart.isa, module.getContext(), "assembly");
  if (failed(object)) {
    return failure();
  }
  return linkObject(*object, where);
}

/// Parses \p text and lets \p use make something of the module.
/// \returns that, or all that was said on the way.
template <typename T, typename F>
static Result<T> withModule(const ChipSpec &spec, const std::string &text,
                            const std::string &name, F use) {
  DialectRegistry registry;
  compiler::registerPeCompiler(registry);
  // One thread: the order of messages is the order of the text.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  compiler::Messages messages(context, name);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             llvm::SMLoc());
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module) {
    return messages.error(ExitBadInput);
  }
  if (failed(compiler::checkProducts(*module, spec))) {
    return messages.error(ExitDoesNotFit);
  }
  FailureOr<T> result = use(*module);
  if (failed(result)) {
    return messages.error(ExitBadInput);
  }
  return std::move(*result);
}

Result<std::vector<uint8_t>>
chipwright::compilePeText(const ChipSpec &spec, const std::string &text,
                          const std::string &name,
                          const PeCompileOptions &options) {
  return withModule<std::vector<uint8_t>>(
      spec, text, name, [&](ModuleOp module) {
        return compiler::compilePeModule(module, spec, options);
      });
}

Result<std::string> chipwright::scheduledText(const ChipSpec &spec,
                                              const std::string &text,
                                              const std::string &name) {
  return withModule<std::string>(
      spec, text, name, [&](ModuleOp module) -> FailureOr<std::string> {
        Target::of(spec).attachTo(module);
        PassManager passes(module.getContext());
        passes.addPass(createSchedulePass());
        if (failed(passes.run(module))) {
          return failure();
        }
        std::string printed;
        llvm::raw_string_ostream(printed) << *module << "\n";
        return printed;
      });
}

Result<std::vector<uint8_t>>
chipwright::compilePeFile(const ChipSpec &spec, const std::string &path,
                          const PeCompileOptions &options) {
  auto text = llvm::MemoryBuffer::getFile(path, /*IsText=*/true,
                                          /*RequiresNullTerminator=*/true);
  if (!text) {
    return chipwright::Diagnostic{
        path + ": the file cannot be read: " + text.getError().message(),
        ExitBadInput};
  }
  return compilePeText(spec, (*text)->getBuffer().str(), path, options);
}
