//===- EmitCode.cpp - LLVM dialect to assembly and object files ----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Code always goes through its assembly text, which is a stage that can be
// printed, edited and read again.
//
//===----------------------------------------------------------------------===//

#include "compiler/elf/EmitElf.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCAsmBackend.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCCodeEmitter.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCObjectFileInfo.h"
#include "llvm/MC/MCObjectWriter.h"
#include "llvm/MC/MCParser/MCAsmParser.h"
#include "llvm/MC/MCParser/MCTargetAsmParser.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCStreamer.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SourceMgr.h"
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
static constexpr const char *kProcessor = "generic-rv64";
static constexpr const char *kAbi = "lp64";

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

/// LLVM's features of \p isa, or nothing and an \p error.
static std::optional<std::string> featuresOf(StringRef isa,
                                             std::string &error) {
  auto parsed = llvm::RISCVISAInfo::parseArchString(
      integerIsa(isa), /*EnableExperimentalExtension=*/false);
  if (!parsed) {
    error = "hart.isa is '" + isa.str() +
            "': " + llvm::toString(parsed.takeError());
    return std::nullopt;
  }
  return llvm::join((*parsed)->toFeatures(/*AddAllExtensions=*/false), ",");
}

static std::unique_ptr<llvm::TargetMachine> makeMachine(StringRef isa,
                                                        std::string &error) {
  const llvm::Target *target = riscvTarget(error);
  std::optional<std::string> features = featuresOf(isa, error);
  if (!target || !features) {
    return nullptr;
  }
  llvm::TargetOptions options;
  options.MCOptions.ABIName = kAbi;
  options.DataSections = false;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      llvm::Triple(kTriple), kProcessor, *features, options,
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

/// Constraints of inline assembly, which LLVM trusts from here on.
static LogicalResult checkInlineAssembly(llvm::Module &code, ModuleOp module) {
  for (llvm::Function &function : code) {
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *call = dyn_cast<llvm::CallBase>(&instruction);
      auto *text =
          call ? dyn_cast<llvm::InlineAsm>(call->getCalledOperand()) : nullptr;
      if (!text) {
        continue;
      }
      if (llvm::Error error = llvm::InlineAsm::verify(
              text->getFunctionType(), text->getConstraintString())) {
        return module.emitError("inline assembly in ")
               << function.getName().str() << " with the constraints '"
               << text->getConstraintString().str()
               << "': " << llvm::toString(std::move(error));
      }
    }
  }
  return success();
}

FailureOr<std::string> compiler::emitAssembly(ModuleOp module, StringRef isa) {
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
  if (!code || failed(checkInlineAssembly(*code, module))) {
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

  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::AssemblyFile)) {
    return module.emitError("LLVM writes no assembly for RISC-V");
  }
  passes.run(*code);
  if (!said.empty()) {
    return module.emitError("code generation failed: ") << said;
  }
  return text.str().str();
}

FailureOr<llvm::SmallVector<char, 0>>
compiler::assemble(StringRef text, StringRef isa, MLIRContext *mlirContext,
                   StringRef name, unsigned firstLine) {
  auto at = [&](unsigned line, unsigned column) -> Location {
    return FileLineColLoc::get(mlirContext, name, line, column);
  };
  std::string error;
  const llvm::Target *target = riscvTarget(error);
  std::optional<std::string> features = featuresOf(isa, error);
  if (!target || !features) {
    return emitError(at(firstLine, 1), error);
  }
  struct Said {
    std::string text;
    unsigned line = 0, column = 0;
  } said;
  auto keepFirst = [](const llvm::SMDiagnostic &diagnostic, void *out) {
    Said &first = *static_cast<Said *>(out);
    if (first.text.empty() &&
        diagnostic.getKind() == llvm::SourceMgr::DK_Error) {
      first = {diagnostic.getMessage().str(),
               static_cast<unsigned>(std::max(diagnostic.getLineNo(), 1)),
               static_cast<unsigned>(diagnostic.getColumnNo() + 1)};
    }
  };
  llvm::SourceMgr sources;
  sources.setDiagHandler(keepFirst, &said);
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             llvm::SMLoc());
  llvm::Triple triple(kTriple);
  llvm::MCTargetOptions options;
  options.ABIName = kAbi;
  std::unique_ptr<llvm::MCRegisterInfo> registers(
      target->createMCRegInfo(triple));
  std::unique_ptr<llvm::MCAsmInfo> info(
      target->createMCAsmInfo(*registers, triple, options));
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, kProcessor, *features));
  std::unique_ptr<llvm::MCInstrInfo> instructions(target->createMCInstrInfo());
  llvm::MCContext context(triple, info.get(), registers.get(), subtarget.get(),
                          &sources, &options);
  context.setDiagnosticHandler([&](const llvm::SMDiagnostic &diagnostic, bool,
                                   const llvm::SourceMgr &,
                                   std::vector<const llvm::MDNode *> &) {
    keepFirst(diagnostic, &said);
  });
  std::unique_ptr<llvm::MCObjectFileInfo> files(
      target->createMCObjectFileInfo(context, /*PIC=*/false));
  context.setObjectFileInfo(files.get());
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  std::unique_ptr<llvm::MCAsmBackend> backend(
      target->createMCAsmBackend(*subtarget, *registers, options));
  std::unique_ptr<llvm::MCObjectWriter> writer =
      backend->createObjectWriter(stream);
  std::unique_ptr<llvm::MCCodeEmitter> emitter(
      target->createMCCodeEmitter(*instructions, context));
  std::unique_ptr<llvm::MCStreamer> streamer(target->createMCObjectStreamer(
      triple, context, std::move(backend), std::move(writer),
      std::move(emitter), *subtarget));
  std::unique_ptr<llvm::MCAsmParser> parser(
      llvm::createMCAsmParser(sources, context, *streamer, *info));
  std::unique_ptr<llvm::MCTargetAsmParser> targetParser(
      target->createMCAsmParser(*subtarget, *parser, *instructions, options));
  parser->setTargetParser(*targetParser);
  if (parser->Run(/*NoInitialTextSection=*/false) || !said.text.empty()) {
    return emitError(at(firstLine + std::max(said.line, 1u) - 1, said.column),
                     said.text.empty() ? "is no assembly text for RISC-V"
                                       : said.text);
  }
  return object;
}
