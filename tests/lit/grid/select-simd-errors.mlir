// SPDX-License-Identifier: Apache-2.0
// Element-wise work without a command.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(grid.program(grid-select-simd))' %s

grid.program @function(%x: !grid.buffer<1x2xf32>) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<1x2xf32> -> tensor<1x2xf32>
  // expected-error @+1 {{on tiles has no command of the SIMD engine; write it with operations that have}}
  %e = math.cos %t : tensor<1x2xf32>
  grid.store %e, %x[%0, %0] : tensor<1x2xf32>, !grid.buffer<1x2xf32>
}

// -----

grid.program @type(%x: !grid.buffer<1x2xf16>) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<1x2xf16> -> tensor<1x2xf16>
  // expected-error @+1 {{works on 'f16'; element-wise work is done in f32: extend the operands and truncate the result}}
  %e = arith.addf %t, %t : tensor<1x2xf16>
  grid.store %e, %x[%0, %0] : tensor<1x2xf16>, !grid.buffer<1x2xf16>
}

// -----

grid.program @repeat(%x: !grid.buffer<1x1xf32>, %y: !grid.buffer<4x2xf32>) {
  %0 = arith.constant 0 : index
  %t = grid.load %x[%0, %0] : !grid.buffer<1x1xf32> -> tensor<4x1xf32>
  // expected-error @+1 {{is used other than as the second operand of an element-wise operation on a tile}}
  %e = grid.broadcast %t : tensor<4x1xf32> -> tensor<4x2xf32>
  grid.store %e, %y[%0, %0] : tensor<4x2xf32>, !grid.buffer<4x2xf32>
}
