// SPDX-License-Identifier: Apache-2.0
// What the parser and the verifiers refuse.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

func.func @unknown_slice() {
  // expected-error @+1 {{'pe.mlu_copy' has no slice 'bank', expected one of cb, offset, pitch, rows, cols, elem_bytes, out_cb, out_offset, out_pitch}}
  pe.mlu_copy {bank = 1}
  return
}

// -----

func.func @twice() {
  // expected-error @+1 {{slice 'cb' is given twice}}
  pe.mlu_copy {cb = 1, cb = 2}
  return
}

// -----

func.func @unknown_code() {
  // expected-error @+1 {{'minus' is no code of slice 'fill', expected one of zero, neg_inf}}
  pe.dma_in {fill = minus}
  return
}

// -----

func.func @no_value() {
  // expected-error @+1 {{expected an integer or an SSA value for slice 'rows'}}
  pe.dma_in {rows = many}
  return
}

// -----

func.func @no_code() {
  // expected-error @+1 {{expected a code, an integer or an SSA value for slice 'fill'}}
  pe.dma_in {fill = "zero"}
  return
}

// -----

func.func @too_large() {
  // expected-error @+1 {{constant 256 does not fit slice 'cb', which has 8 bits: expected 0 to 255}}
  pe.dma_in {cb = 256}
  return
}

// -----

func.func @negative() {
  // expected-error @+1 {{constant -1 does not fit slice 'rows', which has 16 bits: expected 0 to 65535}}
  pe.dma_in {rows = -1}
  return
}

// -----

func.func @signed() {
  // expected-error @+1 {{constant 549755813888 does not fit slice 'pitch', which has 40 bits: expected -549755813888 to 549755813887}}
  pe.dma_in {pitch = 549755813888}
  return
}

// -----

func.func @huge() {
  // expected-error @+1 {{constant of slice 'addr' has more than 64 bits}}
  pe.dma_in {addr = 0x1ffffffffffffffff}
  return
}

// -----

func.func @huge_small() {
  // expected-error @+1 {{constant does not fit slice 'cb', which has 8 bits}}
  pe.dma_in {cb = 0xffffffffffffffff}
  return
}

// -----

func.func @no_such_code() {
  // expected-error @+1 {{code 11 of slice 'fill_dtype' has no meaning, expected 0 to 10 (f32, f16, bf16, i8, i32, f8e4m3, f8e5m2, tf32, i4, f4e2m1, f8e8m0)}}
  pe.dma_in {fill_dtype = 11}
  return
}

// -----

func.func @generic_unknown() {
  // expected-error @+1 {{'pe.mlu_copy' op has no slice 'bank', expected one of}}
  "pe.mlu_copy"() <{slices = {bank = 1 : i64}}> : () -> ()
  return
}

// -----

func.func @generic_kind() {
  // expected-error @+1 {{slice 'cb' is "x", expected an i64 attribute, or unit for an SSA value}}
  "pe.mlu_copy"() <{slices = {cb = "x"}}> : () -> ()
  return
}

// -----

func.func @generic_operands(%v: i64) {
  // expected-error @+1 {{has 1 operands, expected 2, one for each slice that is an SSA value}}
  "pe.mlu_copy"(%v) <{slices = {cb, rows}}> : (i64) -> ()
  return
}

// -----

func.func @type(%v: i32) {
  // expected-note @-1 {{prior use here}}
  // expected-error @+1 {{use of value '%v' expects different type than prior uses: 'i64' vs 'i32'}}
  pe.mlu_copy {rows = %v}
  return
}

// -----

func.func @tag() {
  // expected-error @+1 {{invalid kind of attribute specified}}
  pe.mlu_copy {} tag 3
  return
}

// -----

func.func @immediate(%v: i64) {
  // expected-error @+1 {{'pe.cb_push' op has cb 32, expected 0 to 31}}
  pe.cb_push 32, %v
  return
}

// -----

func.func @negative_immediate(%v: i64) {
  // expected-error @+1 {{'pe.set' op has field -1, expected 0 to 15}}
  pe.set 0, -1, %v
  return
}

// -----

func.func @item() {
  // expected-error @+1 {{'color' is no value of 'which', expected one of row, col, rows, cols, hart, pe, ls_bytes, ls_base, sem_base, pe_stride}}
  %0 = pe.info color
  return
}

// -----

func.func @go_name() {
  // expected-error @+1 {{names 'cb_push', which is no command to an engine}}
  pe.go cb_push 0
  return
}

// -----

func.func @go_context() {
  // expected-error @+1 {{'pe.go' op has context 32, expected 0 to 31}}
  pe.go mml 32
  return
}

// -----

func.func @arg_offset(%v: i64) {
  // expected-error @+1 {{offset 4 of a 'i64' access, expected a multiple of 8 that is not negative}}
  %0 = pe.arg %v[4] : i64
  return
}

// -----

func.func @load_offset(%v: i64) {
  // expected-error @+1 {{offset -2 of a 'i16' access, expected a multiple of 2 that is not negative}}
  %0 = pe.load %v[-2] : i16
  return
}

// -----

func.func @store_offset(%v: i64) {
  // expected-error @+1 {{offset 1 of a 'i64' access}}
  pe.store %v, %v[1] : i64
  return
}

// -----

func.func @scalar(%v: i64) {
  // expected-error @+1 {{must be 8-bit signless integer or 16-bit signless integer or 32-bit signless integer or 64-bit signless integer, but got 'f32'}}
  %0 = pe.load %v[0] : f32
  return
}

// -----

func.func @real() {
  // expected-error @+1 {{expected a number, its bits or an SSA value for slice 'scale_imm'}}
  pe.se {scale_imm = "one"}
  return
}

// -----

func.func @real_code() {
  // expected-error @+1 {{expected a code, an integer or an SSA value for slice 'f'}}
  pe.se {f = 1.0 : f32}
  return
}
