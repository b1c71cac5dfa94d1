// SPDX-License-Identifier: Apache-2.0
// C = A B^T
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
grid.program @matmul(%a: !grid.buffer<?x?xf16>, %b: !grid.buffer<?x?xf16>, %c: !grid.buffer<?x?xf16>) {
  %m = grid.dim %a, 0 : !grid.buffer<?x?xf16>
  %n = grid.dim %b, 0 : !grid.buffer<?x?xf16>
  %k = grid.dim %a, 1 : !grid.buffer<?x?xf16>
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<?x?xf16>, !grid.buffer<?x?xf16>) finish() results(%c : !grid.buffer<?x?xf16>)
    maps [#a, #b, #c] attributes {init = [0.0], tag = "matmul", schedule = #grid.schedule<tile = [64, 128, 128], on = [row, col, seq]>} {
  ^bb0(%x: tensor<?x?xf16, #grid.dims<m, k>>, %y: tensor<?x?xf16, #grid.dims<n, k>>, %acc: tensor<?x?xf32, #grid.dims<m, n>>):
    %s = grid.matmul %x, %y, %acc : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>> -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %s : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^bb0(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %o = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>> to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %o : tensor<?x?xf16, #grid.dims<m, n>>
  }
}
