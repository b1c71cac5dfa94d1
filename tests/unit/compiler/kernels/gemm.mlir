// SPDX-License-Identifier: Apache-2.0
// C[512, 1024] = A[512, K] B[1024, K]^T in fp16 on 8 x 8 PEs: each PE has a
// block of 64 x 128, A is multicast along rows of PEs and B along columns.
// Arguments: addresses of A, B, C; bytes of a row of A and B, a multiple of
// 256.
func.func private @ready() {
  %c1 = arith.constant 1 : i64
  %c32 = arith.constant 32 : i64
  %row = pe.info row
  %col = pe.info col
  %r = arith.shli %c1, %row : i64
  %c = arith.shli %c1, %col : i64
  %ch = arith.shli %c, %c32 : i64
  %mask = arith.ori %r, %ch : i64
  pe.barrier 0, %mask
  return
}
func.func @kernel_load(%args: i64) {
  %a = pe.arg %args[0] : i64
  %b = pe.arg %args[8] : i64
  %ld = pe.arg %args[24] : i64
  // Offset in the low half, size in the high one: 64 KiB, 128 KiB and 32 KiB.
  %ringA = arith.constant 0x1000000000000 : i64
  %ringB = arith.constant 0x2000000010000 : i64
  %ringC = arith.constant 0x0800000030000 : i64
  pe.cb_setup 0, %ringA
  pe.cb_setup 1, %ringB
  pe.cb_setup 2, %ringC
  func.call @ready() : () -> ()
  %row = pe.info row
  %col = pe.info col
  %c0 = arith.constant 0 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %c256 = arith.constant 256 : i64
  %m = arith.muli %row, %c64 : i64
  %n = arith.muli %col, %c128 : i64
  %ma = arith.muli %m, %ld : i64
  %nb = arith.muli %n, %ld : i64
  %a0 = arith.addi %a, %ma : i64
  %b0 = arith.addi %b, %nb : i64
  scf.for %k = %c0 to %ld step %c256 : i64 {
    %addrA = arith.addi %a0, %k : i64
    %addrB = arith.addi %b0, %k : i64
    pe.dma_in {cb = 0, addr = %addrA, rows = 64, row_bytes = 256, pitch = %ld, valid_rows = 64, valid_bytes = 256, mcast = row, mcast_mask = 255} tag "gemm.a"
    pe.dma_in {cb = 1, addr = %addrB, rows = 128, row_bytes = 256, pitch = %ld, valid_rows = 128, valid_bytes = 256, mcast = column, mcast_mask = 255} tag "gemm.b"
  }
  return
}
func.func @kernel_compute(%args: i64) {
  func.call @ready() : () -> ()
  %ld = pe.arg %args[24] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c8 = arith.constant 8 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %c256 = arith.constant 256 : i64
  %partA = arith.constant 8192 : i64
  %partB = arith.constant 16384 : i64
  scf.for %k = %c0 to %ld step %c256 iter_args(%acc0 = %c0) -> (i64) : i64 {
    %last = scf.for %step = %c0 to %c8 step %c1 iter_args(%acc = %acc0) -> (i64) : i64 {
      %at = arith.muli %step, %c32 : i64
      scf.for %j = %c0 to %c2 step %c1 : i64 {
        scf.for %i = %c0 to %c2 step %c1 : i64 {
          %ai = arith.muli %i, %partA : i64
          %bj = arith.muli %j, %partB : i64
          %ao = arith.addi %ai, %at : i64
          %bo = arith.addi %bj, %at : i64
          %i2 = arith.muli %i, %c2 : i64
          %bank = arith.addi %i2, %j : i64
          pe.mml {a_cb = 0, a_offset = %ao, a_pitch = 256, b_cb = 1, b_offset = %bo, b_pitch = 256, a_rows = 32, b_rows = 64, passes = 1, a_dtype = f16, b_dtype = f16, bank = %bank, accumulate = %acc, a_step = 32, b_step = 32} tag "gemm.mml"
        }
      }
      scf.yield %c1 : i64
    }
    %slotA = arith.constant 16384 : i64
    %slotB = arith.constant 32768 : i64
    pe.cb_pop 0, %slotA
    pe.cb_pop 1, %slotB
    scf.yield %last : i64
  }
  scf.for %j = %c0 to %c2 step %c1 : i64 {
    scf.for %i = %c0 to %c2 step %c1 : i64 {
      %i2 = arith.muli %i, %c2 : i64
      %bank = arith.addi %i2, %j : i64
      %rowo = arith.muli %i, %partA : i64
      %colo = arith.muli %j, %c128 : i64
      %o = arith.addi %rowo, %colo : i64
      pe.drain {cb = %bank, dtype = f32, rows = 32, cols = 64, store = 1, out_cb = 2, out_pitch = 256, out_dtype = f16, out_offset = %o} tag "gemm.drain"
    }
  }
  %slotC = arith.constant 16384 : i64
  pe.cb_push 2, %slotC
  %row = pe.info row
  %col = pe.info col
  %c = pe.arg %args[16] : i64
  %m = arith.muli %row, %c64 : i64
  %pitch = arith.constant 2048 : i64
  %mo = arith.muli %m, %pitch : i64
  %no = arith.muli %col, %c256 : i64
  %off = arith.addi %mo, %no : i64
  %addr = arith.addi %c, %off : i64
  pe.dma_out {cb = 2, addr = %addr, rows = 64, row_bytes = 256, pitch = %pitch, valid_rows = 64, valid_bytes = 256} tag "gemm.out"
  return
}
