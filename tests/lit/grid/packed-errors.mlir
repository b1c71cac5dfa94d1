// SPDX-License-Identifier: Apache-2.0
// What the verifiers refuse of elements that share a byte, and of their scales.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

// expected-error @+1 {{rows of 'i4' are whole bytes: the last size is a known even number, found 5}}
grid.program @odd(%x: !grid.buffer<4x5xi4>) {
}

// -----

// expected-error @+1 {{rows of 'f4E2M1FN' are whole bytes: the last size is a known even number, found ?}}
grid.program @unknown(%x: !grid.buffer<4x?xf4E2M1FN>) {
}

// -----

grid.program @odd_tile(%x: !grid.buffer<4x8xi4>, %i: index) {
  // expected-error @+1 {{loads rows of whole bytes: an even number of columns (and width) of 'i4', found 'tensor<4x3xi4>'}}
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xi4> -> tensor<4x3xi4>
}

// -----

grid.program @odd_width(%x: !grid.buffer<4x8xi4>, %i: index) {
  // expected-error @+1 {{loads rows of whole bytes: an even number of columns (and width) of 'i4', found 'tensor<4x4xi4>'}}
  %t = grid.load %x[%i, %i] {width = 3} : !grid.buffer<4x8xi4> -> tensor<4x4xi4>
}

// -----

grid.program @minus_infinity(%x: !grid.buffer<4x8xf4E2M1FN>, %i: index) {
  // expected-error @+1 {{fills with minus infinity, which 'f4E2M1FN' lacks}}
  %t = grid.load %x[%i, %i] {fill = #grid<fill neg_inf>} : !grid.buffer<4x8xf4E2M1FN> -> tensor<4x8xf4E2M1FN>
}

// -----

grid.program @store(%x: !grid.buffer<4x8xi4>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xi4> -> tensor<4x8xi4>
  // expected-error @+1 {{stores 'i4', which no engine writes: such buffers are filled by the host}}
  grid.store %t, %x[%i, %i] : tensor<4x8xi4>, !grid.buffer<4x8xi4>
}

// -----

grid.program @product(%x: !grid.buffer<4x8xi4>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xi4> -> tensor<4x8xi4>
  %z = arith.constant dense<0> : tensor<4x4xi32>
  // expected-error @+1 {{multiplies 'i4', which no engine does; convert it to a 16-bit type first}}
  %p = grid.matmul %t, %t, %z : tensor<4x8xi4>, tensor<4x8xi4> -> tensor<4x4xi32>
}

// -----

grid.program @product_of_scales(%x: !grid.buffer<4x8xf8E8M0FNU>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xf8E8M0FNU> -> tensor<4x8xf8E8M0FNU>
  %z = arith.constant dense<0.0> : tensor<4x4xf32>
  // expected-error @+1 {{multiplies 'f8E8M0FNU', which no engine does; convert it to a 16-bit type first}}
  %p = grid.matmul %t, %t, %z : tensor<4x8xf8E8M0FNU>, tensor<4x8xf8E8M0FNU> -> tensor<4x4xf32>
}

// -----

grid.program @turn(%x: !grid.buffer<4x8xi4>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xi4> -> tensor<4x8xi4>
  // expected-error @+1 {{moves whole bytes, found 'i4'; convert the tile first}}
  %u = grid.transpose %t : tensor<4x8xi4> -> tensor<8x4xi4>
}

// -----

grid.program @largest(%x: !grid.buffer<4x8xf4E2M1FN>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xf4E2M1FN> -> tensor<4x8xf4E2M1FN>
  // expected-error @+1 {{takes no 'f4E2M1FN'; convert the tile first}}
  %v, %c = grid.topk %t : tensor<4x8xf4E2M1FN> -> tensor<4x2xf4E2M1FN>, tensor<4x2xi32>
}

// -----

grid.program @segments(%x: !grid.buffer<4x8xf32>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xf32> -> tensor<4x3xf32>
  // expected-error @+1 {{repeats an element of the tile's type for each 32 columns of 'tensor<4x128xf32>', found 'tensor<4x3xf32>'}}
  %r = grid.broadcast %t segment 32 : tensor<4x3xf32> -> tensor<4x128xf32>
}

// -----

grid.program @no_columns(%x: !grid.buffer<4x8xf32>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x8xf32> -> tensor<4x4xf32>
  // expected-error @+1 {{a segment has at least one column, found 0}}
  %r = grid.broadcast %t segment 0 : tensor<4x4xf32> -> tensor<4x128xf32>
}

// -----

grid.program @kind(%x: !grid.buffer<4x64xf32>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x64xf32>
  %y = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x2xf32>
  // expected-error @+1 {{y1 is of kind per_segment, which needs `segment`, a number of columns}}
  %s = grid.simd %t y1 %y : tensor<4x2xf32> {y1_kind = #grid<operand per_segment>} : tensor<4x64xf32> out tensor<4x64xf32>
}

// -----

grid.program @count(%x: !grid.buffer<4x64xf32>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x64xf32>
  %y = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x3xf32>
  // expected-error @+1 {{y1 is of kind per_segment for 4 x 64 elements, found 'tensor<4x3xf32>'}}
  %s = grid.simd %t y1 %y : tensor<4x3xf32> {segment = 32 : i64, y1_kind = #grid<operand per_segment>} : tensor<4x64xf32> out tensor<4x64xf32>
}

// -----

grid.program @second(%x: !grid.buffer<4x64xf32>, %q: !grid.buffer<4x64xi4>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x64xf32>
  %y = grid.load %q[%i, %i] : !grid.buffer<4x64xi4> -> tensor<4x64xi4>
  // expected-error @+1 {{y1 is of 'i4', which only x may be; convert it by an operation of its own}}
  %s = grid.simd %t y1 %y : tensor<4x64xi4> {y1_kind = #grid<operand tile>} : tensor<4x64xf32> out tensor<4x64xf32>
}

// -----

grid.program @written(%x: !grid.buffer<4x64xf32>, %i: index) {
  %t = grid.load %x[%i, %i] : !grid.buffer<4x64xf32> -> tensor<4x64xf32>
  // expected-error @+1 {{yields 'f4E2M1FN', which no engine writes}}
  %s = grid.simd %t : tensor<4x64xf32> out tensor<4x64xf4E2M1FN>
}

// -----

// expected-error @+1 {{expected a divisor of 2 to 65536, found 1}}
!t = tensor<?x?xf32, #grid.dims<n, k / 1>>

// -----

#x = affine_map<(m, k) -> (m, k floordiv 32)>
#y = affine_map<(m, k) -> (m, k)>
grid.program @divisor(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x256xf32>) {
  %m = arith.constant 8 : index
  %k = arith.constant 256 : index
  // expected-error @+1 {{a tile of finish is 'tensor<?x?xf32, #grid.dims<m, k / 16>>'; its map divides k by 32, expected the same divisor}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<k, parallel>] sizes(%m, %k)
    step() finish(%x : !grid.buffer<8x8xf32>) results(%y : !grid.buffer<8x256xf32>)
    maps [#x, #y] {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, k / 16>>):
    %u = grid.broadcast %t segment 16 : tensor<?x?xf32, #grid.dims<m, k / 16>> -> tensor<?x?xf32, #grid.dims<m, k>>
    grid.yield %u : tensor<?x?xf32, #grid.dims<m, k>>
  }
}

// -----

#x = affine_map<(m, k) -> (m, k floordiv 32)>
#y = affine_map<(m, k) -> (m, k)>
grid.program @blocks(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x256xf32>) {
  %m = arith.constant 8 : index
  %k = arith.constant 256 : index
  // expected-error @+1 {{schedule: blocks of k are multiples of 32, found 48}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<k, parallel>] sizes(%m, %k)
    step() finish(%x : !grid.buffer<8x8xf32>) results(%y : !grid.buffer<8x256xf32>)
    maps [#x, #y] attributes {schedule = #grid.schedule<tile = [8, 48], on = [row, col]>} {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, k / 32>>):
    %u = grid.broadcast %t segment 32 : tensor<?x?xf32, #grid.dims<m, k / 32>> -> tensor<?x?xf32, #grid.dims<m, k>>
    grid.yield %u : tensor<?x?xf32, #grid.dims<m, k>>
  }
}
