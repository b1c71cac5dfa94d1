//===- ExpertPrograms.cpp - Routed experts --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A pair is a token with one of its experts, numbered token * chosen + place.
// After the router, pairs are sorted by expert: `order` lists them, `tokens`
// their tokens, and `ranges` where each expert's pairs begin and how many they
// are. Each PE sorts for the experts that are its own, by counting: a pair's
// place is the number of pairs with lower experts, plus those of the same
// expert before it. Products then run over the list of experts; an expert
// without tokens costs reading its range.
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpPrograms.h"
#include "compiler/llm/OpText.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;

/// %y of two tiles of sums.
static std::string activation(llm::ExpertsOp op, const std::string &gate,
                              const std::string &up, const std::string &tile) {
  const double limit = op.getLimit().convertToDouble(),
               alpha = op.getAlpha().convertToDouble();
  if (limit == 0) {
    return fmt::format("    %s = grid.apply silu {} : {tile}\n"
                       "    %y = arith.mulf %s, {} : {tile}\n",
                       gate, up, fmt::arg("tile", tile));
  }
  // g sigmoid(alpha g) is silu(alpha g) / alpha.
  return fmt::format("    %max = grid.splat {limit:.17e} : {tile}\n"
                     "    %min = grid.splat {low:.17e} : {tile}\n"
                     "    %one = grid.splat 1.0 : {tile}\n"
                     "    %alpha = grid.splat {alpha:.17e} : {tile}\n"
                     "    %inverse = grid.splat {inverse:.17e} : {tile}\n"
                     "    %g0 = arith.minimumf {gate}, %max : {tile}\n"
                     "    %g1 = arith.mulf %g0, %alpha : {tile}\n"
                     "    %g2 = grid.apply silu %g1 : {tile}\n"
                     "    %g3 = arith.mulf %g2, %inverse : {tile}\n"
                     "    %u0 = arith.minimumf {up}, %max : {tile}\n"
                     "    %u1 = arith.maximumf %u0, %min : {tile}\n"
                     "    %u2 = arith.addf %u1, %one : {tile}\n"
                     "    %y = arith.mulf %u2, %g3 : {tile}\n",
                     fmt::arg("limit", limit), fmt::arg("low", -limit),
                     fmt::arg("alpha", alpha), fmt::arg("inverse", 1 / alpha),
                     fmt::arg("gate", gate), fmt::arg("up", up),
                     fmt::arg("tile", tile));
}

OpPrograms::Launches OpPrograms::experts(llm::ExpertsOp op) {
  auto gate = cast<RankedTensorType>(op.getGate().getType());
  const int64_t experts = gate.getDimSize(0), width = gate.getDimSize(1),
                hidden = gate.getDimSize(2),
                chosen = columnsOf(op.getExperts());
  const std::string type = elementText(op.getGate());
  const std::string pairs = fmt::format("tokens*{}", chosen);
  const std::string column = "!grid.buffer<?x1xi32, control>",
                    ranges =
                        fmt::format("!grid.buffer<{}x2xi32, control>", experts),
                    scaledType =
                        fmt::format("!grid.buffer<?x{}x{}>", hidden, type),
                    innerType =
                        fmt::format("!grid.buffer<?x{}x{}>", width, type);

  LaunchText sort("experts_sort");
  {
    ProgramText &p = sort.program;
    argument(sort, "experts", op.getExperts());
    temporary(sort, "order", column, {pairs});
    temporary(sort, "tokens", column, {pairs});
    temporary(sort, "ranges", ranges, {});
    std::string count = p.addDim("experts", 0);
    std::string text =
        fmt::format(R"(%c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %chosen = arith.constant {chosen} : index
  %all = arith.constant {experts} : index
  grid.parallel %e = %all on all {{
    %lower, %equal = scf.for %t = %c0 to {count} step %c1 iter_args(%l0 = %c0, %q0 = %c0) -> (index, index) {{
      %l1, %q1 = scf.for %j = %c0 to %chosen step %c1 iter_args(%l2 = %l0, %q2 = %q0) -> (index, index) {{
        %x = grid.read %b_experts[%t, %j] : {type}
        %less = arith.cmpi ult, %x, %e : index
        %same = arith.cmpi eq, %x, %e : index
        %a = arith.index_castui %less : i1 to index
        %b = arith.index_castui %same : i1 to index
        %l3 = arith.addi %l2, %a : index
        %q3 = arith.addi %q2, %b : index
        scf.yield %l3, %q3 : index, index
      }}
      scf.yield %l1, %q1 : index, index
    }}
    grid.write %lower, %b_ranges[%e, %c0] : {ranges}
    grid.write %equal, %b_ranges[%e, %c1] : {ranges}
    %end = scf.for %t = %c0 to {count} step %c1 iter_args(%n0 = %lower) -> (index) {{
      %n1 = scf.for %j = %c0 to %chosen step %c1 iter_args(%n2 = %n0) -> (index) {{
        %x = grid.read %b_experts[%t, %j] : {type}
        %same = arith.cmpi eq, %x, %e : index
        scf.if %same {{
          %first = arith.muli %t, %chosen : index
          %pair = arith.addi %first, %j : index
          grid.write %pair, %b_order[%n2, %c0] : {column}
          grid.write %t, %b_tokens[%n2, %c0] : {column}
        }}
        %b = arith.index_castui %same : i1 to index
        %n3 = arith.addi %n2, %b : index
        scf.yield %n3 : index
      }}
      scf.yield %n1 : index
    }}
  }})",
                    fmt::arg("chosen", chosen), fmt::arg("experts", experts),
                    fmt::arg("count", count),
                    fmt::arg("type", bufferTypeOf(op.getExperts())),
                    fmt::arg("ranges", ranges), fmt::arg("column", column));
    p.addLine(text);
  }

  // z = x, or score * x, in the order of the experts.
  const bool onInput = op.getOnInput();
  LaunchText scale(onInput ? "experts_scale" : "experts_gather");
  {
    ProgramText &p = scale.program;
    argument(scale, "x", op.getX());
    // A score for each pair.
    if (onInput) {
      view(scale, "scores", op.getScores(), "!grid.buffer<?x1xf32>", {pairs});
    }
    temporary(scale, "order", column, {pairs});
    temporary(scale, "tokens", column, {pairs});
    temporary(scale, "z", scaledType, {pairs});
    const std::string row = tileType("m", hidden, elementText(op.getX())),
                      wide = tileType("m", hidden, "f32"),
                      one = tileType("m", 1, "f32");
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("order", 0)},
              {"h", "full", p.addConstant(hidden)}};
    g.finish = {{"order", "m, 0", tileType("m", 1, "i32")},
                {"tokens", "m, 0", tileType("m", 1, "i32")},
                {"x", "0, h", row, 1}};
    g.results = {{"z", "m, h", tileType("m", hidden, type)}};
    if (onInput) {
      g.finish.push_back({"scores", "0, 0", one, 0});
      std::string x =
          widened(g.finishBody, "%f2", "m", hidden, elementText(op.getX()));
      g.finishBody += fmt::format("    %s = grid.broadcast %f3 : {} -> {}\n"
                                  "    %z = arith.mulf {}, %s : {}\n",
                                  one, wide, x, wide);
      g.out = {rounded(g.finishBody, "%z", "m", hidden, type)};
    } else {
      g.out = {"%f2"};
    }
    p.addGeneric(g);
  }

  auto listDims = [&](ProgramText &p, int64_t n, int64_t depth,
                      const std::string &rows) {
    return std::vector<GenericText::Dim>{
        {"e", "list", p.addDim("ranges", 0)},
        {"n", "parallel", p.addConstant(n)},
        {"m", "parallel", p.addDim(rows, 0), "first", "first + count"},
        {"k", "reduction", p.addConstant(depth)}};
  };
  const std::string sum = tileType("m", "n", "f32"),
                    a = tileType("m", "k", type), w = tileType("n", "k", type);

  const bool isBiased = !op.getBiases().empty();
  const std::string vector = tileType(1, "n", "f32");
  LaunchText inner("experts_inner");
  {
    ProgramText &p = inner.program;
    temporary(inner, "z", scaledType, {pairs});
    argument(inner, "gate", op.getGate());
    argument(inner, "up", op.getUp());
    if (isBiased) {
      argument(inner, "gate_bias", op.getBiases()[0]);
      argument(inner, "up_bias", op.getBiases()[1]);
    }
    temporary(inner, "ranges", ranges, {});
    temporary(inner, "inner", innerType, {pairs});
    GenericText g;
    g.dims = listDims(p, width, hidden, "z");
    g.list = "ranges";
    g.fields = {"first", "count"};
    g.step = {{"z", "m, k", a, -1, "first + count"},
              {"gate", "e, n, k", w},
              {"up", "e, n, k", w}};
    g.state = {{"0.0", sum}, {"0.0", sum}};
    g.stepBody =
        fmt::format("    %g = grid.matmul %s0, %s1, %c0 : {0}, {1} -> {2}\n"
                    "    %u = grid.matmul %s0, %s2, %c1 : {0}, {1} -> {2}\n",
                    a, w, sum);
    g.next = {"%g", "%u"};
    std::string first = "%c0", second = "%c1";
    if (isBiased) {
      g.finish = {{"gate_bias", "e, n", vector}, {"up_bias", "e, n", vector}};
      g.finishBody = fmt::format("    %gb = grid.broadcast %f0 : {0} -> {1}\n"
                                 "    %ub = grid.broadcast %f1 : {0} -> {1}\n"
                                 "    %gated = arith.addf %c0, %gb : {1}\n"
                                 "    %upped = arith.addf %c1, %ub : {1}\n",
                                 vector, sum);
      first = "%gated";
      second = "%upped";
    }
    g.finishBody += activation(op, first, second, sum);
    g.results = {
        {"inner", "m, n", tileType("m", "n", type), -1, "first + count"}};
    g.out = {rounded(g.finishBody, "%y", "m", "n", type)};
    p.addGeneric(g);
  }

  const bool single = chosen == 1;
  LaunchText outer("experts_outer");
  {
    ProgramText &p = outer.program;
    temporary(outer, "inner", innerType, {pairs});
    argument(outer, "down", op.getDown());
    if (isBiased) {
      argument(outer, "down_bias", op.getBiases()[2]);
    }
    if (!onInput) {
      view(outer, "scores", op.getScores(), "!grid.buffer<?x1xf32>", {pairs});
    }
    temporary(outer, "order", column, {pairs});
    temporary(outer, "ranges", ranges, {});
    if (single) {
      argument(outer, "y", op.getY());
    } else {
      temporary(outer, "y", fmt::format("!grid.buffer<?x{}xf32>", hidden),
                {pairs});
    }
    GenericText g;
    g.dims = listDims(p, hidden, width, "inner");
    g.list = "ranges";
    g.fields = {"first", "count"};
    g.step = {{"inner", "m, k", a, -1, "first + count"},
              {"down", "e, n, k", w}};
    g.finish = {
        {"order", "m, 0", tileType("m", 1, "i32"), -1, "first + count"}};
    g.state = {{"0.0", sum}};
    g.stepBody = fmt::format(
        "    %y = grid.matmul %s0, %s1, %c0 : {}, {} -> {}\n", a, w, sum);
    g.next = {"%y"};
    std::string value = "%c0";
    if (isBiased) {
      g.finishBody += fmt::format("    %b = grid.broadcast %f{} : {} -> {}\n"
                                  "    %biased = arith.addf %c0, %b : {}\n",
                                  g.finish.size(), vector, sum, sum);
      g.finish.push_back({"down_bias", "e, n", vector});
      value = "%biased";
    }
    if (!onInput) {
      const std::string one = tileType("m", 1, "f32");
      g.finishBody += fmt::format("    %s = grid.broadcast %f{} : {} -> {}\n"
                                  "    %weighted = arith.mulf {}, %s : {}\n",
                                  g.finish.size(), one, sum, value, sum);
      g.finish.push_back({"scores", "0, 0", one, 2, "first + count - m"});
      value = "%weighted";
    }
    const std::string out = single ? elementText(op.getY()) : "f32";
    g.results = {
        {"y", "0, n", tileType("m", "n", out), 2, "first + count - m"}};
    g.out = {rounded(g.finishBody, value, "m", "n", out)};
    p.addGeneric(g);
  }
  if (single) {
    return {sort, scale, inner, outer};
  }

  // The pairs of a token lie side by side.
  LaunchText combine("experts_sum");
  {
    ProgramText &p = combine.program;
    temporary(combine, "y", fmt::format("!grid.buffer<?x{}xf32>", hidden),
              {pairs});
    argument(combine, "sum", op.getY());
    const std::string row = tileType("m", hidden, "f32");
    const std::string out = elementText(op.getY());
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("sum", 0)},
              {"h", "full", p.addConstant(hidden)}};
    // Row m * chosen + j of y: a tile of one token.
    std::string total;
    for (int64_t j = 0; j < chosen; ++j) {
      g.finish.push_back({"y", fmt::format("m * {} + {}, h", chosen, j),
                          tileType(1, hidden, "f32")});
      std::string next = fmt::format("%t{}", j);
      if (j == 0) {
        total = "%f0";
      } else {
        g.finishBody += fmt::format("    {} = arith.addf {}, %f{} : {}\n", next,
                                    total, j, tileType(1, hidden, "f32"));
        total = next;
      }
    }
    g.results = {{"sum", "m, h", tileType(1, hidden, out)}};
    g.out = {rounded(g.finishBody, total, 1, hidden, out)};
    p.addGeneric(g);
  }
  return {sort, scale, inner, outer, combine};
}
