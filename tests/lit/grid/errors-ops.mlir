// SPDX-License-Identifier: Apache-2.0
// What the verifiers of single operations refuse.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

// expected-error @+1 {{argument 1 has type 'f32', expected !grid.buffer or index}}
grid.program @arguments(%x: !grid.buffer<4x4xf32>, %y: f32) {
}

// -----

// expected-error @+1 {{a buffer has 1 to 4 dimensions, found 5}}
grid.program @rank(%x: !grid.buffer<1x2x3x4x5xf32>) {
}

// -----

// expected-error @+1 {{elements of a buffer are whole bytes, or i4 or f4E2M1FN, found 'i6'}}
grid.program @bytes(%x: !grid.buffer<4x4xi6>) {
}

// -----

// expected-error @+1 {{sizes of a buffer are positive, found 0}}
grid.program @sizes(%x: !grid.buffer<0x4xf32>) {
}

// -----

// expected-error @+1 {{a control buffer holds i32 or i64, found 'f32'}}
grid.program @control(%x: !grid.buffer<4x4xf32, control>) {
}

// -----

grid.program @lines(%n: index) {
  // expected-error @+1 {{expected row, col or all, found 'column'}}
  grid.parallel %i = %n on column {
  }
}

// -----

grid.program @nested(%n: index) {
  grid.parallel %i = %n on all {
    // expected-error @+1 {{on 'row' inside of one on 'all': the PEs are shared out already}}
    grid.parallel %j = %n on row {
    }
  }
}

// -----

grid.program @dim(%x: !grid.buffer<4x4xf32>) {
  // expected-error @+1 {{dimension 2 of a buffer with 2 dimensions}}
  %d = grid.dim %x, 2 : !grid.buffer<4x4xf32>
}

// -----

grid.program @bulk(%x: !grid.buffer<4x4xi32>, %i: index) {
  // expected-error @+1 {{reads from a bulk buffer, whose values no hart may see; declare it `control`}}
  %v = grid.read %x[%i, %i] : !grid.buffer<4x4xi32>
}

// -----

grid.program @indices(%x: !grid.buffer<4x4xi32, control>, %i: index) {
  // expected-error @+1 {{has 1 indices for a buffer with 2 dimensions}}
  %v = grid.read %x[%i] : !grid.buffer<4x4xi32, control>
}

// -----

grid.program @vector(%x: !grid.buffer<4xf32>, %i: index) {
  // expected-error @+1 {{moves tiles of matrices, found a buffer with one dimension}}
  %t = grid.load %x[%i] : !grid.buffer<4xf32> -> tensor<1x4xf32>
}

// -----

grid.program @elements(%x: !grid.buffer<4x4xf32>, %i: index) {
  // expected-error @+1 {{moves elements as they are, found 'f16' in the tile and 'f32' in the buffer}}
  %t = grid.load %x[%i, %i] : !grid.buffer<4x4xf32> -> tensor<4x4xf16>
}

// -----

grid.program @gather(%x: !grid.buffer<4x4xf32>, %n: !grid.buffer<3x1xi32>, %i: index) {
  %r = grid.load %n[%i, %i] : !grid.buffer<3x1xi32> -> tensor<3x1xi32>
  // expected-error @+1 {{row numbers are one i32 for each of the tile's 4 rows, found 'tensor<3x1xi32>'}}
  %t = grid.load %x[%i, %i] gather %r : tensor<3x1xi32> : !grid.buffer<4x4xf32> -> tensor<4x4xf32>
}

// -----

grid.program @mask(%x: !grid.buffer<4x4xf32>, %i: index, %m: index) {
  %mask = arith.index_cast %m : index to i64
  // expected-error @+1 {{has a mask of members exactly if it is a multicast}}
  %t = grid.load %x[%i, %i] mask %mask : !grid.buffer<4x4xf32> -> tensor<4x4xf32>
}

// -----

grid.program @fill(%x: !grid.buffer<4x4xi32>, %i: index) {
  // expected-error @+1 {{fills with minus infinity, which 'i32' lacks}}
  %t = grid.load %x[%i, %i] {fill = #grid<fill neg_inf>} : !grid.buffer<4x4xi32> -> tensor<4x4xi32>
}

// -----

grid.program @policy(%x: !grid.buffer<4x4xi32>, %i: index) {
  // expected-error @+1 {{policy no_writeback is one of stores}}
  %t = grid.load %x[%i, %i] {policy = #grid<cache_policy no_writeback>} : !grid.buffer<4x4xi32> -> tensor<4x4xi32>
}

// -----

grid.program @k(%a: tensor<4x8xf16>) {
}
// expected-error @-2 {{argument 0 has type 'tensor<4x8xf16>', expected !grid.buffer or index}}

// -----

func.func @k(%a: tensor<4x8xf16>, %b: tensor<4x6xf16>, %c: tensor<4x4xf32>) {
  // expected-error @+1 {{a has 8 columns and b has 6; both count K}}
  %s = grid.matmul %a, %b, %c : tensor<4x8xf16>, tensor<4x6xf16> -> tensor<4x4xf32>
  return
}

// -----

func.func @sum(%a: tensor<4x8xf16>, %b: tensor<6x8xf16>, %c: tensor<4x4xf32>) {
  // expected-error @+1 {{a sum of 4 x 6 elements, found 4 x 4}}
  %s = grid.matmul %a, %b, %c : tensor<4x8xf16>, tensor<6x8xf16> -> tensor<4x4xf32>
  return
}

// -----

func.func @types(%a: tensor<4x8xf16>, %b: tensor<4x8xbf16>, %c: tensor<4x4xf32>) {
  // expected-error @+1 {{operands have one type, found 'f16' and 'bf16'}}
  %s = grid.matmul %a, %b, %c : tensor<4x8xf16>, tensor<4x8xbf16> -> tensor<4x4xf32>
  return
}

// -----

func.func @integers(%a: tensor<4x8xi8>, %b: tensor<4x8xi8>, %c: tensor<4x4xf32>) {
  // expected-error @+1 {{products of 'i8' are summed in i32, found 'f32'}}
  %s = grid.matmul %a, %b, %c : tensor<4x8xi8>, tensor<4x8xi8> -> tensor<4x4xf32>
  return
}

// -----

func.func @round(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{makes a tile of i8 or i32 of one of f32, found 'tensor<4x8xf32>' and 'tensor<4x8xf16>'}}
  %y = grid.round %x : tensor<4x8xf32> -> tensor<4x8xf16>
  return
}

// -----

func.func @broadcast(%v: tensor<3x1xf32>) {
  // expected-error @+1 {{repeats a vector 4x1 or 1x8 of the tile's type, found 'tensor<3x1xf32>'}}
  %t = grid.broadcast %v : tensor<3x1xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @pairs(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{needs an even number of columns, found 7}}
  %y = grid.swap_pairs %x : tensor<4x7xf32>
  return
}

// -----

func.func @window(%x: tensor<4x7xf32>, %b: tensor<4x2xf32>, %i: index) {
  // expected-error @+1 {{bounds are two i32 for each of the 4 rows, found 'tensor<4x2xf32>'}}
  %y = grid.window %x, %b from %i fill 0.0 : tensor<4x7xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @kind(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{reduces by sum, max, absmax or sumsq}}
  %y = grid.row_reduce none %x : tensor<4x7xf32> -> tensor<4x1xf32>
  return
}

// -----

func.func @reduction(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{the reduction of 'tensor<4x7xf32>' has one value for each row, found 'tensor<4x2xf32>'}}
  %y = grid.row_reduce sum %x : tensor<4x7xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @segment(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{a segment has at least one column, found 0}}
  %y = grid.row_reduce sum %x segment 0 : tensor<4x7xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @segments(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{the reduction of 'tensor<4x7xf32>' has 4 x 3 values, found 'tensor<4x2xf32>'}}
  %y = grid.row_reduce sum %x segment 3 : tensor<4x7xf32> -> tensor<4x2xf32>
  return
}

// -----

func.func @unknown(%x: tensor<4x?xf32, #grid.dims<_, n>>) {
  // expected-error @+1 {{segments need a known number of columns}}
  %y = grid.row_reduce sum %x segment 3 : tensor<4x?xf32, #grid.dims<_, n>> -> tensor<4x2xf32>
  return
}

// -----

func.func @transpose(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{of 'tensor<4x7xf32>' cannot be 'tensor<4x7xf32>'}}
  %y = grid.transpose %x : tensor<4x7xf32> -> tensor<4x7xf32>
  return
}

// -----

func.func @topk(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{finds at most 7 values in each of 4 rows}}
  %v, %c = grid.topk %x : tensor<4x7xf32> -> tensor<4x8xf32>, tensor<4x8xi32>
  return
}

// -----

func.func @topk_types(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{yields values of type 'f32' and column numbers of type i32}}
  %v, %c = grid.topk %x : tensor<4x7xf32> -> tensor<4x2xf16>, tensor<4x2xi32>
  return
}

// -----

func.func @nothing(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{has no result}}
  grid.simd %x : tensor<4x7xf32>
  return
}

// -----

func.func @shape(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{keeps the shape of 'tensor<4x7xf32>', found 'tensor<7x4xf32>'}}
  %o = grid.simd %x : tensor<4x7xf32> out tensor<7x4xf32>
  return
}

// -----

func.func @operand(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{y1 is of kind tile, which needs a tile}}
  %o = grid.simd %x {y1_kind = #grid<operand tile>} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @value(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{y2 is of kind immediate, which needs a value}}
  %o = grid.simd %x {y2_kind = #grid<operand immediate>} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @per_row(%x: tensor<4x7xf32>, %y: tensor<3x1xf32>) {
  // expected-error @+1 {{y1 is of kind per_row for 4 x 7 elements, found 'tensor<3x1xf32>'}}
  %o = grid.simd %x y1 %y : tensor<3x1xf32> {y1_kind = #grid<operand per_row>} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @swap(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{swaps pairs of an odd number of columns}}
  %o = grid.simd %x {swap_pairs} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @half_a_window(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{a window has bounds, base and fill}}
  %o = grid.simd %x {fill = 0.0 : f32} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @red(%x: tensor<4x7xf32>) {
  // expected-error @+1 {{yields `red` exactly if it reduces}}
  %o = grid.simd %x {reduce = #grid<reduction sum>} : tensor<4x7xf32> out tensor<4x7xf32>
  return
}

// -----

func.func @run(%x: tensor<4x7xf32>, %r: tensor<4x2xf32>) {
  // expected-error @+1 {{a running reduction continues values of its own type}}
  %o = grid.simd %x run %r : tensor<4x2xf32> {reduce = #grid<reduction sum>} : tensor<4x7xf32> red tensor<4x1xf32>
  return
}
