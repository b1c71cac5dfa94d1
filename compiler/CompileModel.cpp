//===- CompileModel.cpp - A model's graph to a package --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/CompileModel.h"

#include "compiler/CompileModelPackager.h"
#include "compiler/CompileModelSchedules.h"
#include "compiler/CompileModelStages.h"
#include "compiler/Diagnostics.h"
#include "compiler/PeCompiler.h"
#include "compiler/Target.h"
#include "compiler/elf/EmitElf.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/llm/ImportGraph.h"
#include "compiler/llm/LlmPasses.h"
#include "package/MemoryCheck.h"
#include "package/PackageFile.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Pass/PassManager.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;
using namespace chipwright::grid;

/// Affine expressions lose the order of their sums when they are printed; with
/// what a reader would make of them, later levels do not depend on whether the
/// text was printed and read in between.
static void keepWhatTextKeeps(ModuleOp module) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](AffineMapAttr map) -> Attribute {
    std::string text;
    llvm::raw_string_ostream(text) << map;
    Attribute read = parseAttribute(text, map.getContext());
    return read ? read : map;
  });
  replacer.recursivelyReplaceElementsIn(module);
}

namespace {

/// One call of compileModel().
class Compilation {
public:
  Compilation(const CompileRequest &request, MLIRContext &context)
      : request(request), spec(request.chip->spec), context(context),
        messages(context, "the model"), report(reported) {
    clock.setEnabled(request.wantsTiming);
    clock.setOutput(
        createOutputStrategy(DefaultTimingManager::OutputFormat::Text, report));
    total = clock.getRootScope();
  }

  Result<CompileResult> run() {
    Result<void> done = begin();
    while (done && at.stage != request.stopAfter) {
      done = advance();
    }
    if (!done) {
      return done.error();
    }
    if (at.stage != Stage::Package) {
      result.text = print(at);
    }
    if (request.wantsTiming) {
      total.stop();
      clock.print();
      report.flush();
      result.timing = reported;
    }
    return std::move(result);
  }

private:
  using Diagnostic = chipwright::Diagnostic;

  /// The error of a step down from a level. Texts may be wrong, what the
  /// compiler makes can only be too large.
  Diagnostic failed() const {
    bool isText = request.startFrom && *request.startFrom == at.stage;
    return messages.error(isText && at.stage > Stage::Program ? ExitBadInput
                                                              : ExitDoesNotFit);
  }

  /// failed() for one program, with the operations that it computes.
  Diagnostic failed(const std::string &program) const {
    Diagnostic error = failed();
    std::string ops = launchersOf(*at.module, program);
    auto schedule = scheduledAt.find(program);
    std::string what =
        schedule == scheduledAt.end()
            ? "program "
            : schedule->second + ": with this schedule, program ";
    error.message = fmt::format("{}{}{}: {}", what, program,
                                ops.empty() ? "" : " of " + ops, error.message);
    return error;
  }

  Result<void> begin();
  Result<void> advance();
  Result<void> quantise(DType type);
  Result<void> quantiseWeights(DType type);
  Result<void> toGrid();
  Result<void> toProgram();
  Result<void> toPe();
  Result<void> toLlvm();
  Result<void> toAsm();
  Result<void> toPackage();
  Result<void> checkMemoryOf(StepOp step);
  Result<void> dump();
  Result<void> dumpPart(const std::string &program, const char *suffix,
                        const std::string &text);
  Package emptyPackage() const;

  /// The passes of a step down, for any number of modules.
  struct Passes {
    Passes(Compilation &owner, const char *step)
        : time(owner.total.nest(step)), manager(&owner.context) {
      manager.enableTiming(time);
    }
    LogicalResult run(ModuleOp module) { return manager.run(module); }

    TimingScope time;
    PassManager manager;
  };

  const CompileRequest &request;
  const ChipSpec &spec;
  MLIRContext &context;
  Messages messages;
  std::string reported;
  llvm::raw_string_ostream report;
  DefaultTimingManager clock;
  TimingScope total;
  StageText at;
  PackageTerms terms;
  std::map<std::string, std::string> scheduledAt; // place by program
  CompileResult result;
};

Result<void> Compilation::begin() {
  if (request.startFrom) {
    auto parsed = parseStage(*request.startFrom, request.text, request.textName,
                             spec, &context);
    if (mlir::failed(parsed)) {
      return messages.error(ExitBadInput);
    }
    at = std::move(*parsed);
    auto said = termsOf(*at.module);
    if (mlir::failed(said)) {
      return messages.error(ExitBadInput);
    }
    terms = *said;
  } else {
    terms = {request.productType, request.maxTokens, request.maxBatch,
             request.maxContext};
  }
  for (DType type :
       {terms.productType, request.linearType.value_or(terms.productType)}) {
    if (spec.peakFlops(type) == 0) {
      return Diagnostic{
          fmt::format("the DPE of {} does not multiply {} (dpe.dtypes); "
                      "compile for another type",
                      spec.name, dtypeName(type)),
          ExitDoesNotFit};
    }
  }
  if (request.weightType && !spec.se.reads(*request.weightType)) {
    return Diagnostic{
        fmt::format("the SIMD engine of {} does not read {} (se.read_dtypes); "
                    "compile with weights of another type",
                    spec.name, dtypeName(*request.weightType)),
        ExitDoesNotFit};
  }
  if (!request.startFrom) {
    TimingScope time = total.nest("import");
    Type product = terms.productType == DType::F16
                       ? Type(Float16Type::get(&context))
                       : Type(BFloat16Type::get(&context));
    at.module = importGraph(*request.graph, product, terms.context);
    if (!at.module) {
      return messages.error(ExitBadInput);
    }
    Target::of(spec).attachTo(*at.module);
    attachTerms(*at.module, terms);
    if (request.linearType) {
      if (auto done = quantise(*request.linearType); !done) {
        return done;
      }
    }
  }
  if (!request.startFrom && request.weightType) {
    if (auto done = quantiseWeights(*request.weightType); !done) {
      return done;
    }
  }
  if (mlir::failed(checkProducts(*at.module, spec))) {
    return messages.error(ExitDoesNotFit);
  }
  StepOp step = stepOf(*at.module);
  if (step && request.stopAfter == Stage::Package) {
    if (auto fits = checkMemoryOf(step); !fits) {
      return fits;
    }
  }
  return dump();
}

Result<void> Compilation::advance() {
  static constexpr Result<void> (Compilation::*kSteps[])() = {
      &Compilation::toGrid, &Compilation::toProgram, &Compilation::toPe,
      &Compilation::toLlvm, &Compilation::toAsm,     &Compilation::toPackage};
  auto step = static_cast<unsigned>(at.stage);
  if (auto done = (this->*kSteps[step])(); !done) {
    return done;
  }
  at.stage = static_cast<Stage>(step + 1);
  return dump();
}

Result<void> Compilation::quantise(DType type) {
  Passes passes(*this, "quantise");
  const char *product = type == DType::I8       ? "i8"
                        : type == DType::F8E4M3 ? "f8E4M3FN"
                                                : "f8E5M2";
  const char *products = !request.quantisesProducts   ? ""
                         : *request.quantisesProducts ? "yes"
                                                      : "no";
  passes.manager.addPass(createQuantisePass({product, products}));
  return mlir::failed(passes.run(*at.module)) ? failed() : Result<void>();
}

Result<void> Compilation::quantiseWeights(DType type) {
  Passes passes(*this, "quantise weights");
  passes.manager.addPass(
      createQuantiseWeightsPass({type == DType::I4 ? "i4" : "f4E2M1FN"}));
  return mlir::failed(passes.run(*at.module)) ? failed() : Result<void>();
}

Result<void> Compilation::toGrid() {
  Passes passes(*this, "llm to grid");
  passes.manager.addPass(createLlmToGridPass());
  if (mlir::failed(passes.run(*at.module))) {
    return failed();
  }
  keepWhatTextKeeps(*at.module);
  // Before the work of compiling what could never run.
  return request.stopAfter == Stage::Package ? checkMemoryOf(stepOf(*at.module))
                                             : Result<void>();
}

Result<void> Compilation::toProgram() {
  if (!request.schedules.empty()) {
    auto applied =
        applySchedules(*at.module, request.schedules, request.schedulesName);
    if (!applied) {
      return applied.error();
    }
    scheduledAt = applied.take();
  }
  Passes schedule(*this, "schedule");
  schedule.manager.addPass(createSchedulePass());
  if (mlir::failed(schedule.run(*at.module))) {
    return failed();
  }
  result.schedules = printSchedules(*at.module);
  Passes expand(*this, "grid to program");
  expand.manager.nest<ProgramOp>().addPass(createExpandPass());
  for (ProgramOp program : at.module->getOps<ProgramOp>()) {
    OwningOpRef<ModuleOp> alone = aloneWith(*at.module, program);
    if (mlir::failed(expand.run(*alone))) {
      return failed(program.getSymName().str());
    }
    auto expanded = *alone->getOps<ProgramOp>().begin();
    program.getBody().takeBody(expanded.getBody());
  }
  return {};
}

Result<void> Compilation::toPe() {
  Passes passes(*this, "program to pe");
  buildGridToCommandsPipeline(passes.manager);
  for (ProgramOp program :
       llvm::make_early_inc_range(at.module->getOps<ProgramOp>())) {
    std::string name = program.getSymName().str();
    OwningOpRef<ModuleOp> alone = aloneWith(*at.module, program);
    if (mlir::failed(passes.run(*alone))) {
      return failed(name);
    }
    (*alone)->setAttrs(DictionaryAttr::get(&context));
    alone->setSymName(name);
    OpBuilder(program).insert(alone.release());
    program.erase();
  }
  return {};
}

Result<void> Compilation::toLlvm() {
  Passes passes(*this, "pe to llvm");
  addPeToLLVM(passes.manager, spec, {});
  SmallVector<ModuleOp> programs(at.module->getOps<ModuleOp>());
  for (ModuleOp program : programs) {
    std::string name = program.getSymName()->str();
    Operation *next = program->getNextNode();
    program->remove();
    OwningOpRef<ModuleOp> alone(program);
    (*alone)->removeAttr(SymbolTable::getSymbolAttrName());
    if (mlir::failed(passes.run(*alone))) {
      return failed(name);
    }
    alone->setSymName(name);
    Block *body = at.module->getBody();
    body->getOperations().insert(next ? next->getIterator() : body->end(),
                                 alone.release());
  }
  return {};
}

Result<void> Compilation::toAsm() {
  TimingScope time = total.nest("llvm to asm");
  SmallVector<ModuleOp> programs(at.module->getOps<ModuleOp>());
  for (ModuleOp program : programs) {
    std::string name = program.getSymName()->str();
    program->remove();
    OwningOpRef<ModuleOp> alone(program);
    (*alone)->removeAttr(SymbolTable::getSymbolAttrName());
    auto text = emitAssembly(*alone, spec.hart.isa);
    if (mlir::failed(text)) {
      return failed(name);
    }
    at.assembly.push_back({name, *text});
  }
  return {};
}

Package Compilation::emptyPackage() const {
  Package package;
  package.toolVersion = CHIPWRIGHT_VERSION;
  package.chip = spec.name;
  package.architecturalFingerprint = request.chip->architecturalFingerprint();
  package.timingFingerprint = request.chip->timingFingerprint();
  package.modelHash = modelHash(*request.graph);
  package.modelType = request.graph->modelType;
  package.productType = terms.productType;
  const int64_t perSequence = (terms.context + 127) / 128 * 128;
  package.bounds = {{"tokens", terms.tokens},
                    {"batch", terms.batch},
                    {"context", terms.context},
                    {"outputs", terms.tokens},
                    {"slots", perSequence * terms.batch}};
  for (size_t i = 0; i < request.graph->masks.size(); ++i) {
    // Each token could be a block of its own.
    package.bounds[fmt::format("entries.{}", i)] = terms.tokens;
  }
  return package;
}

Result<void> Compilation::checkMemoryOf(StepOp step) {
  Package package = emptyPackage();
  if (mlir::failed(Packager(package, *request.graph).addBuffers(step))) {
    return messages.error(ExitBadInput);
  }
  return checkMemory(spec, package);
}

Result<void> Compilation::toPackage() {
  result.package = emptyPackage();
  Package &package = result.package;
  Packager packager(package, *request.graph);
  StepOp step = stepOf(*at.module);
  if (mlir::failed(packager.addBuffers(step)) ||
      mlir::failed(packager.addLaunches(step))) {
    return messages.error(ExitBadInput);
  }
  TimingScope time = total.nest("asm to package");
  for (PackageProgram &program : package.programs) {
    const AsmProgram &source =
        *llvm::find_if(at.assembly, [&](const AsmProgram &candidate) {
          return candidate.name == program.name;
        });
    TimingScope part = time.nest("assemble");
    auto object =
        assemble(source.text, spec.hart.isa, &context,
                 request.startFrom ? request.textName : source.name + ".s",
                 source.firstLine);
    if (mlir::failed(object)) {
      return failed(program.name);
    }
    part = time.nest("link");
    auto elf = linkObject(*object, step.getLoc());
    if (mlir::failed(elf)) {
      return failed(program.name);
    }
    program.elf = std::move(*elf);
    if (auto done = dumpPart(program.name, "elf",
                             {program.elf.begin(), program.elf.end()});
        !done) {
      return done;
    }
  }
  return checkPackage(package,
                      request.startFrom ? request.textName : "package");
}

Result<void> Compilation::dumpPart(const std::string &program,
                                   const char *suffix,
                                   const std::string &text) {
  if (!request.dump) {
    return {};
  }
  // Names of a text may be anything; those of files stay in their folder.
  std::string file;
  for (char c : program) {
    file += llvm::isAlnum(c) || c == '_' || c == '-' ? c : '_';
  }
  return request.dump(fmt::format("programs/{}.{}", file, suffix), text);
}

Result<void> Compilation::dump() {
  if (!request.dump || at.stage == Stage::Package) {
    return {};
  }
  bool isAsm = at.stage == Stage::Asm;
  std::string suffix =
      isAsm ? "s" : fmt::format("{}.mlir", stageName(at.stage));
  auto done = request.dump(isAsm ? "asm.s" : suffix, print(at));
  for (const AsmProgram &program : at.assembly) {
    done = done ? dumpPart(program.name, suffix.c_str(), program.text) : done;
  }
  for (Operation &op : *at.module->getBody()) {
    OwningOpRef<ModuleOp> alone;
    if (auto program = dyn_cast<ProgramOp>(op)) {
      alone = aloneWith(*at.module, program);
    } else if (auto part = dyn_cast<ModuleOp>(op)) {
      alone = part.clone();
      (*alone)->removeAttr(SymbolTable::getSymbolAttrName());
    }
    if (alone && done) {
      std::string text;
      llvm::raw_string_ostream(text) << *alone << "\n";
      done = dumpPart(cast<SymbolOpInterface>(op).getName().str(),
                      suffix.c_str(), text);
    }
  }
  return done;
}

} // namespace

Result<CompileResult> chipwright::compileModel(const CompileRequest &request) {
  DialectRegistry registry;
  registerPeCompiler(registry);
  registry.insert<llm::LlmDialect>();
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  return Compilation(request, context).run();
}
