// SPDX-License-Identifier: Apache-2.0
// One context for several commands.
// RUN: chipwright-opt -split-input-file --pe-assign-contexts=contexts=1 --cse %s | FileCheck %s

// In an `if` a field is written in the branch, and not believed afterwards.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64, %b: i1) {
  // CHECK: pe.set 0, 1, %[[A:.*]]
  // CHECK-NEXT: pe.go mlu_copy 0
  pe.mlu_copy {rows = 1}
  // CHECK: scf.if
  scf.if %b {
    // CHECK: pe.set 0, 1,
    // CHECK-NEXT: pe.go mlu_copy 0
    pe.mlu_copy {rows = 2}
  }
  // CHECK: }
  // CHECK-NEXT: pe.set 0, 1, %[[A]]
  // CHECK-NEXT: pe.go mlu_copy 0
  pe.mlu_copy {rows = 1}
  return
}

// -----

// More groups than contexts: they share the last one and write what differs,
// zeros too.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // Field 1 is the same for all of them.
  // CHECK: pe.set 0, 1, %{{.*}}
  // CHECK-NEXT: scf.for
  scf.for %i = %c0 to %n step %c1 : i64 {
    // CHECK-NEXT: pe.set 0, 0, %{{.*}}
    // CHECK-NEXT: pe.set 0, 2, %[[ZERO:.*]]
    // CHECK-NEXT: pe.go mlu_copy 0, %{{.*}}
    pe.mlu_copy {cb = 1, rows = 1, offset = %i}
    // CHECK-NEXT: pe.set 0, 0, %[[ZERO]]
    // CHECK: pe.set 0, 2, %{{.*}}
    // CHECK-NEXT: pe.go mlu_transpose 0
    pe.mlu_transpose {rows = 1, out_cb = 3}
  }
  return
}
