// SPDX-License-Identifier: Apache-2.0
// What the verifiers of programs refuse beyond tests/lit/grid.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

// expected-error @+1 {{has no results: a program stores what it computes}}
"grid.program"() <{function_type = () -> index, sym_name = "p"}> ({
  "grid.end"() : () -> ()
}) : () -> ()

// -----

grid.program @p(%n: index) {
  // expected-error @+1 {{body takes the iteration's number (index)}}
  "grid.parallel"(%n) <{lines = #grid<lines all>}> ({
  ^bb0(%i: i64):
    "grid.end"() : () -> ()
  }) : (index) -> ()
}

// -----

grid.program @p(%x: !grid.buffer<4x4xi32>, %i: index, %v: i32) {
}

// expected-error @-3 {{argument 2 has type 'i32', expected !grid.buffer or index}}

// -----

grid.program @p(%x: !grid.buffer<4x4xi32>, %i: index) {
  // expected-error @+1 {{writes to a bulk buffer; harts write control buffers only}}
  grid.write %i, %x[%i, %i] : !grid.buffer<4x4xi32>
}
