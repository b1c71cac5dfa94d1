// SPDX-License-Identifier: Apache-2.0
// Every operation prints as it was parsed, also through the generic form.
// RUN: chipwright-opt --verify-roundtrip %s | FileCheck %s
// RUN: chipwright-opt --mlir-print-op-generic %s | chipwright-opt | FileCheck %s

// CHECK-LABEL: func.func @commands
func.func @commands(%v: i64) {
  // CHECK-NEXT: pe.dma_in {addr = %arg0, rows = 32, row_bytes = 256, pitch = -64, cb = 3, local_pitch = 512, valid_rows = 31, valid_bytes = %arg0, fill = neg_inf, fill_dtype = f16, mcast = row, indexed = 1, policy = stream, mcast_mask = 18446744073709551615, index_cb = 4, index_offset = 16} tag "layers.0.wq"
  pe.dma_in {cb = 3, rows = 32, addr = %v, row_bytes = 256, pitch = -64, local_pitch = 0x200, valid_rows = 31, valid_bytes = %v, fill = neg_inf, fill_dtype = f16, mcast = row, indexed = 1, policy = stream, mcast_mask = 0xffffffffffffffff, index_cb = 4, index_offset = 16} tag "layers.0.wq"
  // CHECK-NEXT: pe.dma_out {addr = 4096, rows = 1, row_bytes = 64, pitch = %arg0, cb = 255, local_pitch = 64, valid_rows = 1, valid_bytes = 64, indexed = 0, policy = no_writeback, index_cb = 1, index_offset = 2}
  pe.dma_out {addr = 4096, rows = 1, row_bytes = 64, pitch = %v, cb = 255, local_pitch = 64, valid_rows = 1, valid_bytes = 64, indexed = 0, policy = no_writeback, index_cb = 1, index_offset = 2}
  // CHECK-NEXT: pe.dma_prefetch {addr = %arg0, rows = 65535, row_bytes = 16777215, pitch = -549755813888}
  pe.dma_prefetch {addr = %v, rows = 65535, row_bytes = 16777215, pitch = -549755813888}
  // CHECK-NEXT: pe.mml {a_cb = 1, a_offset = %arg0, a_pitch = 64, b_cb = 2, b_offset = 8, b_pitch = 64, a_rows = 32, b_rows = 64, passes = 4, a_dtype = f16, b_dtype = bf16, b_kn = 1, bank = %arg0, accumulate = 1, a_step = 32, b_step = 32}
  pe.mml {a_cb = 1, a_offset = %v, a_pitch = 64, b_cb = 2, b_offset = 8, b_pitch = 64, a_rows = 32, b_rows = 64, passes = 4, a_dtype = f16, b_dtype = bf16, b_kn = 1, bank = %v, accumulate = 1, a_step = 32, b_step = 32}
  // CHECK-NEXT: pe.bank_init {cb = 1, offset = 2, pitch = 3, dtype = f32, kind = per_col, rows = 4, cols = 5, bank = 6}
  pe.bank_init {cb = 1, offset = 2, pitch = 3, dtype = f32, kind = per_col, rows = 4, cols = 5, bank = 6}
  // CHECK-NEXT: pe.reduce {rows = 4, cols = 5, bank = 6, direction = right, receive = 1, forward = %arg0}
  pe.reduce {rows = 4, cols = 5, bank = 6, direction = right, receive = 1, forward = %v}
  // CHECK-NEXT: pe.drain {cb = %arg0, rows = 32, cols = 64, op1 = rsub, store = 1, out_cb = 2, out_offset = 3, out_pitch = 256, out_dtype = f16}
  pe.drain {cb = %v, rows = 32, cols = 64, op1 = rsub, store = 1, out_cb = 2, out_offset = 3, out_pitch = 256, out_dtype = f16}
  // CHECK-NEXT: pe.se {cb = 1, offset = 2, pitch = 3, dtype = i8, rows = 4, cols = 5, swap_pairs = 1, segment = 6, y1_cb = 7, y1_offset = 8, y1_pitch = 9, y1_dtype = f8e4m3, y2_cb = 10, y2_offset = 11, y2_pitch = 12, y2_dtype = i32, y1_kind = per_row, op1 = mul, f = exp, y2_kind = immediate, op2 = max, reduce = sumsq, running = 1, window = 1, store = 1, scale = 1, scale_imm = 1.000000e+00 : f32, fill_imm = 0xFF800000 : f32, y1_imm = -2.500000e-01 : f32, y2_imm = %arg0, out_cb = 13, out_offset = 14, out_pitch = 15, out_dtype = tf32, red_cb = 16, red_offset = 17, red_pitch = 18, red_dtype = f8e5m2, win_cb = 19, win_offset = 20, win_base = 21, run_cb = 22, run_offset = 23, run_pitch = 24} tag "a\22b"
  pe.se {cb = 1, offset = 2, pitch = 3, dtype = i8, rows = 4, cols = 5, swap_pairs = 1, segment = 6, y1_cb = 7, y1_offset = 8, y1_pitch = 9, y1_dtype = f8e4m3, y2_cb = 10, y2_offset = 11, y2_pitch = 12, y2_dtype = i32, y1_kind = per_row, op1 = mul, f = exp, y2_kind = immediate, op2 = max, reduce = sumsq, running = 1, window = 1, store = 1, scale = 1, scale_imm = 0x3f800000, fill_imm = 0xff800000 : f32, y1_imm = -0.25 : f32, y2_imm = %v, out_cb = 13, out_offset = 14, out_pitch = 15, out_dtype = tf32, red_cb = 16, red_offset = 17, red_pitch = 18, red_dtype = f8e5m2, win_cb = 19, win_offset = 20, win_base = 21, run_cb = 22, run_offset = 23, run_pitch = 24} tag "a\22b"
  // CHECK-NEXT: pe.row_topk {cb = 1, offset = 2, pitch = 3, dtype = f32, rows = 4, cols = 5, k = 6, out_cb = 7, out_offset = 8, out_pitch = 9, out_dtype = f32, idx_cb = 10, idx_offset = 11, idx_pitch = 12}
  pe.row_topk {cb = 1, offset = 2, pitch = 3, dtype = f32, rows = 4, cols = 5, k = 6, out_cb = 7, out_offset = 8, out_pitch = 9, out_dtype = f32, idx_cb = 10, idx_offset = 11, idx_pitch = 12}
  // CHECK-NEXT: pe.mlu_transpose {cb = 1, offset = 2, pitch = 3, rows = 4, cols = 5, elem_bytes = 2, out_cb = 6, out_offset = %arg0, out_pitch = 8}
  pe.mlu_transpose {cb = 1, offset = 2, pitch = 3, rows = 4, cols = 5, elem_bytes = 2, out_cb = 6, out_offset = %v, out_pitch = 8}
  // CHECK-NEXT: pe.mlu_copy {cb = 1} attributes {note = 7 : i64}
  pe.mlu_copy {cb = 1} attributes {note = 7 : i64}
  // CHECK-NEXT: pe.mlu_copy {}
  pe.mlu_copy {}
  // The dtype may be given by value too.
  // CHECK-NEXT: pe.mlu_copy {elem_bytes = %arg0}
  pe.mlu_copy {elem_bytes = %v}
  return
}

// CHECK-LABEL: func.func @instructions
func.func @instructions(%v: i64, %w: i64) {
  // CHECK-NEXT: pe.set 31, 15, %arg0
  pe.set 31, 15, %v
  // CHECK-NEXT: pe.go dma_in 31, %arg0 tag "x"
  pe.go dma_in 31, %v tag "x"
  // CHECK-NEXT: pe.go row_topk 0
  pe.go row_topk 0
  // CHECK-NEXT: pe.cb_setup 31, %arg0
  pe.cb_setup 31, %v
  // CHECK-NEXT: %{{.*}} = pe.cb_wait 0, %arg0
  %0 = pe.cb_wait 0, %v
  // CHECK-NEXT: %{{.*}} = pe.cb_reserve 0, %arg0
  %1 = pe.cb_reserve 0, %v
  // CHECK-NEXT: pe.cb_push 1, %arg0 {tag = "y"}
  pe.cb_push 1, %v {tag = "y"}
  // CHECK-NEXT: pe.cb_pop 1, %arg0
  pe.cb_pop 1, %v
  // CHECK-NEXT: pe.sem_post %arg0, %arg1
  pe.sem_post %v, %w
  // CHECK-NEXT: pe.sem_wait 3, %arg0
  pe.sem_wait 3, %v
  // CHECK-NEXT: pe.sem_take 3, %arg0
  pe.sem_take 3, %v
  // CHECK-NEXT: pe.barrier 2, %arg0
  pe.barrier 2, %v
  // CHECK-NEXT: pe.barrier_hart 2, %arg0
  pe.barrier_hart 2, %v
  // CHECK-NEXT: pe.fence
  pe.fence
  // CHECK-NEXT: pe.inval %arg0, %arg1
  pe.inval %v, %w
  // CHECK-NEXT: %{{.*}} = pe.info ls_bytes
  %2 = pe.info ls_bytes
  // CHECK-NEXT: %{{.*}} = pe.counter se_busy
  %3 = pe.counter se_busy
  // CHECK-NEXT: %{{.*}} = pe.keep %arg0
  %4 = pe.keep %v
  // CHECK-NEXT: %{{.*}} = pe.arg %arg0[8] : i32
  %5 = pe.arg %v[8] : i32
  // CHECK-NEXT: %[[L:.*]] = pe.load %arg0[3] : i8
  %6 = pe.load %v[3] : i8
  // CHECK-NEXT: pe.store %[[L]], %arg0[0] : i8
  pe.store %6, %v[0] : i8
  // CHECK-NEXT: pe.halt
  pe.halt
  return
}
