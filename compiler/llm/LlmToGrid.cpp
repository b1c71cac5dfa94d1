//===- LlmToGrid.cpp - A model's operations to tile programs --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/LlmPasses.h"
#include "compiler/llm/OpPrograms.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"

#include <fmt/format.h>

#include <map>

namespace chipwright {
#define GEN_PASS_DEF_LLMTOGRIDPASS
#include "compiler/llm/LlmPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/llm/LlmPasses.h.inc"
} // namespace chipwright

using namespace mlir;
using namespace chipwright;
using namespace chipwright::grid;

void chipwright::registerLlmPasses() { registerChipwrightLlmPasses(); }

namespace {

/// Buffers of values, with reuse: a buffer goes back to the pool of its shape
/// when its value has been read for the last time.
class BufferPool {
public:
  BufferPool(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  Value take(const std::string &type, ArrayRef<std::string> symbols) {
    std::string key = keyOf(type, symbols);
    std::vector<Value> &free = pool[key];
    if (!free.empty()) {
      Value buffer = free.back();
      free.pop_back();
      return buffer;
    }
    return make(fmt::format("activation{}", count++), "activation", type,
                symbols, "", 0, 0);
  }

  void give(Value buffer) { pool[keys[buffer]].push_back(buffer); }

  Value make(const std::string &name, const std::string &role,
             const std::string &type, ArrayRef<std::string> symbols,
             const std::string &content, int64_t index, int64_t block) {
    SmallVector<Attribute> names;
    for (const std::string &symbol : symbols) {
      names.push_back(b.getStringAttr(symbol));
    }
    Type parsed = mlir::parseType(type, b.getContext());
    Value buffer = TensorOp::create(
        b, loc, parsed, b.getStringAttr(name), b.getStringAttr(role),
        b.getArrayAttr(names), b.getStringAttr(content),
        b.getI64IntegerAttr(index), b.getI64IntegerAttr(block));
    keys[buffer] = keyOf(type, symbols);
    return buffer;
  }

private:
  static std::string keyOf(const std::string &type,
                           ArrayRef<std::string> symbols) {
    return type + "/" + llvm::join(symbols, ",");
  }

  OpBuilder &b;
  Location loc;
  std::map<std::string, std::vector<Value>> pool;
  llvm::DenseMap<Value, std::string> keys;
  int count = 0;
};

class LlmToGrid : public chipwright::impl::LlmToGridPassBase<LlmToGrid> {
public:
  using LlmToGridPassBase::LlmToGridPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto function = module.lookupSymbol<func::FuncOp>("step");
    FailureOr<Target> target = Target::of(module);
    if (failed(target)) {
      return signalPassFailure();
    }
    if (!function) {
      module.emitError("has no function @step of llm operations");
      return signalPassFailure();
    }
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(module.getBody());
    auto step = StepOp::create(builder, function.getLoc(), "launches");
    Block *body = builder.createBlock(&step.getBody());
    builder.setInsertionPointToEnd(body);
    EndOp::create(builder, function.getLoc());
    builder.setInsertionPointToStart(body);
    if (failed(lower(function, *target, builder, module))) {
      return signalPassFailure();
    }
    function.erase();
  }

private:
  LogicalResult lower(func::FuncOp function, const Target &target,
                      OpBuilder &builder, ModuleOp module) {
    BufferPool buffers(builder, function.getLoc());
    llvm::DenseMap<Value, Value> bufferOf;
    llvm::DenseMap<Value, SmallVector<std::string>> symbolsOf;
    for (BlockArgument argument : function.getArguments()) {
      auto text = [&](StringRef name) {
        auto value = function.getArgAttrOfType<StringAttr>(
            argument.getArgNumber(), name);
        return value ? value.str() : std::string();
      };
      auto number = [&](StringRef name) {
        auto value = function.getArgAttrOfType<IntegerAttr>(
            argument.getArgNumber(), name);
        return value ? value.getInt() : 0;
      };
      SmallVector<std::string> symbols;
      if (!text("llm.symbol").empty()) {
        symbols.push_back(text("llm.symbol"));
      }
      symbolsOf[argument] = symbols;
      bufferOf[argument] = buffers.make(
          text("llm.name"), text("llm.role"), bufferTypeOf(argument), symbols,
          text("llm.input"), number("llm.index"), number("llm.block"));
    }

    // Where each value is read last.
    llvm::DenseMap<Operation *, SmallVector<Value>> dying;
    Block &body = function.getBody().front();
    for (Operation &op : body) {
      for (Value result : op.getResults()) {
        Operation *last = nullptr;
        for (Operation *user : result.getUsers()) {
          if (!last || last->isBeforeInBlock(user)) {
            last = user;
          }
        }
        dying[last ? last : &op].push_back(result);
      }
    }

    OpPrograms programs(target);
    std::map<std::string, std::string> made; // text to name
    std::map<std::string, int> numbers;
    for (Operation &op : body.without_terminator()) {
      if (auto parameter = dyn_cast<llm::ParameterOp>(op)) {
        bool isScales = parameter.getScales();
        bool isOfRows = cast<RankedTensorType>(parameter.getValue().getType())
                            .getElementType()
                            .isF32();
        bufferOf[parameter.getValue()] = buffers.make(
            parameter.getParameter().str() + (isScales ? ".scales" : ""),
            "weight", bufferTypeOf(parameter.getValue()), {},
            !isScales  ? ""
            : isOfRows ? "RowScales"
                       : "BlockScales",
            0, 0);
        continue;
      }
      FailureOr<std::vector<LaunchText>> launches = programs.of(&op);
      if (failed(launches)) {
        return failure();
      }
      for (auto [i, result] : llvm::enumerate(op.getResults())) {
        auto type = cast<RankedTensorType>(result.getType());
        bool isOutput = isa<llm::LogitsOp>(op);
        SmallVector<std::string> symbols = {isOutput ? "outputs" : "tokens"};
        if (!type.isDynamicDim(0)) {
          symbols.clear();
        }
        bufferOf[result] =
            isOutput ? buffers.make("logits", "output", bufferTypeOf(result),
                                    symbols, "", 0, 0)
                     : buffers.take(bufferTypeOf(result), symbols);
      }
      std::map<std::string, Value> temporaries;
      for (const auto &[name, tensor] : programs.temporaries()) {
        temporaries[name] = buffers.take(tensor.type, tensor.symbols);
      }
      for (LaunchText &launch : *launches) {
        if (failed(emit(launch, op, bufferOf, temporaries, made, numbers,
                        builder, module))) {
          return failure();
        }
      }
      for (auto &[name, buffer] : temporaries) {
        buffers.give(buffer);
      }
      for (Value value : dying[&op]) {
        if (!value.getDefiningOp<llm::ParameterOp>() &&
            !isa<llm::LogitsOp>(value.getDefiningOp())) {
          buffers.give(bufferOf[value]);
        }
      }
    }
    return success();
  }

  static LogicalResult emit(LaunchText &launch, Operation &op,
                            llvm::DenseMap<Value, Value> &bufferOf,
                            std::map<std::string, Value> &temporaries,
                            std::map<std::string, std::string> &made,
                            std::map<std::string, int> &numbers,
                            OpBuilder &builder, ModuleOp module) {
    std::string anonymous = launch.program.print("program");
    std::string &name = made[anonymous];
    if (name.empty()) {
      name = fmt::format("{}_{}", launch.kind, numbers[launch.kind]++);
      OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(
          launch.program.print(name), builder.getContext(), name);
      if (!parsed) {
        return op.emitOpError("made a tile program that does not parse");
      }
      Operation *program = &parsed->getBody()->front();
      program->remove();
      program->setAttr("tag", builder.getStringAttr(launch.kind));
      module.push_back(program);
    }
    SmallVector<Value> arguments;
    SmallVector<NamedAttribute> reads, writes;
    for (auto [i, argument] : llvm::enumerate(launch.arguments)) {
      auto index = builder.getI64IntegerAttr(static_cast<int64_t>(i));
      Value buffer = argument.value ? bufferOf[argument.value]
                                    : temporaries[argument.temporary];
      if (!argument.viewType.empty()) {
        SmallVector<Attribute> symbols;
        for (const std::string &symbol : argument.viewSymbols) {
          symbols.push_back(builder.getStringAttr(symbol));
        }
        buffer = ViewOp::create(
            builder, op.getLoc(),
            mlir::parseType(argument.viewType, builder.getContext()), buffer,
            builder.getArrayAttr(symbols));
      }
      arguments.push_back(buffer);
      if (!argument.value) {
        continue;
      }
      // Values are called as operand or result number of the operation.
      for (OpResult result : op.getResults()) {
        if (result == argument.value) {
          writes.push_back(builder.getNamedAttr(
              fmt::format("result{}", result.getResultNumber()), index));
        }
      }
      for (OpOperand &operand : op.getOpOperands()) {
        if (operand.get() == argument.value) {
          reads.push_back(builder.getNamedAttr(
              fmt::format("operand{}", operand.getOperandNumber()), index));
        }
      }
    }
    LaunchOp::create(builder, op.getLoc(),
                     FlatSymbolRefAttr::get(builder.getContext(), name),
                     arguments, op.getAttrOfType<StringAttr>("name"),
                     builder.getDictionaryAttr(reads),
                     builder.getDictionaryAttr(writes));
    return success();
  }
};

} // namespace
