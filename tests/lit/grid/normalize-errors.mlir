// SPDX-License-Identifier: Apache-2.0
// Tiles that no command makes.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(attach-chip,grid.program(grid-normalize))' %s

#x = affine_map<(m, n) -> (m, n)>
grid.program @unscheduled(%x: !grid.buffer<64x64xf32>, %y: !grid.buffer<64x64xf32>) {
  %m = arith.constant 64 : index
  // expected-error @+1 {{is not scheduled; run grid-expand first}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<64x64xf32>) results(%y : !grid.buffer<64x64xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, n>>):
    grid.yield %t : tensor<?x?xf32, #grid.dims<m, n>>
  }
}

// -----

grid.program @constant(%x: !grid.buffer<1x2xf32>) {
  %0 = arith.constant 0 : index
  // expected-error @+1 {{a constant tile has equal elements; put others into a buffer}}
  %t = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  grid.store %t, %x[%0, %0] : tensor<1x2xf32>, !grid.buffer<1x2xf32>
}

// -----

grid.program @upstream(%x: !grid.buffer<1x2xf32>) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<1x2xf32> -> tensor<1x2xf32>
  // expected-error @+1 {{yields a tile but no command computes it}}
  %e = math.exp %t : tensor<1x2xf32>
  grid.store %e, %x[%0, %0] : tensor<1x2xf32>, !grid.buffer<1x2xf32>
}

// -----

grid.program @gather(%x: !grid.buffer<8x2xf32>, %n: !grid.buffer<4x1xi32>) {
  %0 = arith.constant 0 : index
  %i = grid.load %n[%0, %0] : !grid.buffer<4x1xi32> -> tensor<4x1xi32>
  %j = grid.copy %i : tensor<4x1xi32>
  // expected-error @+1 {{gathers by row numbers that were computed on the chip; store them and load them behind a barrier}}
  %t = grid.load %x[%0, %0] gather %j : tensor<4x1xi32> : !grid.buffer<8x2xf32> -> tensor<4x2xf32>
  grid.store %t, %x[%0, %0] : tensor<4x2xf32>, !grid.buffer<8x2xf32>
}

// -----

grid.program @slice(%x: !grid.buffer<8x2xf32>, %i: index) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<8x2xf32> -> tensor<8x2xf32>
  // expected-error @+1 {{of a tile has constant offsets and no strides}}
  %s = tensor.extract_slice %t[%i, 0] [4, 2] [1, 1] : tensor<8x2xf32> to tensor<4x2xf32>
  grid.store %s, %x[%0, %0] : tensor<4x2xf32>, !grid.buffer<8x2xf32>
}
