// SPDX-License-Identifier: Apache-2.0
// C[64, 64] = A[64, 128] B[64, 128]^T, with a schedule for 2 x 2 PEs.

grid.program @gemm(%a: !grid.buffer<64x128xf16>, %b: !grid.buffer<64x128xf16>,
                   %c: !grid.buffer<64x64xf16>) {
  %m = arith.constant 64 : index
  %n = arith.constant 64 : index
  %k = arith.constant 128 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>,
                #grid.dim<k, reduction>] sizes(%m, %n, %k)
      step(%a, %b : !grid.buffer<64x128xf16>, !grid.buffer<64x128xf16>)
      finish()
      results(%c : !grid.buffer<64x64xf16>)
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
            affine_map<(m, n, k) -> (m, n)>]
      attributes {init = [0.0], tag = "gemm",
                  schedule = #grid.schedule<tile = [32, 32, 64],
                                            on = [row, col, seq]>} {
  ^step(%x: tensor<?x?xf16, #grid.dims<m, k>>,
        %y: tensor<?x?xf16, #grid.dims<n, k>>,
        %sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %next = grid.matmul %x, %y, %sum
        : tensor<?x?xf16, #grid.dims<m, k>>, tensor<?x?xf16, #grid.dims<n, k>>
       -> tensor<?x?xf32, #grid.dims<m, n>>
    grid.yield %next : tensor<?x?xf32, #grid.dims<m, n>>
  } {
  ^finish(%sum: tensor<?x?xf32, #grid.dims<m, n>>):
    %out = arith.truncf %sum : tensor<?x?xf32, #grid.dims<m, n>>
                            to tensor<?x?xf16, #grid.dims<m, n>>
    grid.yield %out : tensor<?x?xf16, #grid.dims<m, n>>
  }
  grid.end
}
