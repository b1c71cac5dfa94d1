// SPDX-License-Identifier: Apache-2.0
// Collective operations under control flow that varies over their group.
// RUN: chipwright-opt -split-input-file --pe-check-collectives -verify-diagnostics %s

// Bounds from arguments and from memory at addresses that all PEs have in
// common, and conditions on the other coordinate.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %list = pe.arg %args[8] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %all = arith.constant 0xff000000ff : i64
  %row = pe.info row
  %length = pe.load %list[0] : i32
  %m = arith.extui %length : i32 to i64
  %isFirst = arith.cmpi eq, %row, %c0 : i64
  scf.for %i = %c0 to %n step %c1 : i64 {
    scf.for %j = %row to %m step %c1 : i64 {
      scf.if %isFirst {
        pe.dma_in {cb = 0, rows = 1, row_bytes = 64, mcast = row, mcast_mask = 255}
      }
    }
    pe.barrier 1, %all
  }
  return
}

// -----

// Each PE of a row has another number of rounds; the mask of the second
// multicast names those that have this one.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %c16 = arith.constant 16 : i64
  %col = pe.info col
  // expected-note @+1 {{this one}}
  scf.for %i = %col to %n step %c8 : i64 {
    // expected-error @+1 {{'pe.dma_in' of "wq" into CB 2 is a multicast along a row, and some PEs of its group reach it and others do not: it stands in a loop whose bounds vary with the PE's column, expected one that is the same for all members; move it out, or let each PE load for itself (mcast = none)}}
    pe.dma_in {cb = 2, rows = 1, row_bytes = 64, mcast = row, mcast_mask = 255} tag "wq"
  }
  scf.for %i = %col to %n step %c8 : i64 {
    %first = arith.subi %i, %col : i64
    %left = arith.subi %n, %first : i64
    %count = arith.minsi %left, %c8 : i64
    %bits = arith.shli %c1, %count : i64
    %mask = arith.subi %bits, %c1 : i64
    %isLarge = arith.cmpi sgt, %first, %c8 : i64
    scf.if %isLarge {
      pe.dma_in {cb = 2, rows = 1, row_bytes = 64, mcast = row, mcast_mask = %mask}
    }
  }
  scf.for %i = %col to %c16 step %c8 : i64 {
    pe.dma_in {cb = 2, rows = 1, row_bytes = 64, mcast = row, mcast_mask = 255}
  }
  return
}

// -----

// Conditions on the position alone are evaluated for the members: PEs 0 to 3
// of a column take the branch, those behind them do not.
func.func @kernel_load(%args: i64) {
  %c4 = arith.constant 4 : i64
  %row = pe.info row
  %isUpper = arith.cmpi ult, %row, %c4 : i64
  // expected-note @+1 {{this one}}
  scf.if %isUpper {
    pe.dma_in {cb = 0, rows = 1, row_bytes = 64, mcast = column, mcast_mask = 15}
    // expected-error @+1 {{'pe.dma_in' into CB 1 is a multicast along a column, and some PEs of its group reach it and others do not: it stands in a branch whose condition varies with the PE's row}}
    pe.dma_in {cb = 1, rows = 1, row_bytes = 64, mcast = column, mcast_mask = 31}
  }
  return
}

// -----

// It does not matter which side a PE takes if both have the same.
func.func @kernel_load(%args: i64) {
  %c4 = arith.constant 4 : i64
  %row = pe.info row
  %isUpper = arith.cmpi ult, %row, %c4 : i64
  scf.if %isUpper {
    pe.dma_in {cb = 0, rows = 1, row_bytes = 64, mcast = column, mcast_mask = 255}
  } else {
    pe.dma_in {cb = 1, rows = 1, row_bytes = 64, mcast = column, mcast_mask = 255}
  }
  return
}

// -----

// What each PE reads at an address of its own varies, and so does what a loop
// makes of it; a reduction goes down a column.
func.func @kernel_compute(%args: i64) {
  %list = pe.arg %args[0] : i64
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %all = arith.constant 0xff000000ff : i64
  %row = pe.info row
  %at = arith.muli %row, %c8 : i64
  %mine = arith.addi %list, %at : i64
  %n = pe.load %mine[0] : i64
  %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %c0) -> (i64) : i64 {
    %next = arith.addi %s, %n : i64
    scf.yield %next : i64
  }
  %is = arith.cmpi sgt, %sum, %c0 : i64
  // expected-note @+1 {{this one}}
  scf.if %is {
    // expected-error @+1 {{'pe.barrier' is a barrier, and some PEs of its group reach it and others do not: it stands in a branch whose condition varies with the PE's row, expected one that is the same for all members; move it out, or let each PE take part}}
    pe.barrier 1, %all
  }
  // expected-note @+1 {{this one}}
  scf.for %i = %c0 to %n step %c1 : i64 {
    pe.reduce {rows = 1, cols = 1, direction = right, receive = 1, forward = 1}
    // expected-error @+1 {{'pe.reduce' is a reduction, and some PEs of its group reach it and others do not}}
    pe.reduce {rows = 1, cols = 1, direction = down, receive = 1, forward = 1}
  }
  return
}

// -----

// The parts of a chain do different things; a PE by itself may do what it
// likes.
func.func @kernel_compute(%args: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %row = pe.info row
  %isFirst = arith.cmpi eq, %row, %c0 : i64
  %mask = arith.shli %c1, %row : i64
  scf.if %isFirst {
    pe.reduce {rows = 1, cols = 1, direction = down, forward = 1}
    pe.barrier 2, %mask
  } else {
    pe.reduce {rows = 1, cols = 1, direction = down, receive = 1, forward = 1}
  }
  return
}

// -----

// A mask made of the size of the grid names all PEs, whatever the rounds; one
// that the condition is made of too names those that take the branch.
func.func @kernel_load(%args: i64) {
  %n = pe.arg %args[0] : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %row = pe.info row
  %rows = pe.info rows
  %bits = arith.shli %c1, %rows : i64
  %all = arith.subi %bits, %c1 : i64
  // expected-note @+1 {{this one}}
  scf.for %i = %row to %n step %c8 : i64 {
    // expected-error @+1 {{it stands in a loop whose bounds vary with the PE's row}}
    pe.dma_in {cb = 0, rows = 1, row_bytes = 64, mcast = column, mcast_mask = %all}
  }
  %half = arith.shrui %rows, %c1 : i64
  %isUpper = arith.cmpi ult, %row, %half : i64
  scf.if %isUpper {
    %halfBits = arith.shli %c1, %half : i64
    %upper = arith.subi %halfBits, %c1 : i64
    pe.dma_in {cb = 0, rows = 1, row_bytes = 64, mcast = column, mcast_mask = %upper}
  }
  return
}
