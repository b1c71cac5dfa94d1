//===- CompileModelPackager.cpp - Launches to a package -------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/CompileModelPackager.h"

#include "compiler/PeCompiler.h"

#include "llvm/ADT/StringSwitch.h"

#include <optional>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::compiler;
using namespace chipwright::grid;

static std::optional<BufferRole> roleOf(StringRef name) {
  return llvm::StringSwitch<std::optional<BufferRole>>(name)
      .Case("weight", BufferRole::Weight)
      .Case("table", BufferRole::Table)
      .Case("input", BufferRole::Input)
      .Case("cache", BufferRole::Cache)
      .Case("activation", BufferRole::Activation)
      .Case("output", BufferRole::Output)
      .Default(std::nullopt);
}

static std::optional<BufferContent> contentOf(StringRef name) {
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
      .Case("BlockScales", BufferContent::BlockScales)
      .Default(std::nullopt);
}

/// Sizes are "tokens" or "tokens*4".
FailureOr<std::vector<PackageSize>>
Packager::shapeOf(Operation *op, BufferType type, ArrayAttr symbols) {
  std::vector<PackageSize> shape;
  unsigned next = 0;
  for (unsigned i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamic(i)) {
      shape.push_back(PackageSize{type.getShape()[i], ""});
      continue;
    }
    auto [symbol, factor] =
        cast<StringAttr>(symbols[next++]).getValue().split('*');
    PackageSize size{1, symbol.str()};
    if (!factor.empty() && factor.getAsInteger(10, size.constant)) {
      return op->emitOpError("expected a symbol such as tokens or tokens*4, "
                             "found '")
             << symbol << "*" << factor << "'";
    }
    shape.push_back(size);
  }
  return shape;
}

LogicalResult Packager::addBuffers(StepOp step) {
  for (Operation &op : step.getBody().front()) {
    if (auto tensor = dyn_cast<TensorOp>(op)) {
      if (failed(addBuffer(tensor))) {
        return failure();
      }
    } else if (auto view = dyn_cast<ViewOp>(op)) {
      auto shape = shapeOf(view, view.getBuffer().getType(), view.getSymbols());
      auto source = arguments.find(view.getSource());
      if (failed(shape)) {
        return failure();
      }
      if (source == arguments.end()) {
        return view.emitOpError("expected a buffer of grid.tensor");
      }
      int64_t buffer = source->second.buffer;
      arguments[view.getBuffer()] = {buffer, *shape};
    } else if (!isa<LaunchOp, EndOp>(op)) {
      return op.emitOpError("has no place in a step; expected grid.tensor, "
                            "grid.view and grid.launch");
    }
  }
  return success();
}

LogicalResult Packager::addBuffer(TensorOp tensor) {
  BufferType type = tensor.getBuffer().getType();
  std::optional<BufferRole> role = roleOf(tensor.getRole());
  std::optional<BufferContent> content = contentOf(tensor.getContent());
  if (!role || !content) {
    return tensor.emitOpError("has the unknown role or content '")
           << tensor.getRole() << "', '" << tensor.getContent() << "'";
  }
  auto shape = shapeOf(tensor, type, tensor.getSymbols());
  if (failed(shape)) {
    return failure();
  }
  PackageBuffer buffer;
  buffer.name = tensor.getName().str();
  buffer.dtype = productTypeOf(type.getElementType());
  buffer.isControl = type.getControl();
  buffer.role = *role;
  buffer.content = *content;
  buffer.index = static_cast<int64_t>(tensor.getIndex());
  buffer.block = static_cast<int64_t>(tensor.getBlock());
  if (*role == BufferRole::Weight) {
    StringRef parameter = tensor.getName();
    if (*content == BufferContent::RowScales ||
        *content == BufferContent::BlockScales) {
      parameter.consume_back(".scales");
    }
    buffer.parameter = parameter.str();
  }
  buffer.shape = *shape;
  arguments[tensor.getBuffer()] = {static_cast<int64_t>(package.buffers.size()),
                                   *shape};
  package.buffers.push_back(std::move(buffer));
  return success();
}

LogicalResult Packager::addLaunches(StepOp step) {
  for (LaunchOp launch : step.getBody().front().getOps<LaunchOp>()) {
    if (failed(addLaunch(launch))) {
      return failure();
    }
  }
  return success();
}

LogicalResult Packager::addLaunch(LaunchOp launch) {
  auto [program, isNew] = programs.try_emplace(
      launch.getProgram(), static_cast<int64_t>(package.programs.size()));
  if (isNew) {
    package.programs.push_back({launch.getProgram().str(), {}});
  }
  PackageLaunch made;
  made.op = launch.getOp().str();
  made.program = program->second;
  for (Value argument : launch.getArguments()) {
    made.arguments.push_back(
        {PackageArgument::Address, arguments[argument].buffer, {}});
  }
  for (Value argument : launch.getArguments()) {
    for (const PackageSize &size : arguments[argument].shape) {
      if (!size.symbol.empty()) {
        made.arguments.push_back({PackageArgument::Size, 0, size});
      }
    }
  }
  auto operands = valuesOf(launch, launch.getReads(), /*isResult=*/false);
  if (failed(operands)) {
    return failure();
  }
  auto results = valuesOf(launch, launch.getWrites(), /*isResult=*/true);
  if (failed(results)) {
    return failure();
  }
  made.operands = *operands;
  made.results = *results;
  package.launches.push_back(std::move(made));
  return success();
}

/// Names are "operand2" or "result0" and stand for the graph's values.
FailureOr<std::vector<PackageLaunch::Value>>
Packager::valuesOf(LaunchOp launch, DictionaryAttr names, bool isResult) {
  const models::Op *op = graph.findOp(launch.getOp().str());
  if (!op) {
    return launch.emitOpError("expected the name of an op of the model, "
                              "found '")
           << launch.getOp() << "'; name the model that the text is of";
  }
  const auto &ids = isResult ? op->results : op->operands;
  std::vector<PackageLaunch::Value> list;
  for (NamedAttribute entry : names) {
    StringRef position = entry.getName().getValue();
    size_t number = 0;
    auto argument = dyn_cast<IntegerAttr>(entry.getValue());
    bool isGood =
        position.consume_front(isResult ? "result" : "operand") &&
        !position.getAsInteger(10, number) && argument &&
        argument.getType().isSignlessInteger(64) && argument.getInt() >= 0 &&
        argument.getInt() < static_cast<int64_t>(launch.getArguments().size());
    if (!isGood) {
      return launch.emitOpError("expected values such as ")
             << (isResult ? "result0" : "operand0")
             << " and the numbers of arguments, found "
             << entry.getName().getValue() << " = " << entry.getValue();
    }
    // Operations of llm have weights and tables as operands too.
    if (number < ids.size()) {
      Value value =
          launch.getArguments()[static_cast<unsigned>(argument.getInt())];
      list.push_back({graph.values[static_cast<size_t>(ids[number])].name,
                      arguments[value].buffer});
    }
  }
  return list;
}
