// SPDX-License-Identifier: Apache-2.0
// Programs that pushes, pops and fill of CBs are right in, or not known of.
// RUN: chipwright-opt -split-input-file --pe-check-rings -verify-diagnostics %s

// A loop of both harts with a trip count from the arguments, and a tile that
// is carried around it by hart 1: filled before, drained behind.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %a = arith.constant 0x80000000000 : i64
  %b = arith.constant 0x80000000800 : i64
  pe.cb_setup 0, %a
  pe.cb_setup 1, %b
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.dma_in {cb = 0, addr = %i, rows = 4, row_bytes = 256, valid_rows = 4, valid_bytes = 256} tag "a"
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %tile = arith.constant 1024 : i64
  pe.cb_push 1, %tile
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.se {cb = 0, rows = 4, cols = 64, y1_cb = 1, y1_kind = tile, y1_pitch = 256, pitch = 256, store = 1, out_cb = 1, out_pitch = 256}
    pe.cb_push 1, %tile
    pe.cb_pop 1, %tile
    pe.cb_pop 0, %tile
  }
  pe.dma_out {cb = 1, addr = %c0, rows = 4, row_bytes = 256, valid_rows = 4, valid_bytes = 256}
  return
}

// -----

// Filled by hart 0 before the loop and drained by hart 1 behind it; a branch
// on a value from memory that both read; slots of a size known at run time.
func.func @kernel_load(%args: i64) {
  %list = pe.arg %args[0] : i64
  %n = pe.arg %args[8] : i64
  %c0 = arith.constant 0 : i64
  %c8 = arith.constant 8 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %ring
  pe.cb_setup 2, %ring
  pe.dma_in {cb = 0, addr = %n, rows = 2, row_bytes = 1024}
  scf.for %i = %c0 to %n step %c8 : i64 {
    %at = arith.addi %list, %i : i64
    %kind = pe.load %at[0] : i64
    %is = arith.cmpi eq, %kind, %c0 : i64
    scf.if %is {
      pe.dma_in {cb = 1, addr = %at, rows = 1, row_bytes = 1024}
    } else {
      pe.dma_in {cb = 1, addr = %at, rows = 2, row_bytes = 1024}
    }
    pe.dma_in {cb = 2, addr = %at, rows = 1, row_bytes = %kind}
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %list = pe.arg %args[0] : i64
  %n = pe.arg %args[8] : i64
  %c0 = arith.constant 0 : i64
  %c8 = arith.constant 8 : i64
  %one = arith.constant 1024 : i64
  %two = arith.constant 2048 : i64
  scf.for %i = %c0 to %n step %c8 : i64 {
    %at = arith.addi %list, %i : i64
    %kind = pe.load %at[0] : i64
    %is = arith.cmpi eq, %kind, %c0 : i64
    scf.if %is {
      pe.cb_pop 1, %one
    } else {
      pe.cb_pop 1, %two
    }
    pe.cb_pop 2, %kind
  }
  pe.cb_pop 0, %two
  return
}

// -----

// Loops with constant trip counts fill and drain a ring of one hart, which
// has room for all of them. One pushes if it pops later, under the same
// condition.
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %ring
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %slot = arith.constant 256 : i64
  %is = arith.cmpi ne, %n, %c0 : i64
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    pe.cb_push 0, %slot
  }
  scf.if %is {
    pe.cb_push 1, %slot
  }
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.fence
  }
  scf.if %is {
    pe.cb_pop 1, %slot
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    pe.cb_pop 0, %slot
  }
  return
}

// -----

// Not judged: loops that deal the same tiles out differently, a CB that is
// set up twice, one that both harts push.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %slot = arith.constant 1024 : i64
  %small = arith.constant 0x1000000000 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %small
  pe.cb_setup 1, %ring
  pe.cb_setup 2, %ring
  pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  scf.for %i = %c1 to %n step %c1 : i64 {
    pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  }
  pe.cb_push 1, %slot
  pe.cb_push 2, %slot
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %slot = arith.constant 1024 : i64
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.cb_pop 0, %slot
  }
  pe.cb_push 2, %slot
  return
}

// -----

// A function alone has no other to compare with.
func.func @kernel_load(%args: i64) {
  pe.dma_in {cb = 0, addr = %args, rows = 1, row_bytes = 1024}
  return
}

// -----

// What is left over under a condition, or by few iterations, has room.
// expected-warning @+2 {{the program pushes a number of bytes known at run time into CB 0 and pops 0 bytes, expected as much: the rest stays in the CB; pop what is pushed (pe.cb_pop, pe.dma_out)}}
// expected-warning @+1 {{the program pushes 2048 bytes into CB 1 and pops 0 bytes, expected as much: the rest stays in the CB}}
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %ring
  %is = arith.cmpi eq, %n, %c0 : i64
  scf.if %is {
    // expected-note @+1 {{pushed by 'pe.dma_in'}}
    pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  }
  scf.for %i = %c0 to %c2 step %c1 : i64 {
    // expected-note @+1 {{pushed by 'pe.dma_in'}}
    pe.dma_in {cb = 1, addr = %n, rows = 1, row_bytes = 1024}
  }
  return
}
func.func @kernel_compute(%args: i64) {
  return
}
