// SPDX-License-Identifier: Apache-2.0
// y = x / sqrt(mean(x^2) + eps) * w, rows of 320
#x = affine_map<(m, h) -> (m, h)>
#w = affine_map<(m, h) -> (0, h)>
!row = tensor<?x320xf32, #grid.dims<m, _>>
!one = tensor<?x1xf32, #grid.dims<m, _>>
grid.program @rmsnorm(%x: !grid.buffer<?x320xf32>, %w: !grid.buffer<1x320xf32>, %y: !grid.buffer<?x320xbf16>) {
  %m = grid.dim %x, 0 : !grid.buffer<?x320xf32>
  %h = arith.constant 320 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<h, full>] sizes(%m, %h)
    step() finish(%x, %w : !grid.buffer<?x320xf32>, !grid.buffer<1x320xf32>) results(%y : !grid.buffer<?x320xbf16>)
    maps [#x, #w, #x] attributes {tag = "norm", schedule = #grid.schedule<tile = [8, 320], on = [all, seq]>} {
  } {
  ^bb0(%a: !row, %b: tensor<1x320xf32>):
    %n = grid.splat 0.003125 : !one
    %eps = grid.splat 1.0e-5 : !one
    %sum = grid.row_reduce sumsq %a : !row -> !one
    %mean = arith.mulf %sum, %n : !one
    %shifted = arith.addf %mean, %eps : !one
    %scale = math.rsqrt %shifted : !one
    %scales = grid.broadcast %scale : !one -> !row
    %weights = grid.broadcast %b : tensor<1x320xf32> -> !row
    %scaled = arith.mulf %a, %scales : !row
    %out = arith.mulf %scaled, %weights : !row
    %o = arith.truncf %out : !row to tensor<?x320xbf16, #grid.dims<m, _>>
    grid.yield %o : tensor<?x320xbf16, #grid.dims<m, _>>
  }
}
