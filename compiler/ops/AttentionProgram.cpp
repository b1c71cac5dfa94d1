//===- AttentionProgram.cpp - Attention as a tile program -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Blocks of keys are taken in order. For each row a running maximum, the sum
// of weights and the weighted sum of values are the state; when the maximum
// grows, what was summed so far is scaled down (Milakov and Gimelshein: Online
// normalizer calculation for softmax, 2018). A block of tokens stops behind the
// last key that its last token may see.
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"

#include <fmt/format.h>

#include <cmath>

using namespace chipwright;

std::string programs::attention(DType type, const AttentionShape &shape) {
  const uint64_t size = shape.headSize;
  const uint64_t blocks =
      (shape.tokens + shape.blockTokens - 1) / shape.blockTokens;
  // A head of queries shares the keys of its group.
  const uint64_t group = shape.heads / shape.kvHeads;
  const char *element = type == DType::F16 ? "f16" : "bf16";
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// causal attention of the last {tokens} tokens of {context}
#q = affine_map<(b, h, t) -> (b * {rows}, h * {size})>
#k = affine_map<(b, h, t) -> (t, (h floordiv {group}) * {size})>
#l = affine_map<(b, h, t) -> (b * {rows}, 0)>
#from = affine_map<(b, h, t) -> (0)>
#to = affine_map<(b, h, t) -> (b * {rows} + {behind})>
!Q = !grid.buffer<{tokens}x{width}x{element}>
!KV = !grid.buffer<{context}x{kvWidth}x{element}>
!L = !grid.buffer<{tokens}x2xi32>
!q = tensor<{rows}x{size}x{element}>
!kv = tensor<?x{size}x{element}, #grid.dims<t, _>>
!vt = tensor<{size}x?x{element}, #grid.dims<_, t>>
!s = tensor<{rows}x?xf32, #grid.dims<_, t>>
!p = tensor<{rows}x?x{element}, #grid.dims<_, t>>
!o = tensor<{rows}x{size}xf32>
!one = tensor<{rows}x1xf32>
grid.program @attention(%q: !Q, %k: !KV, %v: !KV, %limits: !L, %out: !Q) {{
  %blocks = arith.constant {blocks} : index
  %heads = arith.constant {heads} : index
  %context = arith.constant {context} : index
  grid.generic [#grid.dim<b, parallel>, #grid.dim<h, parallel>,
                #grid.dim<t, reduction>] sizes(%blocks, %heads, %context)
    step(%q, %k, %v, %limits : !Q, !KV, !KV, !L) finish() results(%out : !Q)
    maps [#q, #k, #k, #l, #q]
    attributes {{init = [-1.0e30, 0.0, 0.0], bounds = {{t = [#from, #to]}},
                tag = "attention"}} {{
  ^bb0(%qt: !q, %kt: !kv, %vs: !kv, %win: tensor<{rows}x2xi32>, %m: !one, %l: !one, %o: !o):
    %zero = grid.splat 0.0 : !s
    %factor = grid.splat {scale:e} : !s
    %raw = grid.matmul %qt, %kt, %zero : !q, !kv -> !s
    %scaled = arith.mulf %raw, %factor : !s
    %base = grid.offset "t"
    %scores = grid.window %scaled, %win from %base fill 0xFF800000 : !s, tensor<{rows}x2xi32>
    %max = grid.row_reduce max %scores : !s -> !one
    %newMax = arith.maximumf %max, %m : !one
    %maxes = grid.broadcast %newMax : !one -> !s
    %shifted = arith.subf %scores, %maxes : !s
    %weights = math.exp %shifted : !s
    %sum = grid.row_reduce sum %weights : !s -> !one
    %p = arith.truncf %weights : !s to !p
    %change = arith.subf %m, %newMax : !one
    %alpha = math.exp %change : !one
    %oldSum = arith.mulf %l, %alpha : !one
    %newSum = arith.addf %oldSum, %sum : !one
    %alphas = grid.broadcast %alpha : !one -> !o
    %oldOut = arith.mulf %o, %alphas : !o
    %vt = grid.transpose %vs : !kv -> !vt
    %newOut = grid.matmul %p, %vt, %oldOut : !p, !vt -> !o
    grid.yield %newMax, %newSum, %newOut : !one, !one, !o
  }} {{
  ^bb0(%m: !one, %l: !one, %o: !o):
    %r = grid.apply recip %l : !one
    %rs = grid.broadcast %r : !one -> !o
    %x = arith.mulf %o, %rs : !o
    %y = arith.truncf %x : !o to !q
    grid.yield %y : !q
  }}
}}
)",
      fmt::arg("tokens", shape.tokens), fmt::arg("context", shape.context),
      fmt::arg("rows", shape.blockTokens), fmt::arg("size", size),
      fmt::arg("group", group),
      fmt::arg("behind", shape.context - shape.tokens + shape.blockTokens),
      fmt::arg("width", shape.heads * size),
      fmt::arg("kvWidth", shape.kvHeads * size), fmt::arg("blocks", blocks),
      fmt::arg("heads", shape.heads), fmt::arg("element", element),
      fmt::arg("scale", 1 / std::sqrt(double(size))));
}
