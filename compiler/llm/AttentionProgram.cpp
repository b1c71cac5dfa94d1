//===- AttentionProgram.cpp - Cache update and flash attention ------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Attention over a key/value cache in one pass over the slots (online softmax,
// Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135). An
// entry of the work list is a block of neighbouring tokens of one sequence
// with the slots that any of them needs; each token's own range is a window
// on the scores.
//
//===----------------------------------------------------------------------===//

#include "compiler/llm/OpPrograms.h"
#include "compiler/llm/OpText.h"

#include <fmt/format.h>

#include <algorithm>

using namespace mlir;
using namespace chipwright;

OpPrograms::Launches OpPrograms::attention(llm::AttentionOp op) {
  std::string type = elementText(op.getQ());
  const int64_t size = static_cast<int64_t>(op.getHeadSize()),
                heads = static_cast<int64_t>(op.getHeads()),
                group = heads / static_cast<int64_t>(op.getKvHeads()),
                rotary = static_cast<int64_t>(op.getRotary());
  const bool isLatent = rotary > 0;

  // Keys and values of this step to their slots.
  LaunchText append("kv_append");
  {
    ProgramText &p = append.program;
    argument(append, "slots", op.getSlots());
    argument(append, "k", op.getK());
    argument(append, "v", op.getV());
    argument(append, "keys", op.getKeys());
    argument(append, "values", op.getValues());
    const int64_t cols = columnsOf(op.getK());
    const std::string tile = tileType("m", cols, type),
                      other = tileType("m", columnsOf(op.getV()), type);
    GenericText g;
    g.dims = {{"m", "parallel", p.addDim("k", 0)}};
    if (!isLatent) {
      g.dims.push_back({"h", "full", p.addConstant(cols)});
    }
    const std::string h = isLatent ? "0" : "h";
    g.finish = {{"slots", "m, 0", tileType("m", 1, "i32")},
                {"k", "m, " + h, tile},
                {"v", "m, " + h, other}};
    g.results = {{"keys", "0, " + h, tile, 0}, {"values", "0, " + h, other, 0}};
    g.out = {"%f1", "%f2"};
    p.addGeneric(g);
  }

  LaunchText attend("attention");
  ProgramText &p = attend.program;
  argument(attend, "q", op.getQ());
  argument(attend, "keys", op.getKeys());
  argument(attend, "values", op.getValues());
  argument(attend, "bounds", op.getBounds());
  argument(attend, "work", op.getWork());
  if (isLatent) {
    argument(attend, "rotated", op.getRotated());
  }
  if (op.getSinks()) {
    argument(attend, "sinks", op.getSinks());
  }
  argument(attend, "y", op.getY());
  const int64_t block = kAttentionBlock, elements = bytesOfElement(type),
                unit = target.kBytes / elements;
  // Whole passes of K.
  auto padded = [unit](int64_t columns) {
    return (columns + unit - 1) / unit * unit;
  };
  const int64_t wide = padded(size);
  // A sum of wide values takes more banks than there are: blocks of values are
  // computed one by one, each with the scores anew.
  constexpr int64_t kWidestValues = 128;
  int64_t part = std::min(size, kWidestValues);
  while (size % part != 0) {
    --part;
  }
  const int64_t parts = size / part;
  const std::string out = elementText(op.getY());
  const std::string q = tileType(block, wide, type),
                    k = tileType("t", wide, type),
                    v = tileType("t", part, type),
                    vt = tileType(part, "t", type),
                    s = tileType(block, "t", "f32"),
                    pt = tileType(block, "t", type),
                    o = tileType(block, part, "f32"),
                    one = tileType(block, 1, "f32"),
                    win = tileType(block, 2, "i32");
  GenericText g;
  g.dims = {{"e", "list", p.addDim("work", 0)},
            {"h", "parallel", p.addConstant(heads)},
            {"t", "reduction", p.addDim("keys", 0), "k0", "k1"}};
  std::string vIndex = fmt::format("t, (h floordiv {}) * {}", group, size),
              yIndex = fmt::format("m0, h * {}", size);
  if (parts > 1) {
    g.dims.insert(g.dims.begin() + 2, {"j", "parallel", p.addConstant(parts)});
    vIndex += fmt::format(" + j * {}", part);
    yIndex += fmt::format(" + j * {}", part);
  }
  g.list = "work";
  g.fields = {"m0", "ms", "k0", "k1"};
  std::string qIndex = fmt::format("m0, h * {}", size),
              kIndex = fmt::format("t, (h floordiv {}) * {}", group, size);
  g.step = {{"q", qIndex, q, -1, "m0 + ms", size},
            {"keys", kIndex, k, -1, "k1", size},
            {isLatent ? "keys" : "values", vIndex, v, -1, "k1"},
            {"bounds", "m0, 0", win, -1, "m0 + ms"}};
  // The sum of both products lies in one accumulator.
  std::string first, start = "%zero";
  if (isLatent) {
    const std::string q2 = tileType(block, padded(rotary), type),
                      k2 = tileType("t", padded(rotary), type);
    g.step.push_back({"rotated", fmt::format("m0, h * {}", rotary), q2, -1,
                      "m0 + ms", rotary});
    g.step.push_back({"values", "t, 0", k2, -1, "k1", rotary});
    first = fmt::format("    %turned = grid.matmul %s4, %s5, %zero : {}, {} -> "
                        "{}\n",
                        q2, k2, s);
    start = "%turned";
  }
  g.results = {{"y", yIndex, tileType(block, part, out), -1, "m0 + ms"}};
  g.state = {{"-1.0e30", one}, {"0.0", one}, {"0.0", o}};
  g.stepBody = fmt::format(
      "    %zero = grid.splat 0.0 : {s}\n"
      "    %factor = grid.splat {scale:.17e} : {s}\n"
      "{first}"
      "    %raw = grid.matmul %s0, %s1, {start} : {q}, {k} -> {s}\n"
      "    %scaled = arith.mulf %raw, %factor : {s}\n"
      "    %base = grid.offset \"t\"\n"
      "    %scores = grid.window %scaled, %s3 from %base fill 0xFF800000 "
      ": {s}, {win}\n"
      "    %max = grid.row_reduce max %scores : {s} -> {one}\n"
      "    %m = arith.maximumf %max, %c0 : {one}\n"
      "    %ms = grid.broadcast %m : {one} -> {s}\n"
      "    %shifted = arith.subf %scores, %ms : {s}\n"
      "    %weights = math.exp %shifted : {s}\n"
      "    %sum = grid.row_reduce sum %weights : {s} -> {one}\n"
      "    %p = arith.truncf %weights : {s} to {pt}\n"
      "    %change = arith.subf %c0, %m : {one}\n"
      "    %alpha = math.exp %change : {one}\n"
      "    %l0 = arith.mulf %c1, %alpha : {one}\n"
      "    %l = arith.addf %l0, %sum : {one}\n"
      "    %alphas = grid.broadcast %alpha : {one} -> {o}\n"
      "    %o0 = arith.mulf %c2, %alphas : {o}\n"
      "    %vt = grid.transpose %s2 : {v} -> {vt}\n"
      "    %o = grid.matmul %p, %vt, %o0 : {pt}, {vt} -> {o}\n",
      fmt::arg("s", s), fmt::arg("q", q), fmt::arg("k", k), fmt::arg("v", v),
      fmt::arg("vt", vt), fmt::arg("pt", pt), fmt::arg("o", o),
      fmt::arg("one", one), fmt::arg("win", win), fmt::arg("first", first),
      fmt::arg("start", start),
      fmt::arg("scale", op.getScale().convertToDouble()));
  g.next = {"%m", "%l", "%o"};
  std::string sum = "%c1", last = "%r";
  if (op.getSinks()) {
    // A sink may be larger than all scores: the maximum is taken anew.
    g.finish = {{"sinks", "0, h", tileType(1, 1, "f32")}};
    g.finishBody = fmt::format("    %sink = grid.broadcast %f0 : {} -> {one}\n"
                               "    %m = arith.maximumf %c0, %sink : {one}\n"
                               "    %change = arith.subf %c0, %m : {one}\n"
                               "    %alpha = math.exp %change : {one}\n"
                               "    %above = arith.subf %sink, %m : {one}\n"
                               "    %extra = math.exp %above : {one}\n"
                               "    %l0 = arith.mulf %c1, %alpha : {one}\n"
                               "    %l = arith.addf %l0, %extra : {one}\n",
                               tileType(1, 1, "f32"), fmt::arg("one", one));
    sum = "%l";
    last = "%share";
  }
  g.finishBody += fmt::format("    %r = grid.apply recip {} : {}\n", sum, one);
  if (op.getSinks()) {
    g.finishBody +=
        fmt::format("    %share = arith.mulf %r, %alpha : {}\n", one);
  }
  g.finishBody += fmt::format("    %rs = grid.broadcast {last} : {one} -> {o}\n"
                              "    %y = arith.mulf %c2, %rs : {o}\n",
                              fmt::arg("last", last), fmt::arg("one", one),
                              fmt::arg("o", o));
  g.out = {rounded(g.finishBody, "%y", block, part, out)};
  p.addGeneric(g);
  return {append, attend};
}
