//===- EmitObject.cpp - LLVM dialect to an object file --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/elf/EmitElf.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/RISCVISAInfo.h"

using namespace mlir;
using namespace chipwright;

extern "C" {
void LLVMInitializeRISCVTargetInfo();
void LLVMInitializeRISCVTarget();
void LLVMInitializeRISCVTargetMC();
void LLVMInitializeRISCVAsmParser();
void LLVMInitializeRISCVAsmPrinter();
}

static constexpr const char *kTriple = "riscv64-unknown-elf";

void compiler::registerTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static const llvm::Target *riscvTarget(std::string &error) {
  static const bool isReady = [] {
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTarget();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVAsmParser();
    LLVMInitializeRISCVAsmPrinter();
    return true;
  }();
  (void)isReady;
  return llvm::TargetRegistry::lookupTarget(llvm::Triple(kTriple), error);
}

/// The integer part of the harts' instruction set: kernels use no floating
/// point, and their calling convention passes nothing in such registers.
static std::string integerIsa(StringRef isa) {
  auto [letters, rest] = isa.split('_');
  std::string result;
  for (auto [i, letter] : llvm::enumerate(letters)) {
    if (i < 4 || (letter != 'f' && letter != 'd')) {
      result += letter;
    }
  }
  return rest.empty() ? result : result + "_" + rest.str();
}

static std::unique_ptr<llvm::TargetMachine> makeMachine(StringRef isa,
                                                        std::string &error) {
  const llvm::Target *target = riscvTarget(error);
  if (!target) {
    return nullptr;
  }
  auto parsed = llvm::RISCVISAInfo::parseArchString(
      integerIsa(isa), /*EnableExperimentalExtension=*/false);
  if (!parsed) {
    error = "hart.isa is '" + isa.str() +
            "': " + llvm::toString(parsed.takeError());
    return nullptr;
  }
  std::string features =
      llvm::join((*parsed)->toFeatures(/*AddAllExtensions=*/false), ",");
  llvm::TargetOptions options;
  options.MCOptions.ABIName = "lp64";
  options.DataSections = false;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      llvm::Triple(kTriple), "generic-rv64", features, options,
      llvm::Reloc::Static, llvm::CodeModel::Medium,
      llvm::CodeGenOptLevel::Default));
}

/// The pipeline of -O2 without what makes short control code longer.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

FailureOr<llvm::SmallVector<char, 0>> compiler::emitObject(ModuleOp module,
                                                           StringRef isa) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(isa, error);
  if (!machine) {
    return module.emitError(error);
  }
  llvm::LLVMContext context;
  std::string said;
  context.setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo *info, void *out) {
        if (info->getSeverity() == llvm::DS_Error) {
          llvm::raw_string_ostream os(*static_cast<std::string *>(out));
          llvm::DiagnosticPrinterRawOStream printer(os);
          info->print(printer);
        }
      },
      &said);
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(module, context);
  if (!code) {
    return failure();
  }
  code->setTargetTriple(machine->getTargetTriple());
  code->setDataLayout(machine->createDataLayout());
  for (llvm::Function &function : *code) {
    function.addFnAttr(llvm::Attribute::NoUnwind);
    function.addFnAttr("no-builtins");
    function.addFnAttr("no-jump-tables", "true");
  }
  optimize(*code, *machine);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::ObjectFile)) {
    return module.emitError("LLVM writes no object files for RISC-V");
  }
  passes.run(*code);
  if (!said.empty()) {
    return module.emitError("code generation failed: ") << said;
  }
  return object;
}
