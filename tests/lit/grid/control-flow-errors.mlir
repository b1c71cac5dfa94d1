// SPDX-License-Identifier: Apache-2.0
// Control flow that the harts of a PE are not given.
// RUN: chipwright-opt -attach-chip -grid-to-commands -verify-diagnostics %s

grid.program @p(%x: !grid.buffer<64x64xf32>, %n: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  // expected-error @+1 {{is no control flow of a tile program; use scf.for, scf.if or grid.parallel}}
  %last = scf.while (%i = %zero) : (index) -> index {
    %more = arith.cmpi ult, %i, %n : index
    scf.condition(%more) %i : index
  } do {
  ^bb0(%i: index):
    %tile = grid.load %x[%i, %zero] : !grid.buffer<64x64xf32> -> tensor<1x64xf32>
    grid.store %tile, %x[%i, %zero] : tensor<1x64xf32>, !grid.buffer<64x64xf32>
    %next = arith.addi %i, %one : index
    scf.yield %next : index
  }
}
