//===- MoeStep.cpp - A routed feed-forward in operations of llm -----------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "compiler/ops/TypeNames.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <vector>

using namespace chipwright;
using programs::typeName;

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

  /// %`value` = the weight `name`, %`value`_s its scales if it is an 8-bit one.
  /// \returns their types.
  struct Weight {
    std::string type, scales;
  };
  Weight parameter(const std::string &value, const std::string &name,
                   const std::vector<uint64_t> &sizes,
                   std::optional<DType> quantised) {
    const std::string element = quantised ? typeName(*quantised) : product;
    Weight made{fmt::format("tensor<{}x{}>", fmt::join(sizes, "x"), element),
                ""};
    line(
        fmt::format("%{} = llm.parameter \"{}\" : {}", value, name, made.type));
    if (quantised) {
      made.scales = sizes.size() == 2
                        ? fmt::format("tensor<1x{}xf32>", sizes[0])
                        : fmt::format("tensor<{}x{}xf32>", sizes[0], sizes[1]);
      line(fmt::format("%{}_s = llm.parameter \"{}\" scales : {}", value, name,
                       made.scales));
    }
    return made;
  }

  /// %`result` = %`x` times the weight `name`, transposed.
  void linear(const std::string &result, const std::string &x,
              const std::string &name, uint64_t from, uint64_t to,
              const std::string &element, std::optional<DType> quantised) {
    std::string weight = "w_" + result;
    Weight type = parameter(weight, name, {to, from}, quantised);
    line(fmt::format("%{} = llm.{}linear \"{}\"(%{}, %{}{}) : ({}, {}{}) -> {}",
                     result, quantised ? "quantised_" : "", name, x, weight,
                     quantised ? ", %" + weight + "_s" : "", activation(from),
                     type.type, quantised ? ", " + type.scales : "",
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
  // Maps of the tokens, and of products of two activations.
  const std::optional<DType> inner = shape.product,
                             outer = shape.quantisesProducts ? shape.product
                                                             : std::nullopt;
  std::string router =
      text.parameter("w_router", "router", {shape.experts, hidden}, {}).type;
  text.line(fmt::format(
      "%logits, %experts, %scores = llm.router \"router\"(%x, %w_router) "
      "{{chosen = {} : i64}} : ({}, {}) -> ({}, {}, {})",
      shape.chosen, x, router, logits, experts, scores));
  std::string weights, scaleNames, types, scaleTypes;
  auto add = [&](const std::string &name, std::vector<uint64_t> sizes,
                 std::optional<DType> quantised) {
    StepText::Weight weight = text.parameter(name, name, sizes, quantised);
    weights += ", %" + name;
    types += ", " + weight.type;
    if (quantised) {
      scaleNames += ", %" + name + "_s";
      scaleTypes += ", " + weight.scales;
    }
  };
  add("gate", {shape.experts, width, hidden}, inner);
  add("up", {shape.experts, width, hidden}, inner);
  add("down", {shape.experts, hidden, width}, outer);
  text.line(fmt::format("%routed = llm.experts \"experts\"(%x, %experts, "
                        "%scores{}{}) : ({}, {}, {}{}{}) -> {}",
                        weights, scaleNames, x, experts, scores, types,
                        scaleTypes, y));
  std::string result = "routed";
  if (shape.sharedIntermediate > 0) {
    const uint64_t shared = shape.sharedIntermediate;
    const std::string wide = text.activation(shared, "f32");
    text.linear("g", "x", "shared.gate", hidden, shared, "f32", inner);
    text.linear("u", "x", "shared.up", hidden, shared, "f32", inner);
    text.line(fmt::format(
        "%i = llm.silu_mul \"shared.act\"(%g, %u) : ({0}, {0}) -> {1}", wide,
        text.activation(shared)));
    text.linear("s", "i", "shared.down", shared, hidden, "f32", outer);
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
