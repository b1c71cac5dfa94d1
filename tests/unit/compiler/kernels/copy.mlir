// SPDX-License-Identifier: Apache-2.0
// out = in, in slots of 2 KiB dealt out to the PEs in turn; the last one may be
// shorter. Arguments: addresses of in and out, number of bytes.
func.func private @ready() -> (i64, i64) {
  %c1 = arith.constant 1 : i64
  %c32 = arith.constant 32 : i64
  %row = pe.info row
  %col = pe.info col
  %r = arith.shli %c1, %row : i64
  %c = arith.shli %c1, %col : i64
  %ch = arith.shli %c, %c32 : i64
  %mask = arith.ori %r, %ch : i64
  pe.barrier 0, %mask
  %slot = arith.constant 2048 : i64
  %pe = pe.info pe
  %rows = pe.info rows
  %cols = pe.info cols
  %pes = arith.muli %rows, %cols : i64
  %first = arith.muli %pe, %slot : i64
  %step = arith.muli %pes, %slot : i64
  return %first, %step : i64, i64
}
func.func private @bytes_at(%at: i64, %bytes: i64) -> i64 {
  %slot = arith.constant 2048 : i64
  %left = arith.subi %bytes, %at : i64
  %n = arith.minui %left, %slot : i64
  return %n : i64
}
func.func @kernel_load(%args: i64) {
  %in = pe.arg %args[0] : i64
  %bytes = pe.arg %args[16] : i64
  %ring = arith.constant 0x200000000000 : i64
  pe.cb_setup 0, %ring
  %first, %step = func.call @ready() : () -> (i64, i64)
  scf.for %at = %first to %bytes step %step : i64 {
    %n = func.call @bytes_at(%at, %bytes) : (i64, i64) -> i64
    %addr = arith.addi %in, %at : i64
    pe.dma_in {cb = 0, addr = %addr, rows = 1, row_bytes = %n, local_pitch = 2048, valid_rows = 1, valid_bytes = %n} tag "copy.in"
  }
  return
}
func.func @kernel_compute(%args: i64) {
  %out = pe.arg %args[8] : i64
  %bytes = pe.arg %args[16] : i64
  %first, %step = func.call @ready() : () -> (i64, i64)
  scf.for %at = %first to %bytes step %step : i64 {
    %n = func.call @bytes_at(%at, %bytes) : (i64, i64) -> i64
    %addr = arith.addi %out, %at : i64
    pe.dma_out {cb = 0, addr = %addr, rows = 1, row_bytes = %n, local_pitch = 2048, valid_rows = 1, valid_bytes = %n} tag "copy.out"
  }
  return
}
