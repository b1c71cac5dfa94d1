// SPDX-License-Identifier: Apache-2.0
// Attributes of grid.generic that do not parse, and forms without a reduction.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

// expected-error @+1 {{expected parallel, reduction, full or list, found 'sum'}}
#d = #grid.dim<m, sum>

// -----

// expected-error @+1 {{expected seq, row, col or all, found 'column'}}
#s = #grid.schedule<tile = [1], on = [column]>

// -----

#x = affine_map<(m, n) -> (m, n)>
grid.program @step(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x8xf32>) {
  %m = arith.constant 8 : index
  // expected-error @+1 {{without a reduction takes its operands in finish}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, full>] sizes(%m, %m)
    step(%x : !grid.buffer<8x8xf32>) finish() results(%y : !grid.buffer<8x8xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x8xf32, #grid.dims<m, _>>):
    grid.yield %t : tensor<?x8xf32, #grid.dims<m, _>>
  }
}

// -----

#x = affine_map<(m, n) -> (m, n)>
grid.program @no_step(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x8xf32>) {
  %m = arith.constant 8 : index
  // expected-error @+1 {{has a reduction and no step}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, reduction>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<8x8xf32>) results(%y : !grid.buffer<8x8xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x8xf32, #grid.dims<m, _>>):
    grid.yield %t : tensor<?x8xf32, #grid.dims<m, _>>
  }
}

// -----

#x = affine_map<(e, n)[f] -> (f, n)>
grid.program @entries(%x: !grid.buffer<8x8xf32>, %y: !grid.buffer<8x8xf32>, %list: !grid.buffer<4x1xi32, control>) {
  %m = arith.constant 8 : index
  // expected-error @+1 {{schedule: entries of a list are taken one by one, found a block of 2}}
  grid.generic [#grid.dim<e, list>, #grid.dim<n, full>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<8x8xf32>) results(%y : !grid.buffer<8x8xf32>)
    list(%list : !grid.buffer<4x1xi32, control>)
    maps [#x, #x] attributes {schedule = #grid.schedule<tile = [2, 8], on = [all, seq]>} {
  } {
  ^bb0(%t: tensor<1x8xf32>):
    grid.yield %t : tensor<1x8xf32>
  }
}
