// SPDX-License-Identifier: Apache-2.0
// A chip without contexts: every command writes its fields.
// RUN: chipwright-opt -split-input-file --pe-assign-contexts=contexts=0 --cse %s | FileCheck %s

// Fields that do not vary are written once, before the loop; the address goes
// into the word. A launch begins with zero fields: those are not written.
// CHECK-LABEL: func.func @kernel_load
func.func @kernel_load(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c64 = arith.constant 64 : i64
  // CHECK-NOT: pe.set
  // CHECK: scf.for %[[I:.*]] =
  // CHECK: pe.set 0, 1,
  // CHECK: pe.set 0, 3,
  // CHECK: pe.set 0, 4,
  // CHECK-NEXT: pe.go dma_in 0, %[[I]] tag "in"
  scf.for %i = %c0 to %n step %c64 : i64 {
    pe.dma_in {cb = 3, rows = 1, row_bytes = 64, valid_rows = 1, valid_bytes = 64, addr = %i} tag "in"
  }
  return
}

// -----

// Equal steps in a row: auto-increment.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // The step is written once.
  // A chip without contexts has no auto.
  // CHECK-NOT: pe.set 0, 14
  // CHECK-NOT: pe.set 0, 15
  scf.for %i = %c0 to %n step %c1 : i64 {
    %c64 = arith.constant 64 : i64
    %c128 = arith.constant 128 : i64
    %i1 = arith.addi %i, %c64 : i64
    %i2 = arith.addi %i, %c128 : i64
    pe.mml {a_offset = %i}
    pe.mml {a_offset = %i1, bank = 1}
    pe.mml {a_offset = %i2, bank = 2}
  }
  return
}

