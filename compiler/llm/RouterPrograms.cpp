//===- RouterPrograms.cpp - Choice of experts -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Logits are a product; the largest ones of a row are one command. A router
// with a bias of the choice and groups takes more programs, since what a group
// is worth decides about all experts of the row: the groups' worths, the choice
// values with the other groups' lowered, the choice, and the scores without the
// bias again.
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpPrograms.h"
#include "compiler/llm/OpText.h"

#include "models/Graph.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;

/// Scores of a row, divided by their sum and multiplied by a factor, as \p op
/// says. \returns the name of the result.
static std::string finished(std::string &body, llm::RouterOp op,
                            const std::string &in, const std::string &top,
                            const std::string &one) {
  const double factor = op.getFactor().convertToDouble();
  std::string out = in;
  if (op.getNormalised()) {
    // The addend is the families' own.
    body +=
        fmt::format("    %total = grid.row_reduce sum {} : {} -> {one}\n"
                    "    %tiny = grid.splat 1.0e-20 : {one}\n"
                    "    %all = arith.addf %total, %tiny : {one}\n"
                    "    %share = grid.apply recip %all : {one}\n"
                    "    %shares = grid.broadcast %share : {one} -> {top}\n"
                    "    %normal = arith.mulf {}, %shares : {top}\n",
                    in, top, in, fmt::arg("one", one), fmt::arg("top", top));
    out = "%normal";
  }
  if (factor != 1) {
    body += fmt::format("    %factor = grid.splat {:.17e} : {top}\n"
                        "    %scored = arith.mulf {}, %factor : {top}\n",
                        factor, out, fmt::arg("top", top));
    out = "%scored";
  }
  return out;
}

OpPrograms::Launches OpPrograms::router(llm::RouterOp op) {
  LaunchText product("router");
  matmulBody(product, op.getX(), op.getWeight(),
             op.getChoiceBias() ? op.getLogits() : op.getChoice(), Value(),
             {op.getLogitsBias()});
  if (op.getChoiceBias()) {
    Launches launches = biasedChoice(op);
    launches.insert(launches.begin(), product);
    return launches;
  }

  LaunchText choose("router_choose");
  ProgramText &p = choose.program;
  argument(choose, "logits", op.getChoice());
  argument(choose, "experts", op.getExperts());
  argument(choose, "scores", op.getScores());
  const int64_t experts = columnsOf(op.getChoice()),
                chosen = static_cast<int64_t>(op.getChosen());
  const std::string row = tileType("m", experts, "f32"),
                    top = tileType("m", chosen, "f32"),
                    one = tileType("m", 1, "f32"),
                    index = tileType("m", chosen, "i32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("logits", 0)},
            {"n", "full", p.addConstant(experts)}};
  g.finish = {{"logits", "m, n", row}};
  g.results = {{"experts", "m, 0", index}, {"scores", "m, 0", top}};
  g.finishBody = fmt::format(
      "    %best, %which = grid.topk %f0 : {} -> {}, {}\n", row, top, index);
  std::string score = "%s";
  if (op.getScore() == "sigmoid") {
    g.finishBody +=
        fmt::format("    %s = grid.apply sigmoid %best : {}\n", top);
  } else {
    // Softmax of a row: over all its logits, or the chosen ones.
    bool isWhole = op.getScore() == "softmax";
    const std::string from = isWhole ? "%f0" : "%best",
                      tile = isWhole ? row : top;
    g.finishBody +=
        fmt::format("    %max = grid.row_reduce max {from} : {tile} -> {one}\n"
                    "    %maxes = grid.broadcast %max : {one} -> {tile}\n"
                    "    %shifted = arith.subf {from}, %maxes : {tile}\n"
                    "    %e = math.exp %shifted : {tile}\n"
                    "    %sum = grid.row_reduce sum %e : {tile} -> {one}\n"
                    "    %r = grid.apply recip %sum : {one}\n"
                    "    %rs = grid.broadcast %r : {one} -> {top}\n",
                    fmt::arg("from", from), fmt::arg("tile", tile),
                    fmt::arg("one", one), fmt::arg("top", top));
    if (isWhole) {
      g.finishBody +=
          fmt::format("    %tops = grid.broadcast %max : {one} -> {top}\n"
                      "    %above = arith.subf %best, %tops : {top}\n"
                      "    %p = math.exp %above : {top}\n",
                      fmt::arg("one", one), fmt::arg("top", top));
    }
    g.finishBody += fmt::format("    %s = arith.mulf {}, %rs : {}\n",
                                isWhole ? "%p" : "%e", top);
  }
  g.out = {"%which", finished(g.finishBody, op, score, top, one)};
  p.addGeneric(g);
  return {product, choose};
}

OpPrograms::Launches OpPrograms::biasedChoice(llm::RouterOp op) {
  const int64_t experts = columnsOf(op.getChoice()),
                chosen = static_cast<int64_t>(op.getChosen()),
                groups = static_cast<int64_t>(op.getGroups()),
                kept = static_cast<int64_t>(op.getKeptGroups()),
                size = experts / groups;
  const Value bias = op.getBiases().back();
  const bool isGrouped = kept < groups;
  const std::string tile = tileType("m", size, "f32"),
                    vector = tileType(1, size, "f32"),
                    one = tileType("m", 1, "f32"),
                    worths = tileType("m", groups, "f32"),
                    worthType = fmt::format("!grid.buffer<?x{}xf32>", groups);
  const std::string index = fmt::format("m, g * {}", size);
  // %c: choice values of a group.
  const std::string values =
      fmt::format("    %s = grid.apply sigmoid %f0 : {0}\n"
                  "    %b = grid.broadcast %f1 : {1} -> {0}\n"
                  "    %c = arith.addf %s, %b : {0}\n",
                  tile, vector);
  auto groupsOf = [&](LaunchText &launch) {
    argument(launch, "logits", op.getLogits());
    argument(launch, "bias", bias);
    GenericText g;
    g.dims = {{"m", "parallel", launch.program.addDim("logits", 0)},
              {"g", "parallel", launch.program.addConstant(groups)}};
    g.finish = {{"logits", index, tile},
                {"bias", fmt::format("0, g * {}", size), vector}};
    g.finishBody = values;
    return g;
  };
  Launches launches;
  if (isGrouped) {
    LaunchText worth("router_groups");
    GenericText g = groupsOf(worth);
    temporary(worth, "worth", worthType, {"tokens"});
    const int64_t best = std::min<int64_t>(2, size);
    const std::string top = tileType("m", best, "f32"),
                      which = tileType("m", best, "i32");
    g.finishBody +=
        fmt::format("    %top, %which = grid.topk %c : {} -> {}, {}\n"
                    "    %sum = grid.row_reduce sum %top : {} -> {}\n",
                    tile, top, which, top, one);
    g.results = {{"worth", "m, g", one}};
    g.out = {"%sum"};
    worth.program.addGeneric(g);
    launches.push_back(worth);
  }

  LaunchText choice("router_values");
  {
    GenericText g = groupsOf(choice);
    std::string value = "%c";
    if (isGrouped) {
      temporary(choice, "worth", worthType, {"tokens"});
      const std::string top = tileType("m", kept, "f32"),
                        which = tileType("m", kept, "i32");
      g.finish.push_back({"worth", "m, 0", worths});
      g.finish.push_back({"worth", "m, g", one});
      // 0 for a group that is worth at least as much as the last one that is
      // kept; else hugely negative, cut to the drop.
      g.finishBody += fmt::format(
          "    %top, %which = grid.topk %f2 : {worths} -> {top}, {which}\n"
          "    %negated = arith.negf %top : {top}\n"
          "    %least = grid.row_reduce max %negated : {top} -> {one}\n"
          "    %over = arith.addf %f3, %least : {one}\n"
          "    %steep = grid.splat 1.0e30 : {one}\n"
          "    %nothing = grid.splat 0.0 : {one}\n"
          "    %lowest = grid.splat {drop:.17e} : {one}\n"
          "    %far = arith.mulf %over, %steep : {one}\n"
          "    %under = arith.minimumf %far, %nothing : {one}\n"
          "    %drop = arith.maximumf %under, %lowest : {one}\n"
          "    %drops = grid.broadcast %drop : {one} -> {tile}\n"
          "    %v = arith.addf %c, %drops : {tile}\n",
          fmt::arg("worths", worths), fmt::arg("top", top),
          fmt::arg("which", which), fmt::arg("one", one),
          fmt::arg("tile", tile),
          fmt::arg("drop", -models::RouterAttributes::groupDrop));
      value = "%v";
    }
    argument(choice, "choice", op.getChoice());
    g.results = {{"choice", index, tile}};
    g.out = {value};
    choice.program.addGeneric(g);
    launches.push_back(choice);
  }

  const std::string topType = fmt::format("!grid.buffer<?x{}xf32>", chosen),
                    pairs = fmt::format("tokens*{}", chosen);
  const std::string top = tileType("m", chosen, "f32");
  LaunchText choose("router_choose");
  {
    ProgramText &p = choose.program;
    argument(choose, "choice", op.getChoice());
    argument(choose, "experts", op.getExperts());
    temporary(choose, "best", topType, {"tokens"});
    const std::string row = tileType("m", experts, "f32"),
                      which = tileType("m", chosen, "i32");
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("choice", 0)},
              {"n", "full", p.addConstant(experts)}};
    g.finish = {{"choice", "m, n", row}};
    g.results = {{"experts", "m, 0", which}, {"best", "m, 0", top}};
    g.finishBody = fmt::format(
        "    %best, %which = grid.topk %f0 : {} -> {}, {}\n", row, top, which);
    g.out = {"%which", "%best"};
    p.addGeneric(g);
    launches.push_back(choose);
  }

  // The bias of each pair's expert, then the scores of each row.
  LaunchText biases("router_biases");
  {
    ProgramText &p = biases.program;
    view(biases, "experts", op.getExperts(), "!grid.buffer<?x1xi32, control>",
         {pairs});
    view(biases, "bias", bias, fmt::format("!grid.buffer<{}x1xf32>", experts),
         {});
    viewTemporary(biases, "taken", "!grid.buffer<?x1xf32>", {pairs});
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("taken", 0)}};
    g.finish = {{"experts", "m, 0", tileType("m", 1, "i32")},
                {"bias", "0, 0", one, 0}};
    g.results = {{"taken", "m, 0", one}};
    g.out = {"%f1"};
    p.addGeneric(g);
    launches.push_back(biases);
  }
  LaunchText scores("router_scores");
  {
    ProgramText &p = scores.program;
    temporary(scores, "best", topType, {"tokens"});
    temporary(scores, "taken", topType, {"tokens"});
    argument(scores, "scores", op.getScores());
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("best", 0)},
              {"n", "full", p.addConstant(chosen)}};
    g.finish = {{"best", "m, n", top}, {"taken", "m, n", top}};
    g.results = {{"scores", "m, n", top}};
    g.finishBody = fmt::format("    %s = arith.subf %f0, %f1 : {}\n", top);
    g.out = {finished(g.finishBody, op, "%s", top, one)};
    p.addGeneric(g);
    launches.push_back(scores);
  }
  return launches;
}
