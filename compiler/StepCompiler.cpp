//===- StepCompiler.cpp - Functions of llm to launches --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/StepCompiler.h"

#include "compiler/Diagnostics.h"
#include "compiler/PeCompiler.h"
#include "compiler/Target.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/llm/LlmPasses.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

/// A parsed function and all that belongs to it.
class StepModule {
public:
  StepModule(const ChipSpec &spec, const std::string &text,
             const std::string &name)
      : context(registry(), MLIRContext::Threading::DISABLED),
        messages(context, name) {
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                               llvm::SMLoc());
    module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
    if (module) {
      Target::of(spec).attachTo(*module);
    }
  }

  /// Operations of llm to tile programs; with \p schedule their schedules.
  bool lower(bool schedule) {
    PassManager passes(&context);
    passes.addPass(createLlmToGridPass());
    if (schedule) {
      passes.addPass(createSchedulePass());
    }
    return module && succeeded(checkResult()) && succeeded(passes.run(*module));
  }

  chipwright::Diagnostic error() const {
    return messages.error(ExitDoesNotFit);
  }

  /// The result of the function is that of the operation before its end.
  LogicalResult checkResult() {
    auto function = module->lookupSymbol<func::FuncOp>("step");
    if (!function || function.isExternal()) {
      return module->emitError("has no function @step of llm operations");
    }
    Operation *end = function.getBody().front().getTerminator();
    Operation *last = end->getPrevNode();
    if (!last || last->getNumResults() == 0 || end->getNumOperands() != 1 ||
        end->getOperand(0) != last->getResult(0)) {
      return end->emitOpError("expected the first result of the operation "
                              "before it, and nothing else");
    }
    return success();
  }

  static DialectRegistry registry() {
    DialectRegistry result;
    compiler::registerPeCompiler(result);
    result.insert<llm::LlmDialect>();
    return result;
  }

  MLIRContext context;
  compiler::Messages messages;
  OwningOpRef<ModuleOp> module;
};

/// Fills a package from the launches of a module.
class StepPackager {
public:
  StepPackager(Package &package, ModuleOp module, const ChipSpec &spec)
      : package(package), module(module), spec(spec) {}

  LogicalResult run() {
    StepOp step = *module.getOps<StepOp>().begin();
    for (Operation &op : step.getBody().front()) {
      if (auto tensor = dyn_cast<TensorOp>(op)) {
        addBuffer(tensor);
      } else if (auto view = dyn_cast<ViewOp>(op)) {
        places[view.getBuffer()] = {
            places[view.getSource()].number,
            shapeOf(view.getBuffer().getType(), view.getSymbols())};
      } else if (auto launch = dyn_cast<LaunchOp>(op)) {
        if (failed(addLaunch(launch))) {
          return failure();
        }
      }
    }
    if (!package.launches.empty()) {
      const PackageLaunch &last = package.launches.back();
      for (const PackageLaunch::Value &value : last.results) {
        if (value.name == last.op + ".0") {
          package.buffers[static_cast<size_t>(value.buffer)].role =
              BufferRole::Output;
          return success();
        }
      }
    }
    return step.emitError("expected the last launch to write the first result "
                          "of its operation");
  }

private:
  struct Place {
    int64_t number = 0;
    std::vector<PackageSize> shape;
  };

  static std::vector<PackageSize> shapeOf(BufferType type, ArrayAttr symbols) {
    std::vector<PackageSize> shape;
    unsigned next = 0;
    for (unsigned i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamic(i)) {
        shape.push_back({type.getShape()[i], ""});
        continue;
      }
      // "tokens", or "tokens*4".
      auto [symbol, factor] =
          cast<StringAttr>(symbols[next++]).getValue().split('*');
      PackageSize size{1, symbol.str()};
      factor.getAsInteger(10, size.constant);
      shape.push_back(size);
    }
    return shape;
  }

  void addBuffer(TensorOp tensor) {
    BufferType type = tensor.getBuffer().getType();
    PackageBuffer buffer;
    buffer.name = tensor.getName().str();
    buffer.dtype = compiler::productTypeOf(type.getElementType());
    buffer.isControl = type.getControl();
    buffer.role = llvm::StringSwitch<BufferRole>(tensor.getRole())
                      .Case("weight", BufferRole::Weight)
                      .Case("input", BufferRole::Input)
                      .Default(BufferRole::Activation);
    buffer.shape = shapeOf(type, tensor.getSymbols());
    places[tensor.getBuffer()] = {static_cast<int64_t>(package.buffers.size()),
                                  buffer.shape};
    package.buffers.push_back(std::move(buffer));
  }

  LogicalResult addLaunch(LaunchOp launch) {
    FailureOr<int64_t> program = programOf(launch.getProgram());
    if (failed(program)) {
      return failure();
    }
    PackageLaunch made;
    made.op = launch.getOp().str();
    made.program = *program;
    for (Value argument : launch.getArguments()) {
      made.arguments.push_back(
          {PackageArgument::Address, places[argument].number, {}});
    }
    for (Value argument : launch.getArguments()) {
      for (const PackageSize &size : places[argument].shape) {
        if (!size.symbol.empty()) {
          made.arguments.push_back({PackageArgument::Size, 0, size});
        }
      }
    }
    for (NamedAttribute entry : launch.getWrites()) {
      StringRef number = entry.getName().getValue();
      number.consume_front("result");
      Value argument = launch.getArguments()[static_cast<unsigned>(
          cast<IntegerAttr>(entry.getValue()).getInt())];
      made.results.push_back({fmt::format("{}.{}", made.op, number.str()),
                              places[argument].number});
    }
    package.launches.push_back(std::move(made));
    return success();
  }

  /// Compiles the program the first time that it is launched.
  FailureOr<int64_t> programOf(StringRef name) {
    auto [entry, isNew] = programs.try_emplace(
        name, static_cast<int64_t>(package.programs.size()));
    if (isNew) {
      auto program = module.lookupSymbol<ProgramOp>(name);
      OwningOpRef<ModuleOp> alone = ModuleOp::create(program.getLoc());
      alone->push_back(program.clone());
      FailureOr<std::vector<uint8_t>> elf =
          compiler::compilePeModule(*alone, spec, {});
      if (failed(elf)) {
        return failure();
      }
      package.programs.push_back({name.str(), std::move(*elf)});
    }
    return entry->second;
  }

  Package &package;
  ModuleOp module;
  const ChipSpec &spec;
  llvm::DenseMap<Value, Place> places;
  llvm::StringMap<int64_t> programs;
};

} // namespace

Result<Package>
chipwright::compileStepText(const ChipSpec &spec, const std::string &text,
                            const std::string &name,
                            const std::map<std::string, int64_t> &bounds) {
  StepModule step(spec, text, name);
  Package package;
  package.bounds = bounds;
  if (!step.lower(/*schedule=*/false) ||
      failed(StepPackager(package, *step.module, spec).run())) {
    return step.error();
  }
  return package;
}

Result<std::string> chipwright::scheduledStepText(const ChipSpec &spec,
                                                  const std::string &text,
                                                  const std::string &name) {
  StepModule step(spec, text, name);
  if (!step.lower(/*schedule=*/true)) {
    return step.error();
  }
  std::string printed;
  llvm::raw_string_ostream(printed) << **step.module << "\n";
  return printed;
}
