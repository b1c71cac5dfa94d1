//===- CompileModel.cpp - A model's graph to a package --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/CompileModel.h"

#include "compiler/Diagnostics.h"
#include "compiler/PeCompiler.h"
#include "compiler/Target.h"
#include "compiler/grid/GridPasses.h"
#include "compiler/llm/ImportGraph.h"
#include "compiler/llm/LlmPasses.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

#include <fmt/format.h>

#include <optional>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

namespace {

DType dtypeOf(Type element) {
  if (element.isF16()) {
    return DType::F16;
  }
  if (element.isBF16()) {
    return DType::BF16;
  }
  if (element.isInteger(32)) {
    return DType::I32;
  }
  return DType::F32;
}

std::optional<BufferRole> roleOf(StringRef name) {
  return llvm::StringSwitch<std::optional<BufferRole>>(name)
      .Case("weight", BufferRole::Weight)
      .Case("table", BufferRole::Table)
      .Case("input", BufferRole::Input)
      .Case("cache", BufferRole::Cache)
      .Case("activation", BufferRole::Activation)
      .Case("output", BufferRole::Output)
      .Default(std::nullopt);
}

std::optional<BufferContent> contentOf(StringRef name) {
  return llvm::StringSwitch<std::optional<BufferContent>>(name)
      .Case("", BufferContent::None)
      .Case("TokenIds", BufferContent::TokenIds)
      .Case("Positions", BufferContent::Positions)
      .Case("Slots", BufferContent::Slots)
      .Case("OutputRows", BufferContent::OutputRows)
      .Case("MaskBounds", BufferContent::MaskBounds)
      .Case("AttentionWork", BufferContent::AttentionWork)
      .Case("RopeTable", BufferContent::RopeTable)
      .Case("Temperatures", BufferContent::Temperatures)
      .Case("RowScales", BufferContent::RowScales)
      .Default(std::nullopt);
}

/// Fills a package from the launches of a module.
class Packager {
public:
  Packager(Package &package, ModuleOp module, const CompileRequest &request)
      : package(package), module(module), request(request) {}

  LogicalResult run() {
    StepOp step = *module.getOps<StepOp>().begin();
    for (Operation &op : step.getBody().front()) {
      if (auto tensor = dyn_cast<TensorOp>(op)) {
        if (failed(addBuffer(tensor))) {
          return failure();
        }
      } else if (auto view = dyn_cast<ViewOp>(op)) {
        numbers[view.getBuffer()] = numbers[view.getSource()];
        shapes[view.getBuffer()] =
            shapeOf(view.getBuffer().getType(), view.getSymbols());
      } else if (auto launch = dyn_cast<LaunchOp>(op)) {
        if (failed(addLaunch(launch))) {
          return failure();
        }
      }
    }
    return success();
  }

private:
  /// "tokens", or "tokens*4".
  static PackageSize sizeOf(StringRef text) {
    auto [symbol, factor] = text.split('*');
    PackageSize size{1, symbol.str()};
    factor.getAsInteger(10, size.constant);
    return size;
  }

  static std::vector<PackageSize> shapeOf(BufferType type, ArrayAttr symbols) {
    std::vector<PackageSize> shape;
    unsigned next = 0;
    for (unsigned i = 0; i < type.getRank(); ++i) {
      shape.push_back(type.isDynamic(i)
                          ? sizeOf(cast<StringAttr>(symbols[next++]).getValue())
                          : PackageSize{type.getShape()[i], ""});
    }
    return shape;
  }

  LogicalResult addBuffer(TensorOp tensor) {
    BufferType type = tensor.getBuffer().getType();
    std::optional<BufferRole> role = roleOf(tensor.getRole());
    std::optional<BufferContent> content = contentOf(tensor.getContent());
    if (!role || !content) {
      return tensor.emitOpError("has the unknown role or content '")
             << tensor.getRole() << "', '" << tensor.getContent() << "'";
    }
    PackageBuffer buffer;
    buffer.name = tensor.getName().str();
    buffer.dtype = dtypeOf(type.getElementType());
    buffer.isControl = type.getControl();
    buffer.role = *role;
    buffer.content = *content;
    buffer.index = static_cast<int64_t>(tensor.getIndex());
    buffer.block = static_cast<int64_t>(tensor.getBlock());
    if (*role == BufferRole::Weight) {
      buffer.parameter = buffer.name;
    }
    buffer.shape = shapeOf(type, tensor.getSymbols());
    shapes[tensor.getBuffer()] = buffer.shape;
    numbers[tensor.getBuffer()] = static_cast<int64_t>(package.buffers.size());
    package.buffers.push_back(std::move(buffer));
    return success();
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
          {PackageArgument::Address, numbers[argument], {}});
    }
    for (Value argument : launch.getArguments()) {
      for (const PackageSize &size : shapes[argument]) {
        if (!size.symbol.empty()) {
          made.arguments.push_back({PackageArgument::Size, 0, size});
        }
      }
    }
    auto values = [&](DictionaryAttr names, bool isResult) {
      std::vector<PackageLaunch::Value> list;
      const models::Op *op = request.graph->findOp(launch.getOp().str());
      for (NamedAttribute entry : names) {
        StringRef position = entry.getName().getValue();
        position.consume_front(isResult ? "result" : "operand");
        size_t number = 0;
        position.getAsInteger(10, number);
        const auto &ids = isResult ? op->results : op->operands;
        if (op && number < ids.size()) {
          Value argument = launch.getArguments()[static_cast<unsigned>(
              cast<IntegerAttr>(entry.getValue()).getInt())];
          list.push_back(
              {request.graph->values[static_cast<size_t>(ids[number])].name,
               numbers[argument]});
        }
      }
      return list;
    };
    made.operands = values(launch.getReads(), false);
    made.results = values(launch.getWrites(), true);
    package.launches.push_back(std::move(made));
    return success();
  }

  /// Compiles the program the first time that it is launched.
  FailureOr<int64_t> programOf(StringRef name) {
    auto [entry, isNew] = programs.try_emplace(
        name, static_cast<int64_t>(package.programs.size()));
    if (!isNew) {
      return entry->second;
    }
    auto program = module.lookupSymbol<ProgramOp>(name);
    OwningOpRef<ModuleOp> alone = ModuleOp::create(program.getLoc());
    alone->push_back(program.clone());
    FailureOr<std::vector<uint8_t>> elf =
        compiler::compilePeModule(*alone, request.chip->spec, {});
    if (failed(elf)) {
      return failure();
    }
    package.programs.push_back({name.str(), std::move(*elf)});
    return entry->second;
  }

  Package &package;
  ModuleOp module;
  const CompileRequest &request;
  llvm::DenseMap<Value, int64_t> numbers;
  llvm::DenseMap<Value, std::vector<PackageSize>> shapes;
  llvm::StringMap<int64_t> programs;
};

uint64_t hashOf(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char c : text) {
    hash = (hash ^ c) * 0x100000001b3;
  }
  return hash;
}

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  return text;
}

/// The commands of every program, one module each.
Result<CompileResult> commandsOf(ModuleOp module,
                                 const compiler::Messages &messages) {
  CompileResult result;
  for (ProgramOp program : module.getOps<ProgramOp>()) {
    OwningOpRef<ModuleOp> alone = ModuleOp::create(program.getLoc());
    (*alone)->setAttrs(module->getAttrs());
    alone->push_back(program.clone());
    PassManager passes(module.getContext());
    buildGridToCommandsPipeline(passes);
    if (failed(passes.run(*alone))) {
      return messages.error(ExitDoesNotFit);
    }
    result.text +=
        fmt::format("{}// {}\n{}\n", result.text.empty() ? "" : "// -----\n",
                    program.getSymName().str(), textOf(*alone));
  }
  return result;
}

} // namespace

Result<CompileResult> chipwright::compileModel(const CompileRequest &request) {
  const ChipSpec &spec = request.chip->spec;
  DialectRegistry registry;
  compiler::registerPeCompiler(registry);
  registry.insert<llm::LlmDialect>();
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  compiler::Messages messages(context, "the model");
  Type product = request.productType == DType::F16
                     ? Type(Float16Type::get(&context))
                     : Type(BFloat16Type::get(&context));
  if (spec.peakFlops(request.productType) == 0) {
    return chipwright::Diagnostic{
        fmt::format("the DPE of {} does not multiply {} (dpe.dtypes); compile "
                    "for another type",
                    spec.name, dtypeName(request.productType)),
        ExitDoesNotFit};
  }
  OwningOpRef<ModuleOp> module =
      importGraph(*request.graph, product, request.maxContext);
  if (!module) {
    return messages.error(ExitBadInput);
  }
  Target::of(spec).attachTo(*module);
  CompileResult result;
  if (request.stopAfter == "llm") {
    result.text = textOf(*module);
    return result;
  }
  PassManager passes(&context);
  passes.addPass(createLlmToGridPass());
  if (request.stopAfter == "program" || request.stopAfter == "pe") {
    passes.addPass(createSchedulePass());
  }
  if (request.stopAfter == "program") {
    passes.nest<ProgramOp>().addPass(createExpandPass());
  }
  if (failed(passes.run(*module))) {
    return messages.error(ExitDoesNotFit);
  }
  if (request.stopAfter == "grid" || request.stopAfter == "program") {
    result.text = textOf(*module);
    return result;
  }
  if (request.stopAfter == "pe") {
    return commandsOf(*module, messages);
  }
  Package &package = result.package;
  package.toolVersion = CHIPWRIGHT_VERSION;
  package.chip = spec.name;
  package.architecturalFingerprint = request.chip->architecturalFingerprint();
  package.timingFingerprint = request.chip->timingFingerprint();
  package.modelHash = hashOf(models::printGraph(*request.graph));
  package.modelType = request.graph->modelType;
  package.productType = request.productType;
  const int64_t perSequence = (request.maxContext + 127) / 128 * 128;
  package.bounds = {{"tokens", request.maxTokens},
                    {"batch", request.maxBatch},
                    {"context", request.maxContext},
                    {"outputs", request.maxTokens},
                    {"slots", perSequence * request.maxBatch}};
  for (size_t i = 0; i < request.graph->masks.size(); ++i) {
    // Each token could be a block of its own.
    package.bounds[fmt::format("entries.{}", i)] = request.maxTokens;
  }
  if (failed(Packager(package, *module, request).run())) {
    return messages.error(ExitDoesNotFit);
  }
  return result;
}
