// SPDX-License-Identifier: Apache-2.0
// out = 30 tanh(in / 30), element by element

#flat = affine_map<(n) -> (0, n)>
!tile = tensor<1x?xf16, #grid.dims<_, n>>
!wide = tensor<1x?xf32, #grid.dims<_, n>>

grid.program @softcap(%in: !grid.buffer<1x?xf16>, %out: !grid.buffer<1x?xf16>) {
  %n = grid.dim %in, 1 : !grid.buffer<1x?xf16>
  grid.generic [#grid.dim<n, parallel>] sizes(%n)
    step() finish(%in : !grid.buffer<1x?xf16>)
    results(%out : !grid.buffer<1x?xf16>)
    maps [#flat, #flat] attributes {stream = array<i64: 0>, tag = "softcap",
                                    size_hints = array<i64: 1048576>} {
  } {
  ^bb0(%x: !tile):
    %f = arith.extf %x : !tile to !wide
    %inverse = grid.splat 0.0333333333 : !wide
    %cap = grid.splat 30.0 : !wide
    %small = arith.mulf %f, %inverse : !wide
    %t = math.tanh %small : !wide
    %y = arith.mulf %t, %cap : !wide
    %o = arith.truncf %y : !wide to !tile
    grid.yield %o : !tile
  }
}
