//===- BlockProduct.cpp - A product with weights of 4 bits ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Tiles of codes and of scales come from memory; one command of the SIMD engine
// makes the 16-bit tile of them that is multiplied.
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "compiler/ops/TypeNames.h"

#include <fmt/format.h>

using namespace chipwright;

std::string programs::blockMatmul(DType type, DType codes, uint64_t m,
                                  uint64_t n, uint64_t k) {
  constexpr uint64_t kBlock = 32;
  const uint64_t blocks = (k + kBlock - 1) / kBlock;
  const DType scales = codes == DType::I4 ? DType::BF16 : DType::F8E8M0;
  auto buffer = [](uint64_t rows, uint64_t cols, DType element) {
    return fmt::format("!grid.buffer<{}x{}x{}>", rows, cols, typeName(element));
  };
  return fmt::format(
      R"(// SPDX-License-Identifier: Apache-2.0
// c = a w^T, w = codes * scales for each 32 columns
#a = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#s = affine_map<(m, n, k) -> (n, k floordiv 32)>
#c = affine_map<(m, n, k) -> (m, n)>
!a = tensor<?x?x{x}, #grid.dims<m, k>>
!codes = tensor<?x?x{q}, #grid.dims<n, k>>
!scales = tensor<?x?x{s}, #grid.dims<n, k / 32>>
!factors = tensor<?x?xf32, #grid.dims<n, k / 32>>
!wide = tensor<?x?xf32, #grid.dims<n, k>>
!w = tensor<?x?x{x}, #grid.dims<n, k>>
!sum = tensor<?x?xf32, #grid.dims<m, n>>
!out = tensor<?x?x{x}, #grid.dims<m, n>>
grid.program @gemm(%a: {A}, %codes: {Q}, %scales: {S}, %c: {C}) {{
  %m = arith.constant {m} : index
  %n = arith.constant {n} : index
  %k = arith.constant {k} : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>,
                #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %codes, %scales : {A}, {Q}, {S}) finish() results(%c : {C})
    maps [#a, #w, #s, #c] attributes {{init = [0.0], tag = "gemm"}} {{
  ^bb0(%x: !a, %y: !codes, %z: !scales, %acc: !sum):
    %numbers = {convert} %y : !codes to !wide
    %one = arith.extf %z : !scales to !factors
    %each = grid.broadcast %one segment 32 : !factors -> !wide
    %product = arith.mulf %numbers, %each : !wide
    %weights = arith.truncf %product : !wide to !w
    %p = grid.matmul %x, %weights, %acc : !a, !w -> !sum
    grid.yield %p : !sum
  }} {{
  ^bb0(%sum: !sum):
    %o = arith.truncf %sum : !sum to !out
    grid.yield %o : !out
  }}
}}
)",
      fmt::arg("x", typeName(type)), fmt::arg("q", typeName(codes)),
      fmt::arg("s", typeName(scales)), fmt::arg("A", buffer(m, k, type)),
      fmt::arg("Q", buffer(n, blocks * kBlock, codes)),
      fmt::arg("S", buffer(n, blocks, scales)),
      fmt::arg("C", buffer(m, n, type)), fmt::arg("m", m), fmt::arg("n", n),
      fmt::arg("k", k),
      fmt::arg("convert", codes == DType::I4 ? "arith.sitofp" : "arith.extf"));
}
