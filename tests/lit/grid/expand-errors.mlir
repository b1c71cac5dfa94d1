// SPDX-License-Identifier: Apache-2.0
// Passes that need another one before them.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand))' %s

#x = affine_map<(m, n) -> (m, n)>
grid.program @p(%x: !grid.buffer<64x64xf32>, %y: !grid.buffer<64x64xf32>) {
  %m = arith.constant 64 : index
  // expected-error @+1 {{has no schedule; run grid-schedule first}}
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<64x64xf32>) results(%y : !grid.buffer<64x64xf32>)
    maps [#x, #x] {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, n>>):
    grid.yield %t : tensor<?x?xf32, #grid.dims<m, n>>
  }
}
