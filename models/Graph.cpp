//===- Graph.cpp - Checks and text form of graphs ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace chipwright::models {

namespace {

constexpr std::array<std::string_view, 13> kindNames = {
    "embedding", "rms_norm",    "linear",     "rope",     "temperature",
    "attention", "router",      "experts",    "silu_mul", "add",
    "logits",    "head_linear", "sigmoid_mul"};

std::string printShape(const Value &value) {
  std::string text = value.element == ElementKind::Real ? "f[" : "i[";
  for (size_t i = 0; i < value.shape.size(); ++i) {
    const Dim &dim = value.shape[i];
    text += i ? "," : "";
    text += dim.kind == Dim::Tokens    ? "tokens"
            : dim.kind == Dim::Outputs ? "outputs"
                                       : std::to_string(dim.size);
  }
  return text + "]";
}

std::string printMask(const AttentionMask &mask) {
  switch (mask.kind) {
  case MaskKind::Causal:
    break;
  case MaskKind::Chunked:
    return fmt::format("chunked({})", mask.chunk);
  case MaskKind::Sliding:
    return fmt::format("sliding({})", mask.chunk);
  }
  return "causal";
}

std::string_view scoreName(RouterScore score) {
  switch (score) {
  case RouterScore::SigmoidOnInput:
    return "sigmoid on input";
  case RouterScore::Sigmoid:
    return "sigmoid";
  case RouterScore::Softmax:
    return "softmax";
  case RouterScore::SoftmaxOfChosen:
    break;
  }
  return "softmax of chosen";
}

/// ", NAME VALUE", or nothing where \p value is the usual one.
template <typename T>
std::string unless(const T &usual, std::string_view name, const T &value) {
  return value == usual ? "" : fmt::format(", {} {}", name, value);
}

struct AttributePrinter {
  const Graph &graph;

  std::string operator()(const std::monostate & /*none*/) const { return ""; }
  std::string operator()(const RmsNormAttributes &a) const {
    return fmt::format(" <epsilon {}, group {}>", a.epsilon, a.group);
  }
  std::string operator()(const RopeAttributes &a) const {
    return fmt::format(" <neighbours, head {}, frequencies {} to {}{}>",
                       a.headSize, a.inverseFrequencies.front(),
                       a.inverseFrequencies.back(),
                       unless(1.0, "magnitude", a.magnitude));
  }
  std::string operator()(const TemperatureAttributes &a) const {
    return fmt::format(" <floor_scale {}, scale {}>", a.config.floorScale,
                       a.config.scale);
  }
  std::string operator()(const AttentionAttributes &a) const {
    return fmt::format(" <heads {}, kv_heads {}, head {}, scale {}, {}, "
                       "cache {}{}>",
                       a.heads, a.kvHeads, a.headSize, a.scale,
                       printMask(graph.masks[static_cast<size_t>(a.mask)]),
                       a.cache, unless<int64_t>(0, "rotary", a.rotarySize));
  }
  std::string operator()(const RouterAttributes &a) const {
    const RouterConfig &m = a.more;
    std::string groups = m.groups == 1 ? ""
                                       : fmt::format(", best {} of {} groups",
                                                     m.keptGroups, m.groups);
    return fmt::format(" <experts {}, chosen {}, {}{}{}{}{}{}>", a.experts,
                       a.chosen, scoreName(a.score), m.bias ? ", bias" : "",
                       m.choiceBias ? ", choice bias" : "", groups,
                       m.normalised ? ", normalised" : "",
                       unless(1.0, "scale", m.scale));
  }
  std::string operator()(const ExpertsAttributes &a) const {
    const ActivationConfig &f = a.activation;
    std::string gate =
        f.kind == Activation::Silu
            ? ""
            : fmt::format(", clamped swiglu {} {}", f.limit, f.alpha);
    return fmt::format(" <experts {}, chosen {}, width {}, {}{}>", a.experts,
                       a.chosen, a.width, scoreName(a.score), gate);
  }
  std::string operator()(const LogitsAttributes &a) const {
    std::string text =
        unless(1.0, "scale", a.scale) + unless(0.0, "cap", a.cap);
    return text.empty() ? "" : fmt::format(" <{}>", text.substr(2));
  }
  std::string operator()(const HeadLinearAttributes &a) const {
    return fmt::format(" <heads {}>", a.heads);
  }
};

/// Checks one graph; the first fault found is kept.
class Verifier {
public:
  explicit Verifier(const Graph &checked) : graph(checked) {}

  Result<void> run() {
    std::vector<bool> defined(graph.values.size(), false);
    for (size_t i = 0; i < graph.values.size(); ++i) {
      const Value &value = graph.values[i];
      if (value.id != static_cast<ValueId>(i)) {
        return fail("value", value.name, "an id out of order");
      }
      defined[i] = value.producer < 0;
      if ((value.producer < 0) != (value.input != StepInput::None)) {
        return fail("value", value.name, "both or neither of op and input");
      }
    }
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      const Op &op = graph.ops[i];
      if (op.id != static_cast<OpId>(i)) {
        return fail("op", op.name, "an id out of order");
      }
      for (ValueId id : op.operands) {
        if (!inRange(id, graph.values.size()) ||
            !defined[static_cast<size_t>(id)]) {
          return fail("op", op.name, "an operand that is not defined before");
        }
      }
      for (ParameterId id : op.parameters) {
        if (!inRange(id, graph.parameters.size())) {
          return fail("op", op.name, "a parameter that is not there");
        }
      }
      for (ValueId id : op.results) {
        if (!inRange(id, graph.values.size()) ||
            defined[static_cast<size_t>(id)] ||
            graph.values[static_cast<size_t>(id)].producer != op.id) {
          return fail("op", op.name, "a result that has another definition");
        }
        defined[static_cast<size_t>(id)] = true;
      }
      if (std::string fault = checkShapes(op); !fault.empty()) {
        return fail("op", op.name, fault);
      }
    }
    if (!inRange(graph.logits, graph.values.size()) ||
        !defined[static_cast<size_t>(graph.logits)]) {
      return fail("graph", graph.modelType, "no logits");
    }
    return {};
  }

private:
  static bool inRange(int32_t id, size_t size) {
    return id >= 0 && static_cast<size_t>(id) < size;
  }

  static Diagnostic fail(std::string_view what, const std::string &name,
                         const std::string &found) {
    return Diagnostic{fmt::format("{} '{}' of a model's graph: expected a "
                                  "well-formed one, found {}",
                                  what, name, found)};
  }

  const Value &operand(const Op &op, size_t i) const {
    return graph.values[static_cast<size_t>(op.operands[i])];
  }
  const Value &resultOf(const Op &op, size_t i) const {
    return graph.values[static_cast<size_t>(op.results[i])];
  }
  const std::vector<int64_t> &shapeOf(const Op &op, size_t i) const {
    return graph.parameters[static_cast<size_t>(op.parameters[i])].shape;
  }

  /// \returns the columns of a [tokens, n] value of \p element, or -1.
  static int64_t columns(const Value &value,
                         ElementKind element = ElementKind::Real) {
    return value.shape.size() == 2 && value.shape[0] == Dim::tokens() &&
                   value.shape[1].kind == Dim::Fixed && value.element == element
               ? value.shape[1].size
               : -1;
  }
  static bool isInput(const Value &value, StepInput input) {
    return value.input == input;
  }

  struct Counts {
    size_t minOperands, maxOperands, minParameters, maxParameters, results;
  };
  static Counts countsOf(const Op &op) {
    switch (op.kind) {
    case OpKind::Embedding:
    case OpKind::HeadLinear:
      return {1, 1, 1, 1, 1};
    case OpKind::Linear:
      return {1, 1, 1, 2, 1};
    case OpKind::RmsNorm:
      return {1, 1, 0, 1, 1};
    case OpKind::Rope:
    case OpKind::Temperature:
    case OpKind::SiluMul:
    case OpKind::SigmoidMul:
    case OpKind::Add:
      return {2, 2, 0, 0, 1};
    case OpKind::Attention:
      return {6, 7, 0, 1, 1};
    case OpKind::Router: {
      const auto *a = std::get_if<RouterAttributes>(&op.attributes);
      size_t more = a ? size_t(a->more.bias) + size_t(a->more.choiceBias) : 0;
      return {1, 1, 1 + more, 1 + more, a && a->more.choiceBias ? 4u : 3u};
    }
    case OpKind::Experts:
      return {3, 3, 3, 6, 1};
    case OpKind::Logits:
      return {2, 2, 1, 1, 1};
    }
    return {};
  }

  std::string checkShapes(const Op &op) const {
    Counts counts = countsOf(op);
    if (op.operands.size() < counts.minOperands ||
        op.operands.size() > counts.maxOperands ||
        op.parameters.size() < counts.minParameters ||
        op.parameters.size() > counts.maxParameters ||
        op.results.size() != counts.results) {
      return "a wrong number of operands, parameters or results";
    }
    return shapesFit(op) ? "" : "shapes or attributes that do not fit";
  }

  bool shapesFit(const Op &op) const {
    using Shape = std::vector<int64_t>;
    const Value &x = operand(op, 0);
    const Value &y = resultOf(op, 0);
    int64_t in = columns(x), out = columns(y);
    switch (op.kind) {
    case OpKind::Embedding:
      return isInput(x, StepInput::TokenIds) &&
             shapeOf(op, 0) == Shape{graph.vocabulary, out};
    case OpKind::Linear:
      return shapeOf(op, 0) == Shape{out, in} &&
             (op.parameters.size() == 1 || shapeOf(op, 1) == Shape{out});
    case OpKind::HeadLinear: {
      const auto *a = std::get_if<HeadLinearAttributes>(&op.attributes);
      return a && a->heads > 0 && in % a->heads == 0 && out % a->heads == 0 &&
             shapeOf(op, 0) == Shape{a->heads, out / a->heads, in / a->heads};
    }
    case OpKind::Logits:
      return isInput(operand(op, 1), StepInput::OutputRows) &&
             shapeOf(op, 0) == Shape{graph.vocabulary, in} &&
             y.shape ==
                 std::vector<Dim>{Dim::outputs(), Dim::fixed(graph.vocabulary)};
    case OpKind::RmsNorm: {
      const auto *a = std::get_if<RmsNormAttributes>(&op.attributes);
      return a && in == out && a->group > 0 && in % a->group == 0 &&
             (op.parameters.empty() || shapeOf(op, 0) == Shape{a->group});
    }
    case OpKind::Rope: {
      const auto *a = std::get_if<RopeAttributes>(&op.attributes);
      return a && in == out && isInput(operand(op, 1), StepInput::Positions) &&
             a->headSize > 0 && in % a->headSize == 0 &&
             2 * a->inverseFrequencies.size() ==
                 static_cast<size_t>(a->headSize);
    }
    case OpKind::Temperature:
      return std::holds_alternative<TemperatureAttributes>(op.attributes) &&
             in == out && isInput(operand(op, 1), StepInput::Positions);
    case OpKind::SiluMul:
    case OpKind::SigmoidMul:
    case OpKind::Add:
      return in >= 0 && in == out && columns(operand(op, 1)) == in;
    case OpKind::Attention:
      return attentionFits(op, in, out);
    case OpKind::Router:
      return routerFits(op, in, out);
    case OpKind::Experts: {
      const auto *a = std::get_if<ExpertsAttributes>(&op.attributes);
      bool isBiased = op.parameters.size() == 6;
      return a && in == out && (isBiased || op.parameters.size() == 3) &&
             columns(operand(op, 1), ElementKind::Index) == a->chosen &&
             columns(operand(op, 2)) == a->chosen &&
             shapeOf(op, 0) == Shape{a->experts, a->width, in} &&
             shapeOf(op, 1) == Shape{a->experts, a->width, in} &&
             shapeOf(op, 2) == Shape{a->experts, in, a->width} &&
             (!isBiased || (shapeOf(op, 3) == Shape{a->experts, a->width} &&
                            shapeOf(op, 4) == Shape{a->experts, a->width} &&
                            shapeOf(op, 5) == Shape{a->experts, in}));
    }
    }
    return false;
  }

  bool routerFits(const Op &op, int64_t in, int64_t out) const {
    const auto *a = std::get_if<RouterAttributes>(&op.attributes);
    if (!a || a->chosen < 1 || a->chosen > a->experts || out != a->experts ||
        shapeOf(op, 0) != std::vector<int64_t>{a->experts, in}) {
      return false;
    }
    const RouterConfig &m = a->more;
    for (size_t i = 1; i < op.parameters.size(); ++i) {
      if (shapeOf(op, i) != std::vector<int64_t>{a->experts}) {
        return false;
      }
    }
    bool groups = m.groups >= 1 && a->experts % m.groups == 0 &&
                  m.keptGroups >= 1 && m.keptGroups <= m.groups &&
                  a->chosen <= a->experts / m.groups * m.keptGroups &&
                  (m.groups == 1 || m.choiceBias);
    return groups &&
           columns(resultOf(op, 1), ElementKind::Index) == a->chosen &&
           columns(resultOf(op, 2)) == a->chosen &&
           (!m.choiceBias || columns(resultOf(op, 3)) == a->experts);
  }

  bool attentionFits(const Op &op, int64_t in, int64_t out) const {
    const auto *a = std::get_if<AttentionAttributes>(&op.attributes);
    bool isLatent = a && a->rotarySize > 0;
    return a && a->kvHeads > 0 && a->heads % a->kvHeads == 0 &&
           in == a->heads * a->headSize && out == in &&
           columns(operand(op, 1)) == a->kvHeads * a->headSize &&
           columns(operand(op, 2)) == a->valueColumns() &&
           a->kvHeads * a->headSize == graph.cacheColumns &&
           a->valueColumns() == graph.valueColumns &&
           op.operands.size() == (isLatent ? 7u : 6u) &&
           (!isLatent || (a->kvHeads == 1 && columns(operand(op, 6)) ==
                                                 a->heads * a->rotarySize)) &&
           (op.parameters.empty() ||
            shapeOf(op, 0) == std::vector<int64_t>{a->heads}) &&
           inRange(a->cache, static_cast<size_t>(graph.caches)) &&
           inRange(a->mask, graph.masks.size()) &&
           isInput(operand(op, 3), StepInput::Slots) &&
           isInput(operand(op, 4), StepInput::MaskLo) &&
           operand(op, 4).mask == a->mask &&
           isInput(operand(op, 5), StepInput::MaskHi) &&
           operand(op, 5).mask == a->mask;
  }

  const Graph &graph;
};

} // namespace

std::string_view opKindName(OpKind kind) {
  return kindNames[static_cast<size_t>(kind)];
}

const Op *Graph::findOp(std::string_view name) const {
  for (const Op &op : ops) {
    if (op.name == name) {
      return &op;
    }
  }
  return nullptr;
}

Result<void> verifyGraph(const Graph &graph) { return Verifier(graph).run(); }

std::string printGraph(const Graph &graph) {
  std::string text =
      fmt::format("graph {} vocabulary {} caches {} x {}{}\n", graph.modelType,
                  graph.vocabulary, graph.caches, graph.cacheColumns,
                  graph.valueColumns == graph.cacheColumns
                      ? ""
                      : fmt::format(" + {}", graph.valueColumns));
  for (size_t i = 0; i < graph.masks.size(); ++i) {
    text += fmt::format("mask {} = {}\n", i, printMask(graph.masks[i]));
  }
  for (const Value &value : graph.values) {
    if (value.input != StepInput::None) {
      text += fmt::format("%{}:{} = input \"{}\"\n", value.id,
                          printShape(value), value.name);
    }
  }
  for (const Parameter &parameter : graph.parameters) {
    text += fmt::format("parameter {}: [{}]\n", parameter.name,
                        fmt::join(parameter.shape, ","));
  }
  for (const Op &op : graph.ops) {
    std::vector<std::string> results, operands, parameters;
    for (ValueId id : op.results) {
      results.push_back(fmt::format(
          "%{}:{}", id, printShape(graph.values[static_cast<size_t>(id)])));
    }
    for (ValueId id : op.operands) {
      operands.push_back(fmt::format("%{}", id));
    }
    for (ParameterId id : op.parameters) {
      parameters.push_back(graph.parameters[static_cast<size_t>(id)].name);
    }
    text += fmt::format("{} = {}({})", fmt::join(results, ", "),
                        opKindName(op.kind), fmt::join(operands, ", "));
    if (!parameters.empty()) {
      text += fmt::format(" {{{}}}", fmt::join(parameters, ", "));
    }
    text += std::visit(AttributePrinter{graph}, op.attributes);
    text += fmt::format(" \"{}\"\n", op.name);
  }
  return text + fmt::format("logits %{}\n", graph.logits);
}

bool mayQuantiseProducts(RowType type) { return type != RowType::I8; }

bool mayQuantise(const Graph &graph, const Op &op, bool products,
                 size_t parameter) {
  if (op.kind == OpKind::Experts) {
    return parameter < 2 || (parameter == 2 && products);
  }
  int32_t producer = graph.values[static_cast<size_t>(op.operands[0])].producer;
  bool isOfProduct =
      producer >= 0 &&
      graph.ops[static_cast<size_t>(producer)].kind == OpKind::SiluMul;
  return op.kind == OpKind::Linear && parameter == 0 &&
         (products || !isOfProduct);
}

} // namespace chipwright::models
