// SPDX-License-Identifier: Apache-2.0
// Which fields are written where.
// RUN: chipwright-opt -split-input-file --pe-assign-contexts --cse %s | FileCheck %s

// Fields that do not vary are written once, before the loop; the address goes
// into the word. A launch begins with zero fields: those are not written.
// CHECK-LABEL: func.func @kernel_load
func.func @kernel_load(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c64 = arith.constant 64 : i64
  // CHECK: %[[SHAPE:.*]] = arith.constant 4194305 : i64
  // CHECK-NEXT: pe.set 0, 1, %[[SHAPE]]
  // CHECK-NEXT: %[[LOCAL:.*]] = arith.constant 3 : i64
  // CHECK-NEXT: pe.set 0, 3, %[[LOCAL]]
  // CHECK-NEXT: pe.set 0, 4, %[[SHAPE]]
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: %[[I:.*]] = pe.load
  // CHECK-NEXT: pe.go dma_in 0, %[[I]] tag "in"
  // CHECK-NOT: pe.set
  scf.for %i = %c0 to %n step %c64 : i64 {
    %x = pe.load %n[0] : i64
    pe.dma_in {cb = 3, rows = 1, row_bytes = 64, valid_rows = 1, valid_bytes = 64, addr = %x} tag "in"
  }
  return
}

// -----

// A value of the outer loop is written there, signed slices keep their sign
// out of their neighbours, and two slices of a field are one write.
// CHECK-LABEL: func.func @kernel_load
func.func @kernel_load(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // CHECK: scf.for %[[I:.*]] =
  // CHECK: %[[C24:.*]] = arith.constant 24 : i64
  // CHECK-NEXT: %[[UP:.*]] = arith.shli %[[I]], %[[C24]]
  // CHECK-NEXT: %[[PITCH:.*]] = arith.shrui %[[UP]], %[[C24]]
  // CHECK-NEXT: pe.set 0, 2, %[[PITCH]]
  // CHECK: %[[C16:.*]] = arith.constant 16 : i64
  // CHECK-NEXT: %[[BYTES:.*]] = arith.shli %[[I]], %[[C16]]
  // CHECK-NEXT: %[[BOTH:.*]] = arith.ori %arg0, %[[BYTES]]
  // CHECK-NEXT: pe.set 0, 4, %[[BOTH]]
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: %[[J:.*]] = pe.load
  // CHECK-NEXT: pe.go dma_out 0, %[[J]]
  scf.for %i = %c0 to %n step %c1 : i64 {
    scf.for %j = %c0 to %n step %c1 : i64 {
      %x = pe.load %n[0] : i64
      pe.dma_out {addr = %x, pitch = %i, valid_rows = %n, valid_bytes = %i}
    }
  }
  return
}

// -----

// Commands that differ in the word share a context; constants that are equal
// stay in the field. Without a loop nothing is gained by auto.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64) {
  // CHECK: %[[A:.*]] = arith.constant 2097153 : i64
  // CHECK-NEXT: pe.set 0, 2, %[[A]]
  // CHECK-NEXT: %[[W0:.*]] = arith.constant 64 : i64
  // CHECK-NEXT: pe.go mml 0, %[[W0]]
  // CHECK-NEXT: %[[W1:.*]] = arith.constant 281474976710656 : i64
  // CHECK-NEXT: pe.go mml 0, %[[W1]]
  pe.mml {a_rows = 1, b_rows = 32, a_offset = 64}
  pe.mml {a_rows = 1, b_rows = 32, bank = 1}
  // Another shape is another context; a word of 0 needs no register, because
  // auto and step are 0.
  // CHECK: pe.set 1, 2,
  // CHECK-NEXT: pe.go mml 1{{$}}
  pe.mml {a_rows = 2, b_rows = 32}
  return
}

// -----

// Equal steps in a row: auto-increment.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // The step is written once.
  // CHECK: %[[STEP:.*]] = arith.constant 281474976710720 : i64
  // CHECK-NEXT: pe.set 0, 15, %[[STEP]]
  // CHECK: scf.for
  // CHECK: %[[X:.*]] = pe.load
  // CHECK: pe.set 0, 14, %[[X]]
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 0{{$}}
  // A chip without contexts has no auto.
  scf.for %i = %c0 to %n step %c1 : i64 {
    %c64 = arith.constant 64 : i64
    %c128 = arith.constant 128 : i64
    %x = pe.load %n[0] : i64
    %i1 = arith.addi %x, %c64 : i64
    %i2 = arith.addi %x, %c128 : i64
    pe.mml {a_offset = %x}
    pe.mml {a_offset = %i1, bank = 1}
    pe.mml {a_offset = %i2, bank = 2}
  }
  return
}


// -----

// Two parts of a product: their words grow by the same from one round to the
// next, so each part gets a context with auto-increment of its own.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // CHECK: pe.set 0, 15, %[[STEP:.*]]
  // CHECK: pe.set 1, 15, %[[STEP]]
  // CHECK: scf.for
  // CHECK: pe.set 0, 14,
  // CHECK: pe.go mml 0{{$}}
  // CHECK: pe.set 1, 14,
  // CHECK-NEXT: pe.go mml 1{{$}}
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 1{{$}}
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 1{{$}}
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 1{{$}}
  // CHECK-NEXT: }
  scf.for %i = %c0 to %n step %c1 : i64 {
    %x = pe.load %n[0] : i64
    pe.mml {a_cb = 1, a_offset = %x, bank = 0}
    pe.mml {a_cb = 1, a_offset = %x, bank = 5}
    pe.mml {a_cb = 1, a_offset = %x, bank = 1}
    pe.mml {a_cb = 1, a_offset = %x, bank = 6}
    pe.mml {a_cb = 1, a_offset = %x, bank = 2}
    pe.mml {a_cb = 1, a_offset = %x, bank = 7}
    pe.mml {a_cb = 1, a_offset = %x, bank = 3}
    pe.mml {a_cb = 1, a_offset = %x, bank = 8}
  }
  return
}

// -----

// Too narrow a term: an offset of a word is at most 21 bits for xpe.se, so a
// larger constant goes into the field, and its command gets its own context.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%v: i64) {
  // CHECK: pe.go se 0, %{{.*}}
  pe.se {rows = 1, offset = 64, y1_offset = 8}
  // CHECK: %[[X:.*]] = arith.constant 536870912 : i64
  // CHECK-NEXT: pe.set 1, 0, %[[X]]
  // CHECK: pe.go se 1, %{{.*}}
  pe.se {rows = 1, offset = 0x200000, y1_offset = %v}
  // CHECK: pe.go se 0, %{{.*}}
  pe.se {rows = 1, offset = 32, y1_offset = %v}
  return
}

// -----

// A loop that runs as often as a value says: auto is written before it, for
// its first round, and grows by the same from round to round.
// CHECK-LABEL: func.func @kernel_compute
func.func @kernel_compute(%first: i64, %n: i64) {
  // CHECK: %[[W:.*]] = arith.shli %arg0, %{{.*}}
  // CHECK-NEXT: pe.set 0, 14, %[[W]]
  // CHECK: pe.set 1, 14, %{{.*}}
  // CHECK: pe.set 0, 15, %[[STEP:.*]]
  // CHECK: pe.set 1, 15, %[[STEP]]
  // CHECK: scf.for
  // CHECK-NEXT: pe.go mml 0{{$}}
  // CHECK-NEXT: pe.go mml 1{{$}}
  // CHECK-NEXT: }
  %c1 = arith.constant 1 : i64
  %c5 = arith.constant 5 : i64
  scf.for %i = %first to %n step %c1 : i64 {
    %offset = arith.shli %i, %c5 : i64
    pe.mml {a_offset = %offset, accumulate = 1}
    pe.mml {a_offset = %offset, accumulate = 1, bank = 1}
  }
  return
}
