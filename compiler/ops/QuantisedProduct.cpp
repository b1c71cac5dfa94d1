//===- QuantisedProduct.cpp - A product of 8-bit operands -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// One launch, two operations. Each PE quantises rows of the activations: the
// largest magnitude of a row becomes the largest number of the type. Behind a
// barrier all PEs read the quantised rows, multiply, and undo both scales
// while the sums are read out.
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "compiler/ops/TypeNames.h"

#include <fmt/format.h>

using namespace chipwright;

double programs::largestQuantised(DType product) {
  switch (product) {
  case DType::I8:
    return 127; // symmetric: -128 is not used
  case DType::F8E4M3:
    return 448;
  case DType::F8E5M2:
    return 57344;
  default:
    return 0;
  }
}

std::string programs::quantisedMatmul(DType activation, DType product,
                                      uint64_t m, uint64_t n, uint64_t k) {
  bool isInteger = product == DType::I8;
  auto buffer = [](uint64_t rows, uint64_t cols, DType type) {
    return fmt::format("!grid.buffer<{}x{}x{}>", rows, cols, typeName(type));
  };
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// c = (a / s) b^T * s * scales, where a row of a / s fills the range of {q}
#row = affine_map<(m, k) -> (m, k)>
#rowScale = affine_map<(m, k) -> (m, 0)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#s = affine_map<(m, n, k) -> (m, 0)>
#t = affine_map<(m, n, k) -> (0, n)>
#c = affine_map<(m, n, k) -> (m, n)>
!row = tensor<?x{k}x{x}, #grid.dims<m, _>>
!wideRow = tensor<?x{k}xf32, #grid.dims<m, _>>
!quantised = tensor<?x{k}x{q}, #grid.dims<m, _>>
!one = tensor<?x1xf32, #grid.dims<m, _>>
!a = tensor<?x?x{q}, #grid.dims<m, k>>
!b = tensor<?x?x{q}, #grid.dims<n, k>>
!t = tensor<1x?xf32, #grid.dims<_, n>>
!sum = tensor<?x?x{sum}, #grid.dims<m, n>>
!wide = tensor<?x?xf32, #grid.dims<m, n>>
!out = tensor<?x?x{x}, #grid.dims<m, n>>
grid.program @gemm(%a: {A}, %b: {B}, %scales: {T}, %q: {Q}, %s: {S}, %c: {C}) {{
  %m = arith.constant {m} : index
  %n = arith.constant {n} : index
  %k = arith.constant {k} : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<k, full>] sizes(%m, %k)
    step() finish(%a : {A}) results(%q, %s : {Q}, {S})
    maps [#row, #row, #rowScale] attributes {{tag = "quantise"}} {{
  }} {{
  ^bb0(%x: !row):
    %w = arith.extf %x : !row to !wideRow
    %largest = grid.row_reduce absmax %w : !wideRow -> !one
    // A row of zeros has a scale too.
    %tiny = grid.splat 1.0e-30 : !one
    %some = arith.maximumf %largest, %tiny : !one
    %share = grid.splat {share:e} : !one
    %scale = arith.mulf %some, %share : !one
    %inverse = grid.apply recip %scale : !one
    %inverses = grid.broadcast %inverse : !one -> !wideRow
    %y = arith.mulf %w, %inverses : !wideRow
    %o = {convert} %y : !wideRow {to} !quantised
    grid.yield %o, %scale : !quantised, !one
  }}
  grid.barrier
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>,
                #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%q, %b : {Q}, {B}) finish(%s, %scales : {S}, {T}) results(%c : {C})
    maps [#a, #b, #s, #t, #c] attributes {{init = [0.0], tag = "gemm"}} {{
  ^bb0(%x: !a, %y: !b, %acc: !sum):
    %p = grid.matmul %x, %y, %acc : !a, !b -> !sum
    grid.yield %p : !sum
  }} {{
  ^bb0(%rows: !one, %cols: !t, %sum: !sum):
{widen}    %rowScales = grid.broadcast %rows : !one -> !wide
    %colScales = grid.broadcast %cols : !t -> !wide
    %f = arith.mulf %{wide}, %rowScales : !wide
    %g = arith.mulf %f, %colScales : !wide
    %o = arith.truncf %g : !wide to !out
    grid.yield %o : !out
  }}
}}
)",
      fmt::arg("x", typeName(activation)), fmt::arg("q", typeName(product)),
      fmt::arg("sum", isInteger ? "i32" : "f32"),
      fmt::arg("A", buffer(m, k, activation)),
      fmt::arg("B", buffer(n, k, product)),
      fmt::arg("T", buffer(1, n, DType::F32)),
      fmt::arg("Q", buffer(m, k, product)),
      fmt::arg("S", buffer(m, 1, DType::F32)),
      fmt::arg("C", buffer(m, n, activation)), fmt::arg("m", m),
      fmt::arg("n", n), fmt::arg("k", k),
      fmt::arg("share", 1 / largestQuantised(product)),
      fmt::arg("convert", isInteger ? "grid.round" : "arith.truncf"),
      fmt::arg("to", isInteger ? "->" : "to"),
      fmt::arg("widen", isInteger
                            ? "    %wide = arith.sitofp %sum : !sum to !wide\n"
                            : ""),
      fmt::arg("wide", isInteger ? "wide" : "sum"));
}
