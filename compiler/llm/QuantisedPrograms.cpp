//===- QuantisedPrograms.cpp - Products of 8-bit operands -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One launch: PEs quantise rows of the activations, meet, and multiply; both
// scales are applied while sums are read out.
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpPrograms.h"

#include "compiler/llm/OpText.h"
#include "compiler/ops/KernelPrograms.h"

#include <fmt/format.h>

using namespace mlir;
using namespace chipwright;

/// The number that the largest magnitude of a row becomes.
static double largestOf(const std::string &element) {
  return programs::largestQuantised(element == "i8"         ? DType::I8
                                    : element == "f8E4M3FN" ? DType::F8E4M3
                                                            : DType::F8E5M2);
}

GenericText chipwright::quantiseRows(ProgramText &p, const std::string &x,
                                     const std::string &q, const std::string &s,
                                     int64_t cols, const std::string &in,
                                     const std::string &type) {
  const std::string row = tileType("m", cols, "f32"),
                    one = tileType("m", 1, "f32"),
                    quantised = tileType("m", cols, type);
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim(x, 0)},
            {"k", "full", p.addConstant(cols)}};
  g.finish = {{x, "m, k", tileType("m", cols, in)}};
  g.results = {{q, "m, k", quantised}, {s, "m, 0", one}};
  std::string wide = widened(g.finishBody, "%f0", "m", cols, in);
  g.finishBody += fmt::format(
      "    %max = grid.row_reduce absmax {x} : {row} -> {one}\n"
      // A row of zeros has a scale too.
      "    %tiny = grid.splat 1.0e-30 : {one}\n"
      "    %some = arith.maximumf %max, %tiny : {one}\n"
      "    %share = grid.splat {share:.17e} : {one}\n"
      "    %scale = arith.mulf %some, %share : {one}\n"
      "    %inverse = grid.apply recip %scale : {one}\n"
      "    %inverses = grid.broadcast %inverse : {one} -> {row}\n"
      "    %y = arith.mulf {x}, %inverses : {row}\n"
      "    %q = {convert} %y : {row} {to} {quantised}\n",
      fmt::arg("x", wide), fmt::arg("row", row), fmt::arg("one", one),
      fmt::arg("quantised", quantised), fmt::arg("share", 1 / largestOf(type)),
      fmt::arg("convert", type == "i8" ? "grid.round" : "arith.truncf"),
      fmt::arg("to", type == "i8" ? "->" : "to"));
  g.out = {"%q", "%scale"};
  return g;
}

std::string chipwright::scaledSum(std::string &body, const std::string &sum,
                                  const std::string &rows,
                                  const std::string &cols,
                                  const std::string &type) {
  const std::string wide = tileType("m", "n", "f32"), name = sum.substr(1);
  std::string from = sum;
  if (type == "i8") {
    from = fmt::format("%{}_wide", name);
    body += fmt::format("    {} = arith.sitofp {} : {} to {}\n", from, sum,
                        tileType("m", "n", "i32"), wide);
  }
  body += fmt::format(
      "    %{n}_rows = grid.broadcast {rows} : {column} -> "
      "{wide}\n"
      "    %{n}_cols = grid.broadcast {cols} : {row} -> {wide}\n"
      "    %{n}_part = arith.mulf {from}, %{n}_rows : {wide}\n"
      "    %{n}_scaled = arith.mulf %{n}_part, %{n}_cols : "
      "{wide}\n",
      fmt::arg("n", name), fmt::arg("rows", rows), fmt::arg("cols", cols),
      fmt::arg("from", from), fmt::arg("column", tileType("m", 1, "f32")),
      fmt::arg("row", tileType(1, "n", "f32")), fmt::arg("wide", wide));
  return fmt::format("%{}_scaled", name);
}

/// y = q w^T, times the scales of its rows and columns, plus a bias.
static GenericText scaledProduct(ProgramText &p, llm::QuantisedLinearOp op,
                                 const std::string &type) {
  std::string out = elementText(op.getY());
  const std::string sum = tileType("m", "n", sumElement(type)),
                    wide = tileType("m", "n", "f32"),
                    a = tileType("m", "k", type), b = tileType("n", "k", type),
                    column = tileType("m", 1, "f32"),
                    row = tileType(1, "n", "f32");
  GenericText g;
  g.dims = {{"m", "parallel", p.addDim("y", 0)},
            {"n", "parallel", p.addConstant(columnsOf(op.getY()))},
            {"k", "reduction", p.addConstant(columnsOf(op.getX()))}};
  g.step = {{"q", "m, k", a}, {"w", "n, k", b}};
  g.finish = {{"s", "m, 0", column}, {"scales", "0, n", row}};
  g.state = {{"0.0", sum}};
  g.results = {{"y", "m, n", tileType("m", "n", out)}};
  g.stepBody = fmt::format(
      "    %y = grid.matmul %s0, %s1, %c0 : {}, {} -> {}\n", a, b, sum);
  g.next = {"%y"};
  std::string result = scaledSum(g.finishBody, "%c0", "%f0", "%f1", type);
  if (op.getBias()) {
    g.finish.push_back({"bias", "0, n", row});
    g.finishBody +=
        fmt::format("    %biases = grid.broadcast %f2 : {row} -> {wide}\n"
                    "    %biased = arith.addf {result}, %biases : {wide}\n",
                    fmt::arg("row", row), fmt::arg("wide", wide),
                    fmt::arg("result", result));
    result = "%biased";
  }
  g.out = {rounded(g.finishBody, result, "m", "n", out)};
  return g;
}

OpPrograms::Launches OpPrograms::quantisedLinear(llm::QuantisedLinearOp op) {
  LaunchText launch("quantised_linear");
  ProgramText &p = launch.program;
  const std::string type = elementText(op.getWeight());
  const int64_t cols = columnsOf(op.getX());
  argument(launch, "x", op.getX());
  argument(launch, "w", op.getWeight());
  argument(launch, "scales", op.getScales());
  if (op.getBias()) {
    argument(launch, "bias", op.getBias());
  }
  temporary(launch, "q", fmt::format("!grid.buffer<?x{}x{}>", cols, type),
            {"tokens"});
  temporary(launch, "s", "!grid.buffer<?x1xf32>", {"tokens"});
  argument(launch, "y", op.getY());
  p.addGeneric(
      quantiseRows(p, "x", "q", "s", cols, elementText(op.getX()), type));
  p.addLine("grid.barrier");
  p.addGeneric(scaledProduct(p, op, type));
  return {launch};
}
