// SPDX-License-Identifier: Apache-2.0
// Programs whose harts would wait for each other for ever because of a CB.
// RUN: chipwright-opt -split-input-file --pe-check-rings -verify-diagnostics %s

// The loop of hart 1 pops half of what that of hart 0 pushes.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 3, %ring
  // expected-error @+1 {{an iteration of this loop pushes 1024 bytes into CB 3 and pops 512 bytes, expected as much: the CB fills up and its producer waits for ever; pop what is pushed (pe.cb_pop, pe.dma_out)}}
  scf.for %i = %c0 to %n step %c1 : i64 {
    // expected-note @+1 {{pushed by 'pe.dma_in' of "layers.0.wq"}}
    pe.dma_in {cb = 3, addr = %i, rows = 4, row_bytes = 200, local_pitch = 256} tag "layers.0.wq"
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %half = arith.constant 512 : i64
  scf.for %i = %c0 to %n step %c1 : i64 {
    // expected-note @+1 {{popped by 'pe.cb_pop'}}
    pe.cb_pop 3, %half
  }
  return
}

// -----

// More is popped than pushed in one side of a branch.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  %is = arith.cmpi eq, %n, %c0 : i64
  // expected-error @+1 {{a side of this branch pushes 1024 bytes into CB 0 and pops 2048 bytes, expected as much: the consumer waits for ever; pop no more than is pushed (pe.cb_push, pe.dma_in)}}
  scf.if %is {
    // expected-note @+1 {{pushed by 'pe.dma_in'}}
    pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %two = arith.constant 2048 : i64
  %is = arith.cmpi eq, %n, %c0 : i64
  scf.if %is {
    // expected-note @+1 {{popped by 'pe.cb_pop'}}
    pe.cb_pop 0, %two
  }
  return
}

// -----

// Nothing pushes what is popped. How often CB 0 is pushed is not known.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %ring
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024} tag "in"
  }
  return
}
// expected-error @+1 {{the program pushes 0 bytes into CB 1 and pops 1024 bytes, expected as much: the consumer waits for ever}}
func.func @kernel_compute(%args: i64) {
  %slot = arith.constant 1024 : i64
  // expected-note @+1 {{popped by 'pe.cb_pop'}}
  pe.cb_pop 1, %slot
  pe.cb_pop 0, %slot
  return
}

// -----

// Pushed in a loop and never popped.
// expected-error @+1 {{the program pushes a number of bytes known at run time into CB 0 and pops 0 bytes, expected as much: the CB fills up and its producer waits for ever}}
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  scf.for %i = %c0 to %n step %c1 : i64 {
    // expected-note @+1 {{pushed by 'pe.dma_in'}}
    pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  }
  return
}
func.func @kernel_compute(%args: i64) {
  return
}

// -----

// What stays in a CB at the end does no harm.
// expected-warning @+1 {{the program pushes 2048 bytes into CB 0 and pops 1024 bytes, expected as much: the rest stays in the CB}}
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 0, %ring
  // expected-note @+1 {{pushed by 'pe.dma_in'}}
  pe.dma_in {cb = 0, addr = %args, rows = 2, row_bytes = 1024}
  return
}
func.func @kernel_compute(%args: i64) {
  %slot = arith.constant 1024 : i64
  // expected-note @+1 {{popped by 'pe.cb_pop'}}
  pe.cb_pop 0, %slot
  return
}

// -----

// Single operations that are larger than their ring.
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x10000000000 : i64
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 0, %ring
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 1, %ring
  // expected-error @+1 {{'pe.dma_in' of "wq" moves 512 bytes of CB 0 at once, expected at most the 256 that it has: the hart would wait for ever; make the CB larger (pe.cb_setup) or the transfer smaller}}
  pe.dma_in {cb = 0, addr = %args, rows = 2, row_bytes = 256} tag "wq"
  return
}
func.func @kernel_compute(%args: i64) {
  %two = arith.constant 512 : i64
  // expected-error @+1 {{'pe.cb_wait' waits for 512 bytes of CB 0 at once, expected at most the 256 that it has}}
  %at = pe.cb_wait 0, %two
  // expected-error @+1 {{'pe.mml' needs 321 bytes of CB 1 at once, expected at most the 256 that it has}}
  pe.mml {a_cb = 1, a_rows = 6, a_pitch = 64, b_cb = 1, b_rows = 1, passes = 1}
  // expected-error @+1 {{'pe.cb_pop' moves 512 bytes of CB 0 at once, expected at most the 256 that it has}}
  pe.cb_pop 0, %two
  return
}

// -----

// A state of two slots in a ring of one, around a loop of hart 1.
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x40000000000 : i64
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 5, %ring
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %slot = arith.constant 1024 : i64
  pe.cb_push 5, %slot
  scf.for %i = %c0 to %n step %c1 : i64 {
    // expected-error @+1 {{behind 'pe.cb_push' CB 5 would hold 2048 bytes in the order of the program, expected at most the 1024 that it has: its producer waits for ever; make the CB larger (pe.cb_setup) or pop earlier}}
    pe.cb_push 5, %slot
    pe.cb_pop 5, %slot
  }
  pe.cb_pop 5, %slot
  return
}

// -----

// A hart that pushes in one loop and pops in the next holds all of it.
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x80000000000 : i64
  pe.cb_setup 5, %ring
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %slot = arith.constant 1024 : i64
  // expected-error @+1 {{an iteration of this loop leaves 1024 bytes in CB 5, expected none, since the number of iterations is known at run time only and the CB has 2048 bytes; pop within the loop what it pushes}}
  scf.for %i = %c0 to %n step %c1 : i64 {
    // expected-note @+1 {{pushed here}}
    pe.cb_push 5, %slot
  }
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.cb_pop 5, %slot
  }
  return
}

// -----

// Constant trip counts: the third iteration has no room.
func.func @kernel_load(%args: i64) {
  %ring = arith.constant 0x80000000000 : i64
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 5, %ring
  return
}
func.func @kernel_compute(%args: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c3 = arith.constant 3 : i64
  %slot = arith.constant 1024 : i64
  scf.for %i = %c0 to %c3 step %c1 : i64 {
    // expected-error @+1 {{behind 'pe.cb_push' CB 5 would hold 3072 bytes}}
    pe.cb_push 5, %slot
  }
  scf.for %i = %c0 to %c3 step %c1 : i64 {
    pe.cb_pop 5, %slot
  }
  return
}

// -----

// Three tiles before a loop that hart 1 cannot leave before they came, and
// only two slots for them.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %ring = arith.constant 0x80000000000 : i64
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 0, %ring
  pe.cb_setup 1, %ring
  pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  pe.dma_in {cb = 0, addr = %n, rows = 1, row_bytes = 1024}
  // expected-error @+1 {{before this loop CB 0 would hold 3072 bytes in the order of the program, expected at most the 2048 that it has}}
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.dma_in {cb = 1, addr = %i, rows = 1, row_bytes = 1024}
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %slot = arith.constant 1024 : i64
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.cb_pop 1, %slot
  }
  pe.cb_pop 0, %slot
  pe.cb_pop 0, %slot
  pe.cb_pop 0, %slot
  return
}
