// SPDX-License-Identifier: Apache-2.0
// Attention of blocks of tokens over ranges of a cache: 4 heads of 64 that
// share 2 heads of keys and values. Fields of the work list: first token,
// number of tokens (at most 32), first slot, end of slots.
#q = affine_map<(e, h, t)[m0, ms, k0, k1] -> (m0, h * 64)>
#k = affine_map<(e, h, t)[m0, ms, k0, k1] -> (t, (h floordiv 2) * 64)>
#b = affine_map<(e, h, t)[m0, ms, k0, k1] -> (m0, 0)>
#tokens = affine_map<(e, h, t)[m0, ms, k0, k1] -> (m0 + ms)>
#slots = affine_map<(e, h, t)[m0, ms, k0, k1] -> (k1)>
#from = affine_map<()[m0, ms, k0, k1] -> (k0)>
#to = affine_map<()[m0, ms, k0, k1] -> (k1)>
!q = tensor<32x64xbf16>
!kv = tensor<?x64xbf16, #grid.dims<t, _>>
!vt = tensor<64x?xbf16, #grid.dims<_, t>>
!s = tensor<32x?xf32, #grid.dims<_, t>>
!p = tensor<32x?xbf16, #grid.dims<_, t>>
!o = tensor<32x64xf32>
!one = tensor<32x1xf32>
grid.program @attention(%q: !grid.buffer<?x256xbf16>, %k: !grid.buffer<512x128xbf16>, %v: !grid.buffer<512x128xbf16>, %bounds: !grid.buffer<?x2xi32>, %list: !grid.buffer<?x4xi32, control>, %out: !grid.buffer<?x256xbf16>) {
  %entries = grid.dim %list, 0 : !grid.buffer<?x4xi32, control>
  %heads = arith.constant 4 : index
  %all = arith.constant 512 : index
  grid.generic [#grid.dim<e, list>, #grid.dim<h, parallel>, #grid.dim<t, reduction>] sizes(%entries, %heads, %all)
    step(%q, %k, %v, %bounds : !grid.buffer<?x256xbf16>, !grid.buffer<512x128xbf16>, !grid.buffer<512x128xbf16>, !grid.buffer<?x2xi32>)
    finish() results(%out : !grid.buffer<?x256xbf16>) list(%list : !grid.buffer<?x4xi32, control>)
    maps [#q, #k, #k, #b, #q]
    attributes {init = [-1.0e30, 0.0, 0.0], limits = [#tokens, #slots, #slots, #tokens, #tokens], bounds = {t = [#from, #to]},
                tag = "attention", schedule = #grid.schedule<tile = [1, 1, 64], on = [all, all, seq]>} {
  ^bb0(%qt: !q, %kt: !kv, %vs: !kv, %win: tensor<32x2xi32>, %m: !one, %l: !one, %o: !o):
    %zero = grid.splat 0.0 : !s
    %factor = grid.splat 0.125 : !s
    %raw = grid.matmul %qt, %kt, %zero : !q, !kv -> !s
    %scaled = arith.mulf %raw, %factor : !s
    %base = grid.offset "t"
    %scores = grid.window %scaled, %win from %base fill 0xFF800000 : !s, tensor<32x2xi32>
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
  } {
  ^bb0(%m: !one, %l: !one, %o: !o):
    %r = grid.apply recip %l : !one
    %rs = grid.broadcast %r : !one -> !o
    %x = arith.mulf %o, %rs : !o
    %y = arith.truncf %x : !o to !q
    grid.yield %y : !q
  }
}
