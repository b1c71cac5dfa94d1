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

// -----

grid.program @odd_column(%x: !grid.buffer<4x64xi4>, %i: index) {
  %0 = arith.constant 0 : index
  // expected-error @+1 {{of 'i4' begins at a whole byte: at an even column, that is a constant, a multiple, or a loop's variable with even start and step}}
  %t = grid.load %x[%0, %i] : !grid.buffer<4x64xi4> -> tensor<4x32xi4>
}

// -----

grid.program @packed_part(%x: !grid.buffer<4x64xi4>, %y: !grid.buffer<4x32xf32>) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<4x64xi4> -> tensor<4x64xi4>
  // expected-error @+1 {{of a tile of 'i4'; convert the whole tile, and take a part of the result}}
  %p = tensor.extract_slice %t[0, 0] [4, 32] [1, 1] : tensor<4x64xi4> to tensor<4x32xi4>
  %s = grid.simd %p : tensor<4x32xi4> out tensor<4x32xf32>
  grid.store %s, %y[%0, %0] : tensor<4x32xf32>, !grid.buffer<4x32xf32>
}

// -----

grid.program @packed_infinity(%y: !grid.buffer<4x32xf32>) {
  %0 = arith.constant 0 : index
  // expected-error @+1 {{of minus infinity, which 'f4E2M1FN' lacks}}
  %t = grid.fill neg_inf : tensor<4x32xf4E2M1FN>
  %s = grid.simd %t : tensor<4x32xf4E2M1FN> out tensor<4x32xf32>
  grid.store %s, %y[%0, %0] : tensor<4x32xf32>, !grid.buffer<4x32xf32>
}

// -----

grid.program @packed_odd(%y: !grid.buffer<4x31xf32>) {
  %0 = arith.constant 0 : index
  // expected-error @+1 {{yields a tile with rows of whole bytes: an even number of columns, found 'tensor<4x31xi4>'}}
  %t = grid.fill zero : tensor<4x31xi4>
  %s = grid.simd %t : tensor<4x31xi4> out tensor<4x31xf32>
  grid.store %s, %y[%0, %0] : tensor<4x31xf32>, !grid.buffer<4x31xf32>
}
