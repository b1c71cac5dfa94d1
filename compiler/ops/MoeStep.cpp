//===- MoeStep.cpp - A routed feed-forward in operations of llm -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "compiler/ops/TypeNames.h"

#include <fmt/format.h>

using namespace chipwright;

namespace {

/// A function of the llm dialect, line by line.
class StepText {
public:
  StepText(std::string product, std::string rows)
      : product(std::move(product)), rows(std::move(rows)) {}

  /// Type of an activation.
  std::string activation(uint64_t columns, const std::string &element) const {
    return fmt::format("tensor<{}x{}x{}>", rows, columns, element);
  }
  std::string activation(uint64_t columns) const {
    return activation(columns, product);
  }

  void line(const std::string &text) { body += "  " + text + "\n"; }

  /// %`value` = the weight `name`. \returns its type.
  std::string parameter(const std::string &value, const std::string &name,
                        const std::string &sizes) {
    std::string type = fmt::format("tensor<{}x{}>", sizes, product);
    line(fmt::format("%{} = llm.parameter \"{}\" : {}", value, name, type));
    return type;
  }

  /// %`result` = %`x` times the weight `name`, transposed.
  void linear(const std::string &result, const std::string &x,
              const std::string &name, uint64_t from, uint64_t to,
              const std::string &element) {
    std::string weight = "w_" + result;
    std::string type = parameter(weight, name, fmt::format("{}x{}", to, from));
    line(fmt::format("%{} = llm.linear \"{}\"(%{}, %{}) : ({}, {}) -> {}",
                     result, name, x, weight, activation(from), type,
                     activation(to, element)));
  }

  std::string body;

private:
  std::string product, rows;
};

} // namespace

std::string programs::moe(DType type, const MoeShape &shape) {
  const std::string product = typeName(type);
  StepText text(product, "?");
  const uint64_t hidden = shape.hidden, width = shape.intermediate;
  const std::string x = text.activation(hidden),
                    y = text.activation(hidden, "f32"),
                    logits = text.activation(shape.experts, "f32"),
                    experts = text.activation(shape.chosen, "i32"),
                    scores = text.activation(shape.chosen, "f32");
  std::string router = text.parameter(
      "w_router", "router", fmt::format("{}x{}", shape.experts, hidden));
  text.line(fmt::format(
      "%logits, %experts, %scores = llm.router \"router\"(%x, %w_router) "
      "{{chosen = {} : i64}} : ({}, {}) -> ({}, {}, {})",
      shape.chosen, x, router, logits, experts, scores));
  const std::string in = fmt::format("{}x{}x{}", shape.experts, width, hidden),
                    out = fmt::format("{}x{}x{}", shape.experts, hidden, width);
  std::string gate = text.parameter("gate", "gate", in),
              up = text.parameter("up", "up", in),
              down = text.parameter("down", "down", out);
  text.line(fmt::format("%routed = llm.experts \"experts\"(%x, %experts, "
                        "%scores, %gate, %up, %down) : ({}, {}, {}, {}, {}, "
                        "{}) -> {}",
                        x, experts, scores, gate, up, down, y));
  std::string result = "routed";
  if (shape.sharedIntermediate > 0) {
    const uint64_t shared = shape.sharedIntermediate;
    const std::string inner = text.activation(shared, "f32");
    text.linear("g", "x", "shared.gate", hidden, shared, "f32");
    text.linear("u", "x", "shared.up", hidden, shared, "f32");
    text.line(fmt::format(
        "%i = llm.silu_mul \"shared.act\"(%g, %u) : ({0}, {0}) -> {1}", inner,
        text.activation(shared)));
    text.linear("s", "i", "shared.down", shared, hidden, "f32");
    text.line(fmt::format("%sum = llm.add \"sum\"(%s, %routed) : ({0}, {0}) "
                          "-> {0}",
                          y));
    result = "sum";
  }
  return fmt::format(R"(// SPDX-License-Identifier: Apache-2.0
// a routed feed-forward of at most {} tokens
func.func @step(%x: {} {{llm.name = "x", llm.role = "input",
                llm.symbol = "tokens"}}) -> {} {{
{}  return %{} : {}
}}
)",
                     shape.tokens, x, y, text.body, result, y);
}
