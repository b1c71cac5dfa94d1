// SPDX-License-Identifier: Apache-2.0
// Every operation, printed and read again.
// RUN: chipwright-opt %s | chipwright-opt | FileCheck %s

// CHECK-LABEL: grid.program @every(
// CHECK-SAME: !grid.buffer<?x64xf16>, {{.*}}!grid.buffer<8x2xi32, control>, {{.*}}index
grid.program @every(%x: !grid.buffer<?x64xf16>, %list: !grid.buffer<8x2xi32, control>, %n: index,
                    %y: !grid.buffer<?x64xf32>, %rows: !grid.buffer<16x1xi32>, %z: !grid.buffer<?x8xi8>) {
  %0 = arith.constant 0 : index
  // CHECK: grid.dim %{{.*}}, 0 : <?x64xf16>
  %m = grid.dim %x, 0 : !grid.buffer<?x64xf16>
  // CHECK: grid.parallel %[[I:.*]] = %{{.*}} on col
  grid.parallel %i = %n on col {
    // CHECK: %[[MASK:.*]] = grid.members
    %mask = grid.members
    // CHECK: grid.read %{{.*}}[%[[I]], %{{.*}}] : <8x2xi32, control>
    %limit = grid.read %list[%i, %0] : !grid.buffer<8x2xi32, control>
    // CHECK: grid.load %{{.*}} limit %{{.*}} mask %[[MASK]] {fill = #grid<fill neg_inf>, multicast = #grid<multicast row>, policy = #grid<cache_policy stream>}
    %a = grid.load %x[%i, %0] limit %limit mask %mask {fill = #grid<fill neg_inf>, multicast = #grid<multicast row>, policy = #grid<cache_policy stream>} : !grid.buffer<?x64xf16> -> tensor<16x64xf16>
    %r = grid.load %rows[%0, %0] : !grid.buffer<16x1xi32> -> tensor<16x1xi32>
    // CHECK: grid.load %{{.*}} gather %{{.*}} : tensor<16x1xi32> : <?x64xf16> -> tensor<16x64xf16>
    %b = grid.load %x[%i, %0] gather %r : tensor<16x1xi32> : !grid.buffer<?x64xf16> -> tensor<16x64xf16>
    // CHECK: grid.fill zero : tensor<16x16xf32>
    %acc = grid.fill zero : tensor<16x16xf32>
    // CHECK: grid.matmul
    %s = grid.matmul %a, %b, %acc : tensor<16x64xf16>, tensor<16x64xf16> -> tensor<16x16xf32>
    // CHECK: grid.copy
    %c = grid.copy %s : tensor<16x16xf32>
    // CHECK: grid.apply silu
    %d = grid.apply silu %c : tensor<16x16xf32>
    // CHECK: grid.row_reduce max %{{.*}} : tensor<16x16xf32> -> tensor<16x1xf32>
    %e = grid.row_reduce max %d : tensor<16x16xf32> -> tensor<16x1xf32>
    // CHECK: grid.row_reduce sumsq %{{.*}} segment 4
    %f = grid.row_reduce sumsq %d segment 4 : tensor<16x16xf32> -> tensor<16x4xf32>
    // CHECK: grid.broadcast
    %g = grid.broadcast %e : tensor<16x1xf32> -> tensor<16x16xf32>
    // CHECK: grid.swap_pairs
    %h = grid.swap_pairs %g : tensor<16x16xf32>
    %bounds = grid.load %list[%0, %0] : !grid.buffer<8x2xi32, control> -> tensor<16x2xi32>
    // CHECK: grid.window %{{.*}}, %{{.*}} from %{{.*}} fill 0xFF800000
    %w = grid.window %h, %bounds from %0 fill 0xFF800000 : tensor<16x16xf32>, tensor<16x2xi32>
    // CHECK: grid.transpose
    %t = grid.transpose %w : tensor<16x16xf32> -> tensor<16x16xf32>
    // CHECK: grid.topk
    %v, %k = grid.topk %t : tensor<16x16xf32> -> tensor<16x2xf32>, tensor<16x2xi32>
    // CHECK: grid.round
    %q = grid.round %t : tensor<16x16xf32> -> tensor<16x16xi8>
    // CHECK: grid.simd %{{.*}} y1 %{{.*}} bounds %{{.*}} base %{{.*}} run %{{.*}} {{.*}} out tensor<16x16xf16> red tensor<16x1xf32>
    %out, %red = grid.simd %t y1 %e : tensor<16x1xf32> bounds %bounds : tensor<16x2xi32> base %0 run %e : tensor<16x1xf32> {y1_kind = #grid<operand per_row>, fill = 0.0 : f32, reduce = #grid<reduction max>} : tensor<16x16xf32> out tensor<16x16xf16> red tensor<16x1xf32>
    // CHECK: grid.store %{{.*}} limit %{{.*}} scatter %{{.*}} : tensor<16x1xi32> {policy = #grid<cache_policy no_writeback>}
    grid.store %b, %x[%0, %0] limit %limit scatter %r : tensor<16x1xi32> {policy = #grid<cache_policy no_writeback>} : tensor<16x64xf16>, !grid.buffer<?x64xf16>
  }
  // CHECK: grid.barrier
  grid.barrier
  // CHECK: grid.generic [#grid.dim<e, list>, #grid.dim<m, parallel>, #grid.dim<n, full>]
  // CHECK-SAME: list(%{{.*}} : !grid.buffer<8x2xi32, control>)
  // CHECK-SAME: schedule = #grid.schedule<tile = [1, 4, 64], on = [all, all, seq]>
  // CHECK: grid.offset "m"
  // CHECK: grid.splat 2.000000e+00
  // CHECK: grid.yield
  grid.generic [#grid.dim<e, list>, #grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%n, %m, %n)
    step() finish(%x : !grid.buffer<?x64xf16>) results(%y : !grid.buffer<?x64xf32>)
    list(%list : !grid.buffer<8x2xi32, control>)
    maps [affine_map<(e, m, n)[f, g] -> (m + f, n)>, affine_map<(e, m, n)[f, g] -> (m + f, n)>]
    attributes {limits = [affine_map<(e, m, n)[f, g] -> (g)>, unit],
                schedule = #grid.schedule<tile = [1, 4, 64], on = [all, all, seq]>} {
  } {
  ^bb0(%t: tensor<?x64xf16, #grid.dims<m, _>>):
    %i = grid.offset "m"
    %two = grid.splat 2.0 : tensor<?x64xf32, #grid.dims<m, _>>
    %w = arith.extf %t : tensor<?x64xf16, #grid.dims<m, _>> to tensor<?x64xf32, #grid.dims<m, _>>
    %o = arith.mulf %w, %two : tensor<?x64xf32, #grid.dims<m, _>>
    grid.yield %o : tensor<?x64xf32, #grid.dims<m, _>>
  }
}
