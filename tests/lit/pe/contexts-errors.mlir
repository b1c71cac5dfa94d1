// SPDX-License-Identifier: Apache-2.0
// What the passes refuse.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --pe-assign-contexts --convert-pe-to-llvm %s

func.func @helper() {
  // expected-error @+1 {{'pe.mlu_copy' op stands outside of the functions kernel_load and kernel_compute; make the function that holds it private, so that it is inlined}}
  pe.mlu_copy {}
  return
}

// -----

func.func @kernel_load(%v: i64) {
  // expected-error @+1 {{writes a context in a function that also has commands without one; use only one of the two forms in a function}}
  pe.set 0, 0, %v
  // expected-note @+1 {{command without a context}}
  pe.mlu_copy {}
  return
}

// -----

// expected-error @+1 {{'func.func' op has branches between blocks; use scf.for, scf.while and scf.if}}
func.func @kernel_load(%v: i64) {
  pe.mlu_copy {}
  cf.br ^end
^end:
  return
}

// -----

func.func @kernel_load(%v: i64) {
  %c = arith.constant 300 : i64
  // expected-error @+1 {{constant 300 does not fit slice 'cb', which has 8 bits: expected 0 to 255}}
  pe.mlu_copy {cb = %c}
  return
}

// -----

// expected-error @+1 {{the module has no function kernel_load, which hart 0 runs; add func.func @kernel_load(%args: i64)}}
module {
}

// -----

// expected-error @+1 {{the module has no function kernel_compute, which hart 1 runs}}
module {
  func.func @kernel_load(%args: i64) {
    return
  }
}

// -----

module {
  // expected-error @+1 {{is '(i32) -> ()', expected (i64) -> (): its parameter is the address of the argument block}}
  func.func @kernel_load(%args: i32) {
    return
  }
}

// -----

module {
  func.func private @other()
  func.func @kernel_load(%args: i64) {
    // expected-error @+1 {{calls 'other', which the module does not define; a kernel is linked with nothing}}
    func.call @other() : () -> ()
    return
  }
  func.func @kernel_compute(%args: i64) {
    return
  }
}

// -----

module {
  func.func @kernel_load(%args: i64) {
    // expected-error @+1 {{works on 'f32', but code of harts has only integers of up to 64 bits; let an engine do it}}
    %0 = arith.constant 1.0 : f32
    return
  }
  func.func @kernel_compute(%args: i64) {
    return
  }
}

// -----

module {
  func.func @kernel_load(%args: i64) {
    // expected-error @+1 {{works on 'i128'}}
    %0 = arith.extui %args : i64 to i128
    return
  }
  func.func @kernel_compute(%args: i64) {
    return
  }
}
