// SPDX-License-Identifier: Apache-2.0
// Short loops with constant bounds around commands are unrolled, others stay.
// RUN: chipwright-opt --pe-unroll=max-commands=8 --canonicalize %s | FileCheck %s

// CHECK-LABEL: func.func @kernel_load
func.func @kernel_load(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c4 = arith.constant 4 : i64
  // Eight commands: both loops go.
  // CHECK-NOT: scf.for
  // CHECK-COUNT-8: pe.mlu_copy
  scf.for %i = %c0 to %c4 step %c1 : i64 {
    scf.for %j = %c0 to %c2 step %c1 : i64 {
      pe.mlu_copy {offset = %i, out_offset = %j}
    }
  }
  // Sixteen: the inner one only.
  // CHECK: scf.for
  // CHECK-NOT: scf.for
  // CHECK-COUNT-4: pe.mlu_transpose
  // CHECK-NOT: pe.mlu_transpose
  scf.for %i = %c0 to %c4 step %c1 : i64 {
    scf.for %j = %c0 to %c4 step %c1 : i64 {
      pe.mlu_transpose {offset = %i, out_offset = %j}
    }
  }
  // Without a command, or with bounds that are not constant: none.
  // CHECK: scf.for
  // CHECK-NEXT: pe.cb_pop
  scf.for %i = %c0 to %c2 step %c1 : i64 {
    pe.cb_pop 0, %i
  }
  // CHECK: scf.for
  // CHECK-NEXT: pe.mlu_copy
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.mlu_copy {offset = %i}
  }
  return
}
