// SPDX-License-Identifier: Apache-2.0
// Operations that no schedule fits.
// RUN: chipwright-opt -split-input-file -verify-diagnostics -attach-chip="chip=mtia-2i set=ls.bytes=65536" -grid-schedule %s

#x = affine_map<(m, n) -> (m, n)>
grid.program @wide(%x: !grid.buffer<8x20000xf32>, %y: !grid.buffer<8x20000xf32>) {
  %m = arith.constant 8 : index
  %n = arith.constant 20000 : index
  // expected-error @+1 {{has no schedule for mtia-2i: the smallest tiles of its operands need more than the 61312 bytes of local memory (ls.bytes less stacks and arguments), or a sum more than 4 accumulator banks (re.banks) of 32 x 64}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %n)
    step() finish(%x : !grid.buffer<8x20000xf32>) results(%y : !grid.buffer<8x20000xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x20000xf32, #grid.dims<m, _>>):
    grid.yield %t : tensor<?x20000xf32, #grid.dims<m, _>>
  }
}

// -----

// A transposed row comes back in a tile of its own.
#x = affine_map<(m, n) -> (m, n)>
#y = affine_map<(m, n) -> (n, m)>
grid.program @twice(%x: !grid.buffer<8x6000xf32>, %y: !grid.buffer<6000x8xf32>) {
  %m = arith.constant 8 : index
  %n = arith.constant 6000 : index
  // expected-note @+2 {{CB 0: 1 x 24000 bytes for this 'tensor<1x6000xf32>'}}
  // expected-error @+1 {{has no schedule for mtia-2i; with its smallest tiles, #grid.schedule<tile = [1, 6000], on = [all, seq]>: tiles of @twice need 72000 bytes of local memory, mtia-2i has 61312 besides stacks and arguments (ls.bytes); use smaller tiles}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %n)
    step() finish(%x : !grid.buffer<8x6000xf32>) results(%y : !grid.buffer<6000x8xf32>)
    maps [#x, #y] {
  } {
  ^bb0(%t: tensor<?x6000xf32, #grid.dims<m, _>>):
    // expected-note @+1 {{CB 1: 1 x 24000 bytes for this 'tensor<1x6000xf32>'}}
    %a = math.exp %t : tensor<?x6000xf32, #grid.dims<m, _>>
    // expected-note @+1 {{CB 2: 1 x 24000 bytes for this 'tensor<6000x1xf32>'}}
    %u = grid.transpose %a : tensor<?x6000xf32, #grid.dims<m, _>> -> tensor<6000x?xf32, #grid.dims<_, m>>
    grid.yield %u : tensor<6000x?xf32, #grid.dims<_, m>>
  }
}

// -----

#x = affine_map<(m, n) -> (m, n)>
grid.program @unknown(%x: !grid.buffer<8x?xf32>, %y: !grid.buffer<8x?xf32>) {
  %m = arith.constant 8 : index
  %n = grid.dim %x, 1 : !grid.buffer<8x?xf32>
  // expected-error @+1 {{dimension n is of kind full and its size is not known; use a constant, or another kind}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %n)
    step() finish(%x : !grid.buffer<8x?xf32>) results(%y : !grid.buffer<8x?xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, n>>):
    grid.yield %t : tensor<?x?xf32, #grid.dims<m, n>>
  }
}

// -----

#x = affine_map<(m, n) -> (m, n)>
grid.program @hints(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x8xf32>) {
  %m = arith.constant 8 : index
  // expected-error @+1 {{size_hints is an array of i64 with one number for each of the 2 dimensions, found array<i64: 3>}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<8x8xf32>) results(%y : !grid.buffer<8x8xf32>)
    maps [#x, #x] attributes {size_hints = array<i64: 3>} {
  } {
  ^bb0(%t: tensor<?x8xf32, #grid.dims<m, _>>):
    grid.yield %t : tensor<?x8xf32, #grid.dims<m, _>>
  }
}
