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
// Weights of 4 bits are converted tile by tile where they are multiplied.
//
// Experts with weights of 8 bits: rows of the input are quantised once, before
// they are gathered, and what the first maps make row by row before the last.
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

/// What the launches of experts share.
struct OpPrograms::Experts {
  explicit Experts(llm::ExpertsOp op)
      : op(op), chosen(columnsOf(op.getExperts())),
        pairs(fmt::format("tokens*{}", chosen)) {
    auto gate = cast<RankedTensorType>(op.getGate().getType());
    experts = gate.getDimSize(0);
    width = gate.getDimSize(1);
    hidden = columnsOf(op.getX());
    inBlocks = op.isInBlocks();
    ranges = fmt::format("!grid.buffer<{}x2xi32, control>", experts);
    // Weights of 4 bits become what x is.
    type = elementText(inBlocks ? op.getX() : op.getGate());
    innerType = elementText(inBlocks || op.isOuterQuantised() ? op.getX()
                                                              : op.getDown());
  }

  /// Rows of \p cols elements.
  static std::string rows(int64_t cols, const std::string &element) {
    return fmt::format("!grid.buffer<?x{}x{}>", cols, element);
  }

  /// An operation on blocks of experts' pairs, \p buffer's rows, with \p n
  /// columns and sums over \p depth.
  GenericText overPairs(ProgramText &p, int64_t n, int64_t depth,
                        const std::string &buffer) const {
    GenericText g;
    g.dims = {{"e", "list", p.addDim("ranges", 0)},
              {"n", "parallel", p.addConstant(n)},
              {"m", "parallel", p.addDim(buffer, 0), "first", kEnd},
              {"k", "reduction", p.addConstant(depth)}};
    g.list = "ranges";
    g.fields = {"first", "count"};
    return g;
  }
  /// The end of an expert's pairs.
  static constexpr const char *kEnd = "first + count";

  llm::ExpertsOp op;
  int64_t experts, width, hidden, chosen;
  bool inBlocks;      // weights of 4 bits with scales of blocks
  std::string pairs;  // how many there are
  std::string ranges; // type of the buffer
  std::string column = "!grid.buffer<?x1xi32, control>";
  std::string type;      // of the first products' operands
  std::string innerType; // in which what they make is stored
};

LaunchText OpPrograms::sortPairs(const Experts &e) {
  llm::ExpertsOp op = e.op;
  LaunchText sort("experts_sort");
  ProgramText &p = sort.program;
  argument(sort, "experts", op.getExperts());
  temporary(sort, "order", e.column, {e.pairs});
  temporary(sort, "tokens", e.column, {e.pairs});
  temporary(sort, "ranges", e.ranges, {});
  std::string count = p.addDim("experts", 0);
  std::string text = fmt::format(
      R"(%c0 = arith.constant 0 : index
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
      fmt::arg("chosen", e.chosen), fmt::arg("experts", e.experts),
      fmt::arg("count", count), fmt::arg("type", bufferTypeOf(op.getExperts())),
      fmt::arg("ranges", e.ranges), fmt::arg("column", e.column));
  p.addLine(text);
  return sort;
}

// z = x, or score * x, in the order of the experts.
LaunchText OpPrograms::gatherPairs(const Experts &e) {
  llm::ExpertsOp op = e.op;
  const bool onInput = op.getOnInput();
  LaunchText gather(onInput ? "experts_scale" : "experts_gather");
  ProgramText &p = gather.program;
  argument(gather, "x", op.getX());
  // A score for each pair.
  if (onInput) {
    view(gather, "scores", op.getScores(), "!grid.buffer<?x1xf32>", {e.pairs});
  }
  temporary(gather, "order", e.column, {e.pairs});
  temporary(gather, "tokens", e.column, {e.pairs});
  temporary(gather, "z", Experts::rows(e.hidden, e.type), {e.pairs});
  const std::string row = tileType("m", e.hidden, elementText(op.getX())),
                    wide = tileType("m", e.hidden, "f32"),
                    one = tileType("m", 1, "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("order", 0)},
            {"h", "full", p.addConstant(e.hidden)}};
  g.finish = {{"order", "m, 0", tileType("m", 1, "i32")},
              {"tokens", "m, 0", tileType("m", 1, "i32")},
              {"x", "0, h", row, 1}};
  g.results = {{"z", "m, h", tileType("m", e.hidden, e.type)}};
  if (onInput) {
    g.finish.push_back({"scores", "0, 0", one, 0});
    std::string x =
        widened(g.finishBody, "%f2", "m", e.hidden, elementText(op.getX()));
    g.finishBody += fmt::format("    %s = grid.broadcast %f3 : {} -> {}\n"
                                "    %z = arith.mulf {}, %s : {}\n",
                                one, wide, x, wide);
    g.out = {rounded(g.finishBody, "%z", "m", e.hidden, e.type)};
  } else {
    g.out = {"%f2"};
  }
  p.addGeneric(g);
  return gather;
}

// Rows of x quantised, then z and zs: their numbers and their scales in the
// order of the experts. A score multiplies the scale.
LaunchText OpPrograms::quantisePairs(const Experts &e) {
  llm::ExpertsOp op = e.op;
  const bool onInput = op.getOnInput();
  LaunchText launch("experts_quantise");
  ProgramText &p = launch.program;
  argument(launch, "x", op.getX());
  if (onInput) {
    view(launch, "scores", op.getScores(), "!grid.buffer<?x1xf32>", {e.pairs});
  }
  temporary(launch, "q", Experts::rows(e.hidden, e.type), {"tokens"});
  temporary(launch, "s", Experts::rows(1, "f32"), {"tokens"});
  temporary(launch, "order", e.column, {e.pairs});
  temporary(launch, "tokens", e.column, {e.pairs});
  temporary(launch, "z", Experts::rows(e.hidden, e.type), {e.pairs});
  temporary(launch, "zs", Experts::rows(1, "f32"), {e.pairs});
  p.addGeneric(
      quantiseRows(p, "x", "q", "s", e.hidden, elementText(op.getX()), e.type));
  p.addLine("grid.barrier");
  const std::string row = tileType("m", e.hidden, e.type),
                    one = tileType("m", 1, "f32"),
                    index = tileType("m", 1, "i32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("order", 0)},
            {"h", "full", p.addConstant(e.hidden)}};
  g.finish = {{"order", "m, 0", index},
              {"tokens", "m, 0", index},
              {"q", "0, h", row, 1},
              {"s", "0, 0", one, 1}};
  g.results = {{"z", "m, h", row}, {"zs", "m, 0", one}};
  g.out = {"%f2", "%f3"};
  if (onInput) {
    g.finish.push_back({"scores", "0, 0", one, 0});
    g.finishBody = fmt::format("    %zs = arith.mulf %f3, %f4 : {}\n", one);
    g.out[1] = "%zs";
  }
  p.addGeneric(g);
  return launch;
}

// act(z gate^T, z up^T) of each expert's pairs.
LaunchText OpPrograms::innerProducts(const Experts &e) {
  llm::ExpertsOp op = e.op;
  const bool isQuantised = op.isInnerQuantised(),
             isBiased = !op.getBiases().empty();
  LaunchText inner("experts_inner");
  ProgramText &p = inner.program;
  temporary(inner, "z", Experts::rows(e.hidden, e.type), {e.pairs});
  argument(inner, "gate", op.getGate());
  argument(inner, "up", op.getUp());
  if (isQuantised) {
    temporary(inner, "zs", Experts::rows(1, "f32"), {e.pairs});
  }
  if (isQuantised || e.inBlocks) {
    argument(inner, "gate_scales", op.getGateScales());
    argument(inner, "up_scales", op.getUpScales());
  }
  if (isBiased) {
    argument(inner, "gate_bias", op.getBiases()[0]);
    argument(inner, "up_bias", op.getBiases()[1]);
  }
  temporary(inner, "ranges", e.ranges, {});
  temporary(inner, "inner", Experts::rows(e.width, e.innerType), {e.pairs});
  const std::string wide = tileType("m", "n", "f32"),
                    sum = tileType("m", "n", sumElement(e.type)),
                    a = tileType("m", "k", e.type),
                    w = tileType("n", "k", e.type),
                    vector = tileType(1, "n", "f32");
  GenericText g = e.overPairs(p, e.width, e.hidden, "z");
  const std::string stored = tileType("n", "k", elementText(op.getGate()));
  g.step = {{"z", "m, k", a, -1, Experts::kEnd},
            {"gate", "e, n, k", stored},
            {"up", "e, n, k", stored}};
  std::string gate = "%s1", up = "%s2";
  if (e.inBlocks) {
    gate = dequantised(g, 1, "n", blocksOf(op.getGate(), op.getGateScales()),
                       "gate_scales", "e, n, k floordiv 32", e.type);
    up = dequantised(g, 2, "n", blocksOf(op.getUp(), op.getUpScales()),
                     "up_scales", "e, n, k floordiv 32", e.type);
  }
  g.state = {{"0.0", sum}, {"0.0", sum}};
  g.stepBody +=
      fmt::format("    %g = grid.matmul %s0, {3}, %c0 : {0}, {1} -> {2}\n"
                  "    %u = grid.matmul %s0, {4}, %c1 : {0}, {1} -> {2}\n",
                  a, w, sum, gate, up);
  g.next = {"%g", "%u"};
  std::string first = "%c0", second = "%c1";
  if (isQuantised) {
    g.finish = {{"zs", "m, 0", tileType("m", 1, "f32"), -1, Experts::kEnd},
                {"gate_scales", "e, n", vector},
                {"up_scales", "e, n", vector}};
    first = scaledSum(g.finishBody, "%c0", "%f0", "%f1", e.type);
    second = scaledSum(g.finishBody, "%c1", "%f0", "%f2", e.type);
  }
  if (isBiased) {
    g.finishBody += fmt::format("    %gb = grid.broadcast %f{2} : {0} -> {1}\n"
                                "    %ub = grid.broadcast %f{3} : {0} -> {1}\n"
                                "    %gated = arith.addf {4}, %gb : {1}\n"
                                "    %upped = arith.addf {5}, %ub : {1}\n",
                                vector, wide, g.finish.size(),
                                g.finish.size() + 1, first, second);
    g.finish.push_back({"gate_bias", "e, n", vector});
    g.finish.push_back({"up_bias", "e, n", vector});
    first = "%gated";
    second = "%upped";
  }
  g.finishBody += activation(op, first, second, wide);
  g.results = {
      {"inner", "m, n", tileType("m", "n", e.innerType), -1, Experts::kEnd}};
  g.out = {rounded(g.finishBody, "%y", "m", "n", e.innerType)};
  p.addGeneric(g);
  return inner;
}

// inner down^T of each pair, times its score unless z had that.
LaunchText OpPrograms::outerProduct(const Experts &e) {
  llm::ExpertsOp op = e.op;
  const bool isQuantised = op.isOuterQuantised();
  const std::string type = e.inBlocks ? e.innerType : elementText(op.getDown());
  LaunchText outer("experts_outer");
  ProgramText &p = outer.program;
  temporary(outer, "inner", Experts::rows(e.width, e.innerType), {e.pairs});
  argument(outer, "down", op.getDown());
  if (isQuantised || e.inBlocks) {
    argument(outer, "down_scales", op.getDownScales());
  }
  if (isQuantised) {
    temporary(outer, "iq", Experts::rows(e.width, type), {e.pairs});
    temporary(outer, "is", Experts::rows(1, "f32"), {e.pairs});
  }
  if (!op.getBiases().empty()) {
    argument(outer, "down_bias", op.getBiases()[2]);
  }
  if (!op.getOnInput()) {
    view(outer, "scores", op.getScores(), "!grid.buffer<?x1xf32>", {e.pairs});
  }
  temporary(outer, "order", e.column, {e.pairs});
  temporary(outer, "ranges", e.ranges, {});
  if (e.chosen == 1) {
    argument(outer, "y", op.getY());
  } else {
    temporary(outer, "y", Experts::rows(e.hidden, "f32"), {e.pairs});
  }
  if (isQuantised) {
    p.addGeneric(
        quantiseRows(p, "inner", "iq", "is", e.width, e.innerType, type));
    p.addLine("grid.barrier");
  }
  const std::string wide = tileType("m", "n", "f32"),
                    sum = tileType("m", "n", sumElement(type)),
                    a = tileType("m", "k", type), w = tileType("n", "k", type),
                    one = tileType("m", 1, "f32"),
                    vector = tileType(1, "n", "f32");
  const std::string from = isQuantised ? "iq" : "inner";
  GenericText g = e.overPairs(p, e.hidden, e.width, from);
  g.step = {{from, "m, k", a, -1, Experts::kEnd},
            {"down", "e, n, k", tileType("n", "k", elementText(op.getDown()))}};
  std::string down = "%s1";
  if (e.inBlocks) {
    down = dequantised(g, 1, "n", blocksOf(op.getDown(), op.getDownScales()),
                       "down_scales", "e, n, k floordiv 32", type);
  }
  const int order = static_cast<int>(g.step.size()); // the operand's number
  g.finish = {{"order", "m, 0", tileType("m", 1, "i32"), -1, Experts::kEnd}};
  g.state = {{"0.0", sum}};
  g.stepBody += fmt::format(
      "    %y = grid.matmul %s0, {}, %c0 : {}, {} -> {}\n", down, a, w, sum);
  g.next = {"%y"};
  std::string value = "%c0";
  if (isQuantised) {
    g.finish.push_back({"is", "m, 0", one, -1, Experts::kEnd});
    g.finish.push_back({"down_scales", "e, n", vector});
    value = scaledSum(g.finishBody, "%c0", "%f1", "%f2", type);
  }
  if (!op.getBiases().empty()) {
    g.finishBody += fmt::format("    %b = grid.broadcast %f{} : {} -> {}\n"
                                "    %biased = arith.addf {}, %b : {}\n",
                                g.finish.size(), vector, wide, value, wide);
    g.finish.push_back({"down_bias", "e, n", vector});
    value = "%biased";
  }
  if (!op.getOnInput()) {
    g.finishBody += fmt::format("    %s = grid.broadcast %f{} : {} -> {}\n"
                                "    %weighted = arith.mulf {}, %s : {}\n",
                                g.finish.size(), one, wide, value, wide);
    g.finish.push_back({"scores", "0, 0", one, order, "first + count - m"});
    value = "%weighted";
  }
  const std::string out = e.chosen == 1 ? elementText(op.getY()) : "f32";
  g.results = {
      {"y", "0, n", tileType("m", "n", out), order, "first + count - m"}};
  g.out = {rounded(g.finishBody, value, "m", "n", out)};
  p.addGeneric(g);
  return outer;
}

// The pairs of a token lie side by side.
LaunchText OpPrograms::sumPairs(const Experts &e) {
  llm::ExpertsOp op = e.op;
  LaunchText combine("experts_sum");
  ProgramText &p = combine.program;
  temporary(combine, "y", Experts::rows(e.hidden, "f32"), {e.pairs});
  argument(combine, "sum", op.getY());
  const std::string row = tileType(1, e.hidden, "f32");
  const std::string out = elementText(op.getY());
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("sum", 0)},
            {"h", "full", p.addConstant(e.hidden)}};
  // Row m * chosen + j of y: a tile of one token.
  std::string total;
  for (int64_t j = 0; j < e.chosen; ++j) {
    g.finish.push_back({"y", fmt::format("m * {} + {}, h", e.chosen, j), row});
    std::string next = fmt::format("%t{}", j);
    if (j == 0) {
      total = "%f0";
    } else {
      g.finishBody += fmt::format("    {} = arith.addf {}, %f{} : {}\n", next,
                                  total, j, row);
      total = next;
    }
  }
  g.results = {{"sum", "m, h", tileType(1, e.hidden, out)}};
  g.out = {rounded(g.finishBody, total, 1, e.hidden, out)};
  p.addGeneric(g);
  return combine;
}

// What innerProducts() makes of weights of 8 bits, one product after the other:
// gate's in f32, then up's with what is made of both.
LaunchText OpPrograms::innerProduct(const Experts &e, bool isGate) {
  llm::ExpertsOp op = e.op;
  const bool isBiased = !op.getBiases().empty();
  LaunchText inner(isGate ? "experts_gate" : "experts_up");
  ProgramText &p = inner.program;
  temporary(inner, "z", Experts::rows(e.hidden, e.type), {e.pairs});
  temporary(inner, "zs", Experts::rows(1, "f32"), {e.pairs});
  argument(inner, "w", isGate ? op.getGate() : op.getUp());
  argument(inner, "scales", isGate ? op.getGateScales() : op.getUpScales());
  if (isBiased) {
    argument(inner, "bias", op.getBiases()[isGate ? 0 : 1]);
  }
  temporary(inner, "ranges", e.ranges, {});
  temporary(inner, "gated", Experts::rows(e.width, "f32"), {e.pairs});
  if (!isGate) {
    temporary(inner, "inner", Experts::rows(e.width, e.innerType), {e.pairs});
  }
  const std::string wide = tileType("m", "n", "f32"),
                    sum = tileType("m", "n", sumElement(e.type)),
                    a = tileType("m", "k", e.type),
                    w = tileType("n", "k", e.type),
                    vector = tileType(1, "n", "f32");
  GenericText g = e.overPairs(p, e.width, e.hidden, "z");
  g.step = {{"z", "m, k", a, -1, Experts::kEnd}, {"w", "e, n, k", w}};
  g.state = {{"0.0", sum}};
  g.stepBody = fmt::format(
      "    %s = grid.matmul %s0, %s1, %c0 : {}, {} -> {}\n", a, w, sum);
  g.next = {"%s"};
  g.finish = {{"zs", "m, 0", tileType("m", 1, "f32"), -1, Experts::kEnd},
              {"scales", "e, n", vector}};
  std::string value = scaledSum(g.finishBody, "%c0", "%f0", "%f1", e.type);
  if (isBiased) {
    g.finishBody += fmt::format("    %b = grid.broadcast %f2 : {} -> {}\n"
                                "    %biased = arith.addf {}, %b : {}\n",
                                vector, wide, value, wide);
    g.finish.push_back({"bias", "e, n", vector});
    value = "%biased";
  }
  if (isGate) {
    g.results = {{"gated", "m, n", wide, -1, Experts::kEnd}};
    g.out = {value};
  } else {
    const std::string gated = fmt::format("%f{}", g.finish.size());
    g.finish.push_back({"gated", "m, n", wide, -1, Experts::kEnd});
    g.finishBody += activation(op, gated, value, wide);
    g.results = {
        {"inner", "m, n", tileType("m", "n", e.innerType), -1, Experts::kEnd}};
    g.out = {rounded(g.finishBody, "%y", "m", "n", e.innerType)};
  }
  p.addGeneric(g);
  return inner;
}

OpPrograms::Launches OpPrograms::experts(llm::ExpertsOp op) {
  const Experts e(op);
  Launches launches = {sortPairs(e), op.isInnerQuantised() ? quantisePairs(e)
                                                           : gatherPairs(e)};
  // Two sums take two banks; those of int8 would not be exact elsewhere.
  if (target.banks < 2 && e.type == "i8") {
    launches.push_back(innerProduct(e, /*isGate=*/true));
    launches.push_back(innerProduct(e, /*isGate=*/false));
  } else {
    launches.push_back(innerProducts(e));
  }
  launches.push_back(outerProduct(e));
  if (e.chosen > 1) {
    launches.push_back(sumPairs(e));
  }
  return launches;
}
