// SPDX-License-Identifier: Apache-2.0
// Numbers that no machine has are answered all the same, and control flow that
// is not followed is left alone.
// RUN: chipwright-opt -split-input-file --pe-check-rings --pe-check-collectives -verify-diagnostics %s

func.func @kernel_load(%args: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %many = arith.constant 0x7ffffffffffffff0 : i64
  %ring = arith.constant -1 : i64
  pe.cb_setup 0, %ring
  scf.for %i = %c0 to %many step %c1 : i64 {
    pe.cb_push 0, %c1
  }
  // expected-note @+1 {{the CB is set up here}}
  pe.cb_setup 1, %ring
  // expected-error @+1 {{'pe.cb_push' moves 9223372036854775792 bytes of CB 1 at once, expected at most the 4294967295 that it has}}
  pe.cb_push 1, %many
  return
}
func.func @kernel_compute(%args: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %many = arith.constant 0x7ffffffffffffff0 : i64
  scf.for %i = %c0 to %many step %c1 : i64 {
    pe.cb_pop 0, %c1
  }
  return
}

// -----

func.func @kernel_load(%args: i64) {
  %c0 = arith.constant 0 : i64
  %slot = arith.constant 64 : i64
  pe.cb_setup 0, %slot
  scf.while (%i = %args) : (i64) -> i64 {
    %more = arith.cmpi ne, %i, %c0 : i64
    scf.condition(%more) %i : i64
  } do {
  ^bb0(%i: i64):
    pe.cb_push 2, %slot
    %next = arith.subi %i, %slot : i64
    scf.yield %next : i64
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %slot = arith.constant 64 : i64
  cf.br ^bb1
^bb1:
  pe.cb_pop 2, %slot
  return
}
