//===- ImportGraph.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/ImportGraph.h"

#include "compiler/llm/OpPrograms.h"
#include "dialects/llm/Llm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <fmt/format.h>

#include <map>

using namespace mlir;
using namespace chipwright;
using ModelOp = models::Op;
using models::OpKind;
using models::StepInput;

namespace {

class Importer {
public:
  Importer(const models::Graph &graph, Type product, int64_t positions)
      : graph(graph), b(product.getContext()), product(product),
        positions(positions), loc(b.getUnknownLoc()) {}

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    b.setInsertionPointToEnd(module->getBody());
    function = func::FuncOp::create(b, loc, "step", b.getFunctionType({}, {}));
    body = function.addEntryBlock();
    b.setInsertionPointToEnd(body);
    findProducts();
    addInputs();
    for (const ModelOp &op : graph.ops) {
      if (failed(import(op))) {
        return {};
      }
    }
    func::ReturnOp::create(b, loc, values[at(graph.logits)]);
    function.setType(b.getFunctionType(body->getArgumentTypes(),
                                       values[at(graph.logits)].getType()));
    for (auto [i, attributes] : llvm::enumerate(arguments)) {
      function.setArgAttrs(static_cast<unsigned>(i), attributes);
    }
    return module;
  }

private:
  static size_t at(int32_t id) { return static_cast<size_t>(id); }

  /// Values that are operands of products.
  void findProducts() {
    isProduct.assign(graph.values.size(), false);
    for (const ModelOp &op : graph.ops) {
      size_t count =
          op.kind == OpKind::Attention ? 3
          : op.kind == OpKind::Linear || op.kind == OpKind::HeadLinear ||
                  op.kind == OpKind::Router || op.kind == OpKind::Logits ||
                  op.kind == OpKind::Experts
              ? 1
              : 0;
      for (size_t i = 0; i < count; ++i) {
        isProduct[at(op.operands[i])] = true;
      }
      if (op.kind == OpKind::Attention && op.operands.size() > 6) {
        isProduct[at(op.operands[6])] = true;
      }
    }
  }

  RankedTensorType tensor(int64_t rows, int64_t cols, Type element) {
    return RankedTensorType::get({rows, cols}, element);
  }
  static constexpr int64_t kAny = ShapedType::kDynamic;

  Value addArgument(RankedTensorType type, StringRef name, StringRef role,
                    StringRef content, StringRef symbol, int64_t index = 0,
                    int64_t block = 0) {
    arguments.push_back(
        {b.getNamedAttr("llm.name", b.getStringAttr(name)),
         b.getNamedAttr("llm.role", b.getStringAttr(role)),
         b.getNamedAttr("llm.input", b.getStringAttr(content)),
         b.getNamedAttr("llm.symbol", b.getStringAttr(symbol)),
         b.getNamedAttr("llm.index", b.getI64IntegerAttr(index)),
         b.getNamedAttr("llm.block", b.getI64IntegerAttr(block))});
    return body->addArgument(type, loc);
  }

  void addInputs() {
    Type i32 = b.getI32Type();
    values.resize(graph.values.size());
    for (const models::Value &value : graph.values) {
      switch (value.input) {
      case StepInput::TokenIds:
        values[at(value.id)] = addArgument(tensor(kAny, 1, i32), "ids", "input",
                                           "TokenIds", "tokens");
        break;
      case StepInput::Positions:
        values[at(value.id)] = addArgument(tensor(kAny, 1, i32), "positions",
                                           "input", "Positions", "tokens");
        break;
      case StepInput::Slots:
        values[at(value.id)] = addArgument(tensor(kAny, 1, i32), "slots",
                                           "input", "Slots", "tokens");
        break;
      case StepInput::OutputRows:
        values[at(value.id)] = addArgument(tensor(kAny, 1, i32), "rows",
                                           "input", "OutputRows", "outputs");
        break;
      default:
        break;
      }
    }
    for (size_t i = 0; i < graph.masks.size(); ++i) {
      auto index = static_cast<int64_t>(i);
      bounds.push_back(addArgument(tensor(kAny, 2, i32),
                                   fmt::format("bounds{}", i), "input",
                                   "MaskBounds", "tokens", index));
      work.push_back(addArgument(tensor(kAny, 4, i32), fmt::format("work{}", i),
                                 "input", "AttentionWork",
                                 fmt::format("entries.{}", i), index,
                                 kAttentionBlock));
    }
    for (int32_t i = 0; i < graph.caches; ++i) {
      keys.push_back(addArgument(tensor(kAny, graph.cacheColumns, product),
                                 fmt::format("keys{}", i), "cache", "", "slots",
                                 i));
      cached.push_back(addArgument(tensor(kAny, graph.valueColumns, product),
                                   fmt::format("values{}", i), "cache", "",
                                   "slots", i));
    }
  }

  /// The parameters from \p first on, in f32.
  SmallVector<Value> biases(const ModelOp &op, size_t first) {
    SmallVector<Value> values;
    for (size_t i = first; i < op.parameters.size(); ++i) {
      values.push_back(parameter(op, i, b.getF32Type()));
    }
    return values;
  }

  Value parameter(const ModelOp &op, size_t i, Type element) {
    const models::Parameter &p = graph.parameters[at(op.parameters[i])];
    Value &made = parameters[{p.id, element.getAsOpaquePointer()}];
    if (!made) { // tied embeddings have two uses
      made = makeParameter(p, element);
    }
    return made;
  }

  Value makeParameter(const models::Parameter &p, Type element) {
    SmallVector<int64_t> shape(p.shape.begin(), p.shape.end());
    if (shape.size() == 1) {
      shape.insert(shape.begin(), 1);
    }
    return llm::ParameterOp::create(
        b, loc, RankedTensorType::get(shape, element), b.getStringAttr(p.name));
  }

  Value operand(const ModelOp &op, size_t i) {
    return values[at(op.operands[i])];
  }

  /// The type of a result; `index` for chosen experts.
  RankedTensorType resultType(const ModelOp &op, size_t i) {
    const models::Value &value = graph.values[at(op.results[i])];
    Type element = value.element == models::ElementKind::Index ? b.getI32Type()
                   : isProduct[at(value.id)] ? product
                                             : Type(b.getF32Type());
    return tensor(kAny, value.shape[1].size, element);
  }

  void define(const ModelOp &op, Operation *made) {
    for (size_t i = 0; i < op.results.size(); ++i) {
      values[at(op.results[i])] = made->getResult(static_cast<unsigned>(i));
    }
  }

  /// Equal factors share a table.
  Value temperatureTable(const models::TemperatureConfig &config) {
    for (auto &[known, table] : temperatures) {
      if (known == config) {
        return table;
      }
    }
    auto number = static_cast<int64_t>(temperatures.size());
    Value table = addArgument(tensor(positions, 1, b.getF32Type()),
                              fmt::format("temperatures{}", number), "table",
                              "Temperatures", "", number);
    temperatures.emplace_back(config, table);
    return table;
  }

  static StringRef scoreName(models::RouterScore score) {
    switch (score) {
    case models::RouterScore::SigmoidOnInput:
    case models::RouterScore::Sigmoid:
      break;
    case models::RouterScore::Softmax:
      return "softmax";
    case models::RouterScore::SoftmaxOfChosen:
      return "softmax_of_chosen";
    }
    return "sigmoid";
  }

  void importRouter(const ModelOp &op, StringAttr name) {
    const auto &a = std::get<models::RouterAttributes>(op.attributes);
    const models::RouterConfig &more = a.more;
    define(op,
           llm::RouterOp::create(
               b, loc, resultType(op, 0), resultType(op, 1), resultType(op, 2),
               more.choiceBias ? Type(resultType(op, 3)) : Type(),
               operand(op, 0), parameter(op, 0, product), biases(op, 1),
               b.getI64IntegerAttr(a.chosen),
               b.getStringAttr(scoreName(a.score)),
               b.getBoolAttr(more.choiceBias), b.getI64IntegerAttr(more.groups),
               b.getI64IntegerAttr(more.keptGroups),
               b.getBoolAttr(more.normalised), b.getF64FloatAttr(more.scale),
               name));
  }

  LogicalResult import(const ModelOp &op) {
    loc = NameLoc::get(b.getStringAttr(op.name));
    Type f32 = b.getF32Type();
    auto name = b.getStringAttr(op.name);
    switch (op.kind) {
    case OpKind::Embedding:
      define(op,
             llm::EmbeddingOp::create(b, loc, resultType(op, 0), operand(op, 0),
                                      parameter(op, 0, product), name));
      return success();
    case OpKind::RmsNorm: {
      const auto &a = std::get<models::RmsNormAttributes>(op.attributes);
      Value weight = op.parameters.empty() ? Value() : parameter(op, 0, f32);
      define(op,
             llm::RmsNormOp::create(b, loc, resultType(op, 0), operand(op, 0),
                                    weight, b.getF64FloatAttr(a.epsilon),
                                    b.getI64IntegerAttr(a.group), name));
      return success();
    }
    case OpKind::Linear:
      define(op, llm::LinearOp::create(
                     b, loc, resultType(op, 0), operand(op, 0),
                     parameter(op, 0, product),
                     op.parameters.size() > 1 ? parameter(op, 1, f32) : Value(),
                     name));
      return success();
    case OpKind::HeadLinear: {
      const auto &a = std::get<models::HeadLinearAttributes>(op.attributes);
      define(op, llm::HeadLinearOp::create(b, loc, resultType(op, 0),
                                           operand(op, 0),
                                           parameter(op, 0, product),
                                           b.getI64IntegerAttr(a.heads), name));
      return success();
    }
    case OpKind::Rope: {
      const auto &a = std::get<models::RopeAttributes>(op.attributes);
      if (a.pairing != models::RopePairing::Neighbours) {
        return emitError(loc, "rotates pairs that are not neighbours; permute "
                              "the weights when they are read");
      }
      // Equal rotations share a table.
      Value &table = ropeTables[{a.inverseFrequencies, a.magnitude}];
      if (!table) {
        auto number = static_cast<int64_t>(ropeTables.size()) - 1;
        table = addArgument(tensor(positions, 2 * a.headSize, f32),
                            fmt::format("rope{}", number), "table", "RopeTable",
                            "", number);
      }
      define(op, llm::RopeOp::create(b, loc, resultType(op, 0), operand(op, 0),
                                     operand(op, 1), table,
                                     b.getI64IntegerAttr(a.headSize), name));
      return success();
    }
    case OpKind::Temperature: {
      const auto &a = std::get<models::TemperatureAttributes>(op.attributes);
      define(op, llm::TemperatureOp::create(b, loc, resultType(op, 0),
                                            operand(op, 0), operand(op, 1),
                                            temperatureTable(a.config), name));
      return success();
    }
    case OpKind::Attention: {
      const auto &a = std::get<models::AttentionAttributes>(op.attributes);
      SmallVector<Value> more = biases(op, 0);
      if (a.rotarySize > 0) {
        more.insert(more.begin(), operand(op, 6));
      }
      define(op,
             llm::AttentionOp::create(
                 b, loc, resultType(op, 0), operand(op, 0), operand(op, 1),
                 operand(op, 2), operand(op, 3), bounds[at(a.mask)],
                 work[at(a.mask)], keys[at(a.cache)], cached[at(a.cache)], more,
                 b.getI64IntegerAttr(a.heads), b.getI64IntegerAttr(a.kvHeads),
                 b.getI64IntegerAttr(a.headSize),
                 b.getI64IntegerAttr(a.rotarySize), b.getF64FloatAttr(a.scale),
                 name));
      return success();
    }
    case OpKind::Router:
      importRouter(op, name);
      return success();
    case OpKind::Experts: {
      const auto &a = std::get<models::ExpertsAttributes>(op.attributes);
      bool isClamped = a.activation.kind == models::Activation::ClampedSwiglu;
      define(op, llm::ExpertsOp::create(
                     b, loc, resultType(op, 0), operand(op, 0), operand(op, 1),
                     operand(op, 2), parameter(op, 0, product),
                     parameter(op, 1, product), parameter(op, 2, product),
                     biases(op, 3), b.getBoolAttr(models::scalesInput(a.score)),
                     b.getF64FloatAttr(isClamped ? a.activation.limit : 0),
                     b.getF64FloatAttr(a.activation.alpha), name));
      return success();
    }
    case OpKind::SigmoidMul:
      define(op,
             llm::SigmoidMulOp::create(b, loc, resultType(op, 0),
                                       operand(op, 0), operand(op, 1), name));
      return success();
    case OpKind::SiluMul:
      define(op, llm::SiluMulOp::create(b, loc, resultType(op, 0),
                                        operand(op, 0), operand(op, 1), name));
      return success();
    case OpKind::Add:
      define(op, llm::AddOp::create(b, loc, resultType(op, 0), operand(op, 0),
                                    operand(op, 1), name));
      return success();
    case OpKind::Logits: {
      const auto *a = std::get_if<models::LogitsAttributes>(&op.attributes);
      define(op,
             llm::LogitsOp::create(b, loc, resultType(op, 0), operand(op, 0),
                                   operand(op, 1), parameter(op, 0, product),
                                   b.getF64FloatAttr(a ? a->scale : 1),
                                   b.getF64FloatAttr(a ? a->cap : 0), name));
      return success();
    }
    }
    return emitError(loc, "is an operation that the llm dialect lacks");
  }

  const models::Graph &graph;
  OpBuilder b;
  Type product;
  int64_t positions;
  Location loc;
  func::FuncOp function;
  Block *body = nullptr;
  std::vector<SmallVector<NamedAttribute>> arguments;
  std::vector<bool> isProduct;
  std::vector<Value> values, bounds, work, keys, cached;
  std::map<std::pair<std::vector<float>, double>, Value> ropeTables;
  std::map<std::pair<models::ParameterId, const void *>, Value> parameters;
  std::vector<std::pair<models::TemperatureConfig, Value>> temperatures;
};

} // namespace

OwningOpRef<ModuleOp> chipwright::importGraph(const models::Graph &graph,
                                              Type product, int64_t positions) {
  return Importer(graph, product, positions).run();
}
