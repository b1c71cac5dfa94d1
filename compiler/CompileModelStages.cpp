//===- CompileModelStages.cpp - Levels of a model as text -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/CompileModelStages.h"

#include "compiler/PeCompiler.h"
#include "compiler/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;
using namespace chipwright::compiler;

static constexpr StringLiteral kChip = "pe.chip", kProduct = "llm.product",
                               kBounds = "llm.bounds";
/// Lines of level asm: the module, and the head of a program.
static constexpr StringLiteral kModuleLine = "#| ",
                               kProgramLine = "# chipwright program ";

static const std::pair<const char *, Stage> kStages[] = {
    {"llm", Stage::Llm}, {"grid", Stage::Grid}, {"program", Stage::Program},
    {"pe", Stage::Pe},   {"llvm", Stage::Llvm}, {"asm", Stage::Asm},
};

const char *chipwright::stageName(Stage stage) {
  for (auto [name, value] : kStages) {
    if (value == stage) {
      return name;
    }
  }
  return "package";
}

std::optional<Stage> chipwright::stageFromName(std::string_view name) {
  for (auto [known, value] : kStages) {
    if (name == known) {
      return value;
    }
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

static const std::pair<StringLiteral, int64_t PackageTerms::*> kTerms[] = {
    {"tokens", &PackageTerms::tokens},
    {"batch", &PackageTerms::batch},
    {"context", &PackageTerms::context},
};

void compiler::attachTerms(ModuleOp module, const PackageTerms &terms) {
  Builder b(module.getContext());
  module->setAttr(kProduct, TypeAttr::get(terms.productType == DType::F16
                                              ? Type(b.getF16Type())
                                              : Type(b.getBF16Type())));
  SmallVector<NamedAttribute> bounds;
  for (auto [name, member] : kTerms) {
    bounds.push_back(b.getNamedAttr(name, b.getI64IntegerAttr(terms.*member)));
  }
  module->setAttr(kBounds, b.getDictionaryAttr(bounds));
}

FailureOr<PackageTerms> compiler::termsOf(ModuleOp module) {
  PackageTerms terms;
  auto product = module->getAttrOfType<TypeAttr>(kProduct);
  terms.productType = product ? productTypeOf(product.getValue()) : DType::F32;
  if (terms.productType != DType::BF16 && terms.productType != DType::F16) {
    return module.emitError("expected the attribute ")
           << kProduct << ", bf16 or f16, on the module; print the level with "
           << "compile --stop-after";
  }
  auto bounds = module->getAttrOfType<DictionaryAttr>(kBounds);
  for (auto [name, member] : kTerms) {
    auto bound = bounds ? bounds.getAs<IntegerAttr>(name) : IntegerAttr();
    constexpr int64_t kMost = int64_t(1) << 30; // as on the command line
    bool isGood = bound && bound.getType().isSignlessInteger(64) &&
                  bound.getInt() >= 1 && bound.getInt() <= kMost;
    if (!isGood) {
      return module.emitError("expected `")
             << name << "`, an integer from 1 to " << kMost << ", in the "
             << "attribute " << kBounds << " of the module";
    }
    terms.*member = bound.getInt();
  }
  return terms;
}

//===----------------------------------------------------------------------===//
// Parts of a module
//===----------------------------------------------------------------------===//

StepOp compiler::stepOf(ModuleOp module) {
  auto steps = module.getOps<StepOp>();
  return steps.empty() ? StepOp() : *steps.begin();
}

std::string compiler::launchersOf(ModuleOp module, StringRef program) {
  std::string first;
  llvm::StringSet<> ops;
  if (StepOp step = stepOf(module)) {
    step.walk([&](LaunchOp launch) {
      if (launch.getProgram() == program) {
        first = first.empty() ? launch.getOp().str() : first;
        ops.insert(launch.getOp());
      }
    });
  }
  return ops.size() < 2 ? first
                        : fmt::format("{} and {} more", first, ops.size() - 1);
}

OwningOpRef<ModuleOp> compiler::aloneWith(ModuleOp module, ProgramOp program) {
  OwningOpRef<ModuleOp> alone = ModuleOp::create(program.getLoc());
  if (Attribute chip = module->getAttr(kChip)) {
    (*alone)->setAttr(kChip, chip);
  }
  alone->push_back(program.clone());
  return alone;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string compiler::print(const StageText &text) {
  std::string printed;
  llvm::raw_string_ostream os(printed);
  ModuleOp module = *text.module;
  os << module << "\n";
  if (text.stage != Stage::Asm) {
    return printed;
  }
  std::string whole;
  for (StringRef line : llvm::split(StringRef(printed).rtrim('\n'), '\n')) {
    whole += (kModuleLine + line + "\n").str();
  }
  for (const AsmProgram &program : text.assembly) {
    whole += (kProgramLine + program.name + "\n" + program.text).str();
  }
  return whole;
}

/// Cuts level asm into its module and its programs. Lines of the module stay
/// where they are, so that messages name the right ones.
static std::string cutAssembly(StringRef text,
                               std::vector<AsmProgram> &programs) {
  std::string module;
  unsigned line = 1;
  while (!text.empty()) {
    size_t end = text.find('\n');
    StringRef whole = text.take_front(end == StringRef::npos ? end : end + 1);
    text = text.drop_front(whole.size());
    ++line;
    StringRef rest = whole.rtrim('\n');
    if (rest.consume_front(kProgramLine)) {
      programs.push_back({rest.trim().str(), "", line});
    } else if (!programs.empty()) {
      programs.back().text += whole;
    } else {
      rest.consume_front(kModuleLine);
      module += rest.str() + "\n";
    }
  }
  return module;
}

/// Do the launches go with what they launch?
static LogicalResult checkLaunches(StageText &text, StepOp step) {
  llvm::StringSet<> known;
  for (const AsmProgram &program : text.assembly) {
    if (!known.insert(program.name).second) {
      return step.emitError("expected one program ")
             << program.name << ", found two";
    }
  }
  WalkResult walked = step.walk([&](LaunchOp launch) {
    StringRef name = launch.getProgram();
    Operation *program = text.module->lookupSymbol(name);
    bool isThere = text.stage == Stage::Asm ? known.contains(name)
                   : text.stage < Stage::Pe
                       ? isa_and_nonnull<ProgramOp>(program)
                       : isa_and_nonnull<ModuleOp>(program);
    if (!isThere) {
      launch.emitOpError("launches the program ")
          << name << ", which the text does not have";
      return WalkResult::interrupt();
    }
    auto declared = dyn_cast_if_present<ProgramOp>(program);
    if (declared && !llvm::equal(declared.getArgumentTypes(),
                                 launch.getArguments().getTypes())) {
      launch.emitOpError("expected the arguments of @")
          << name << ", " << declared.getFunctionType() << ", found others";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

/// Is everything there that belongs to the level, and nothing else?
static LogicalResult checkContents(StageText &text) {
  ModuleOp module = *text.module;
  if (text.stage == Stage::Llm) {
    if (!module.lookupSymbol<func::FuncOp>("step")) {
      return module.emitError("expected the function @step of level llm");
    }
    return success();
  }
  for (Operation &op : *module.getBody()) {
    auto part = dyn_cast<ModuleOp>(op);
    bool belongs = isa<StepOp>(op) ||
                   (text.stage < Stage::Pe && isa<ProgramOp>(op)) ||
                   (text.stage < Stage::Asm && text.stage >= Stage::Pe &&
                    part && part.getSymName());
    if (!belongs) {
      return op.emitError("expected grid.step and ")
             << (text.stage < Stage::Pe    ? "grid.program"
                 : text.stage < Stage::Asm ? "modules with a name"
                                           : "nothing else")
             << " at level " << stageName(text.stage) << ", found "
             << op.getName();
    }
  }
  if (llvm::range_size(module.getOps<StepOp>()) != 1) {
    return module.emitError("expected one grid.step, found ")
           << llvm::range_size(module.getOps<StepOp>());
  }
  return checkLaunches(text, stepOf(module));
}

FailureOr<StageText> compiler::parseStage(Stage stage, const std::string &text,
                                          const std::string &name,
                                          const ChipSpec &chip,
                                          MLIRContext *context) {
  StageText made;
  made.stage = stage;
  std::string module =
      stage == Stage::Asm ? cutAssembly(text, made.assembly) : text;
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(module, name),
                             llvm::SMLoc());
  made.module = parseSourceFile<ModuleOp>(sources, ParserConfig(context));
  if (!made.module || failed(checkContents(made))) {
    return failure();
  }
  FailureOr<Target> target = Target::of(*made.module);
  if (failed(target)) {
    return failure();
  }
  std::string difference = target->differenceTo(Target::of(chip));
  if (!difference.empty()) {
    return made.module->emitError("is code for ")
           << target->name << ", not for " << chip.name << ": " << difference
           << "; name its chip with --chip and --set, or begin with the model";
  }
  return made;
}
