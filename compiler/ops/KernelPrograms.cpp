//===- KernelPrograms.cpp -------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "compiler/ops/TypeNames.h"

#include <fmt/format.h>

#include <cmath>

using namespace chipwright;
using programs::typeName;

static std::string buffer(uint64_t rows, uint64_t cols, DType type) {
  return fmt::format("!grid.buffer<{}x{}x{}>", rows, cols, typeName(type));
}

/// Lines that make `name` (type `from`) available in f32 as %`result`.
static std::string widened(DType type, const std::string &result,
                           const std::string &name, const char *from,
                           const char *to) {
  // f32 needs no step; the rest of the text calls it by its own name.
  return type == DType::F32 ? std::string()
                            : fmt::format("    %{} = arith.extf %{} : {} to "
                                          "{}\n",
                                          result, name, from, to);
}

std::string programs::matmul(DType type, uint64_t m, uint64_t n, uint64_t k) {
  std::string a = buffer(m, k, type), b = buffer(n, k, type),
              c = buffer(m, n, type);
  bool isWide = type == DType::F32;
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// c = a b^T
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
!a = tensor<?x?x{element}, #grid.dims<m, k>>
!b = tensor<?x?x{element}, #grid.dims<n, k>>
!sum = tensor<?x?xf32, #grid.dims<m, n>>
!out = tensor<?x?x{element}, #grid.dims<m, n>>
grid.program @gemm(%a: {A}, %b: {B}, %c: {C}) {{
  %m = arith.constant {m} : index
  %n = arith.constant {n} : index
  %k = arith.constant {k} : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>,
                #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : {A}, {B}) finish() results(%c : {C})
    maps [#a, #b, #c] attributes {{init = [0.0], tag = "gemm"}} {{
  ^bb0(%x: !a, %y: !b, %acc: !sum):
    %s = grid.matmul %x, %y, %acc : !a, !b -> !sum
    grid.yield %s : !sum
  }} {{
  ^bb0(%sum: !sum):
{finish}    grid.yield %{result} : !out
  }}
}}
)",
      fmt::arg("element", typeName(type)), fmt::arg("A", a), fmt::arg("B", b),
      fmt::arg("C", c), fmt::arg("m", m), fmt::arg("n", n), fmt::arg("k", k),
      fmt::arg("finish", isWide ? ""
                                : "    %o = arith.truncf %sum : !sum to "
                                  "!out\n"),
      fmt::arg("result", isWide ? "sum" : "o"));
}

std::string programs::copy(DType type, uint64_t elements) {
  return fmt::format(R"(// SPDX-License-Identifier: Apache-2.0
// out = in
#flat = affine_map<(n) -> (0, n)>
!tile = tensor<1x?x{element}, #grid.dims<_, n>>
grid.program @copy(%in: {buffer}, %out: {buffer}) {{
  %n = arith.constant {n} : index
  grid.generic [#grid.dim<n, parallel>] sizes(%n)
    step() finish(%in : {buffer}) results(%out : {buffer})
    maps [#flat, #flat] attributes {{stream = array<i64: 0>, tag = "copy"}} {{
  }} {{
  ^bb0(%x: !tile):
    grid.yield %x : !tile
  }}
}}
)",
                     fmt::arg("element", typeName(type)),
                     fmt::arg("buffer", buffer(1, elements, type)),
                     fmt::arg("n", elements));
}

std::string programs::add(DType type, uint64_t elements) {
  bool isWide = type == DType::F32;
  std::string body = widened(type, "af", "x", "!tile", "!wide") +
                     widened(type, "bf", "y", "!tile", "!wide") +
                     fmt::format("    %s = arith.addf {} : !wide\n",
                                 isWide ? "%x, %y" : "%af, %bf");
  if (!isWide) {
    body += "    %o = arith.truncf %s : !wide to !tile\n";
  }
  return fmt::format(R"(// SPDX-License-Identifier: Apache-2.0
// out = a + b
#flat = affine_map<(n) -> (0, n)>
!tile = tensor<1x?x{element}, #grid.dims<_, n>>
!wide = tensor<1x?xf32, #grid.dims<_, n>>
grid.program @add(%a: {buffer}, %b: {buffer}, %out: {buffer}) {{
  %n = arith.constant {n} : index
  grid.generic [#grid.dim<n, parallel>] sizes(%n)
    step() finish(%a, %b : {buffer}, {buffer}) results(%out : {buffer})
    maps [#flat, #flat, #flat]
    attributes {{stream = array<i64: 0, 1>, tag = "add"}} {{
  }} {{
  ^bb0(%x: !tile, %y: !tile):
{body}    grid.yield %{result} : !tile
  }}
}}
)",
                     fmt::arg("element", typeName(type)),
                     fmt::arg("buffer", buffer(1, elements, type)),
                     fmt::arg("n", elements), fmt::arg("body", body),
                     fmt::arg("result", isWide ? "s" : "o"));
}

std::string programs::transpose(DType type, uint64_t rows, uint64_t cols) {
  return fmt::format(R"(// SPDX-License-Identifier: Apache-2.0
// out = in^T
#in = affine_map<(r, c) -> (r, c)>
#out = affine_map<(r, c) -> (c, r)>
!in = tensor<?x?x{element}, #grid.dims<r, c>>
!out = tensor<?x?x{element}, #grid.dims<c, r>>
grid.program @transpose(%in: {from}, %out: {to}) {{
  %r = arith.constant {r} : index
  %c = arith.constant {c} : index
  grid.generic [#grid.dim<r, parallel>, #grid.dim<c, parallel>] sizes(%r, %c)
    step() finish(%in : {from}) results(%out : {to})
    maps [#in, #out] attributes {{stream = array<i64: 0>, tag = "transpose"}} {{
  }} {{
  ^bb0(%x: !in):
    %y = grid.transpose %x : !in -> !out
    grid.yield %y : !out
  }}
}}
)",
                     fmt::arg("element", typeName(type)),
                     fmt::arg("from", buffer(rows, cols, type)),
                     fmt::arg("to", buffer(cols, rows, type)),
                     fmt::arg("r", rows), fmt::arg("c", cols));
}

std::string programs::softmax(DType type, uint64_t rows, uint64_t cols) {
  bool isWide = type == DType::F32;
  std::string last = isWide ? "" : "    %o = arith.truncf %y : !wide to !row\n";
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// softmax of each row
#x = affine_map<(m, n) -> (m, n)>
!row = tensor<?x{cols}x{element}, #grid.dims<m, _>>
!wide = tensor<?x{cols}xf32, #grid.dims<m, _>>
!one = tensor<?x1xf32, #grid.dims<m, _>>
grid.program @softmax(%in: {buffer}, %out: {buffer}) {{
  %m = arith.constant {rows} : index
  %n = arith.constant {cols} : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %n)
    step() finish(%in : {buffer}) results(%out : {buffer})
    maps [#x, #x] attributes {{stream = array<i64: 0>, tag = "softmax"}} {{
  }} {{
  ^bb0(%x: !row):
{widen}    %max = grid.row_reduce max %{x} : !wide -> !one
    %maxes = grid.broadcast %max : !one -> !wide
    %shifted = arith.subf %{x}, %maxes : !wide
    %e = math.exp %shifted : !wide
    %sum = grid.row_reduce sum %e : !wide -> !one
    %inverse = grid.apply recip %sum : !one
    %inverses = grid.broadcast %inverse : !one -> !wide
    %y = arith.mulf %e, %inverses : !wide
{last}    grid.yield %{result} : !row
  }}
}}
)",
      fmt::arg("element", typeName(type)),
      fmt::arg("buffer", buffer(rows, cols, type)), fmt::arg("rows", rows),
      fmt::arg("cols", cols),
      fmt::arg("widen", widened(type, "f", "x", "!row", "!wide")),
      fmt::arg("x", isWide ? "x" : "f"), fmt::arg("last", last),
      fmt::arg("result", isWide ? "y" : "o"));
}

std::string programs::rmsnorm(DType type, uint64_t rows, uint64_t cols,
                              float epsilon) {
  bool isWide = type == DType::F32;
  std::string last = isWide ? "" : "    %o = arith.truncf %y : !wide to !row\n";
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// out = in / sqrt(mean(in^2) + epsilon) * weight, by row
#x = affine_map<(m, n) -> (m, n)>
#w = affine_map<(m, n) -> (0, n)>
!row = tensor<?x{cols}x{element}, #grid.dims<m, _>>
!wide = tensor<?x{cols}xf32, #grid.dims<m, _>>
!weight = tensor<1x{cols}x{element}>
!weights = tensor<1x{cols}xf32>
!one = tensor<?x1xf32, #grid.dims<m, _>>
grid.program @rmsnorm(%in: {buffer}, %weight: {weight}, %out: {buffer}) {{
  %m = arith.constant {rows} : index
  %n = arith.constant {cols} : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %n)
    step() finish(%in, %weight : {buffer}, {weight}) results(%out : {buffer})
    maps [#x, #w, #x] attributes {{stream = array<i64: 0>, tag = "rmsnorm"}} {{
  }} {{
  ^bb0(%x: !row, %w: !weight):
{widenX}{widenW}    %count = grid.splat {inverse:e} : !one
    %eps = grid.splat {epsilon:e} : !one
    %sum = grid.row_reduce sumsq %{x} : !wide -> !one
    %mean = arith.mulf %sum, %count : !one
    %shifted = arith.addf %mean, %eps : !one
    %scale = math.rsqrt %shifted : !one
    %scales = grid.broadcast %scale : !one -> !wide
    %each = grid.broadcast %{w} : !weights -> !wide
    %scaled = arith.mulf %{x}, %scales : !wide
    %y = arith.mulf %scaled, %each : !wide
{last}    grid.yield %{result} : !row
  }}
}}
)",
      fmt::arg("element", typeName(type)),
      fmt::arg("buffer", buffer(rows, cols, type)),
      fmt::arg("weight", buffer(1, cols, type)), fmt::arg("rows", rows),
      fmt::arg("cols", cols), fmt::arg("inverse", 1.0 / double(cols)),
      fmt::arg("epsilon", double(epsilon)),
      fmt::arg("widenX", widened(type, "f", "x", "!row", "!wide")),
      fmt::arg("widenW", widened(type, "g", "w", "!weight", "!weights")),
      fmt::arg("x", isWide ? "x" : "f"), fmt::arg("w", isWide ? "w" : "g"),
      fmt::arg("last", last), fmt::arg("result", isWide ? "y" : "o"));
}
