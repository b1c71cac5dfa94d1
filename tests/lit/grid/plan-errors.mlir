// SPDX-License-Identifier: Apache-2.0
// What does not fit local memory, with the map of it.
// RUN: chipwright-opt -split-input-file -verify-diagnostics -attach-chip="chip=mtia-2i set=ls.bytes=65536,cp.cbs=4" -grid-to-pe %s

// expected-error @+1 {{tiles of @memory need 98304 bytes of local memory, mtia-2i has 61312 besides stacks and arguments (ls.bytes); use smaller tiles}}
grid.program @memory(%x: !grid.buffer<64x256xf32>, %y: !grid.buffer<64x256xf16>) {
  %0 = arith.constant 0 : index
  // expected-note @+1 {{CB 0: 1 x 65536 bytes for this 'tensor<64x256xf32>'}}
  %t = grid.load %x[%0, %0] : !grid.buffer<64x256xf32> -> tensor<64x256xf32>
  // expected-note @+1 {{CB 1: 1 x 32768 bytes for this 'tensor<64x256xf16>'}}
  %u = grid.simd %t : tensor<64x256xf32> out tensor<64x256xf16>
  grid.store %u, %y[%0, %0] : tensor<64x256xf16>, !grid.buffer<64x256xf16>
}

// -----

// Tiles of three loops in each other are in local memory at a time and leave it
// in another order than they came: none can share a ring, except the two that
// hart 1 makes.
// expected-error @+1 {{@rings needs 5 circular buffers, mtia-2i has 4 (cp.cbs); split the program}}
grid.program @rings(%x: !grid.buffer<8x8xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %8 = arith.constant 8 : index
  // expected-note @+1 {{CB 0: 1 x 256 bytes}}
  %a = grid.load %x[%0, %0] : !grid.buffer<8x8xf32> -> tensor<8x8xf32>
  scf.for %i = %0 to %8 step %1 {
    // expected-note @+1 {{CB 1: 1 x 256 bytes}}
    %b = grid.load %x[%i, %0] : !grid.buffer<8x8xf32> -> tensor<8x8xf32>
    scf.for %j = %0 to %8 step %1 {
      // expected-note @+1 {{CB 2: 1 x 256 bytes}}
      %c = grid.load %x[%j, %0] : !grid.buffer<8x8xf32> -> tensor<8x8xf32>
      scf.for %k = %0 to %8 step %1 {
        // expected-note @+1 {{CB 3: 1 x 256 bytes}}
        %d = grid.load %x[%k, %0] : !grid.buffer<8x8xf32> -> tensor<8x8xf32>
        // expected-note @+1 {{CB 4: 2 x 256 bytes}}
        %e = grid.simd %a y1 %b : tensor<8x8xf32> {alu1 = #grid<alu mul>, y1_kind = #grid<operand tile>} : tensor<8x8xf32> out tensor<8x8xf32>
        // expected-note @+1 {{CB 4: 2 x 256 bytes}}
        %f = grid.simd %c y1 %d : tensor<8x8xf32> y2 %e : tensor<8x8xf32> {alu1 = #grid<alu mul>, y1_kind = #grid<operand tile>, y2_kind = #grid<operand tile>} : tensor<8x8xf32> out tensor<8x8xf32>
        grid.store %f, %x[%k, %0] : tensor<8x8xf32>, !grid.buffer<8x8xf32>
      }
    }
  }
}

// -----

// expected-error @+1 {{sums of products of @banks need 8 accumulator banks, mtia-2i has 4 (re.banks); use smaller tiles}}
grid.program @banks(%x: !grid.buffer<64x16xf16>, %y: !grid.buffer<256x16xf16>, %z: !grid.buffer<64x256xf16>) {
  %0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<64x256xf32>
  %a = grid.load %x[%0, %0] : !grid.buffer<64x16xf16> -> tensor<64x16xf16>
  %b = grid.load %y[%0, %0] : !grid.buffer<256x16xf16> -> tensor<256x16xf16>
  // expected-note @+1 {{8 banks of 32 x 64 for this 'tensor<64x256xf32>'}}
  %s = grid.matmul %a, %b, %zero : tensor<64x16xf16>, tensor<256x16xf16> -> tensor<64x256xf32>
  %o = grid.simd %s : tensor<64x256xf32> out tensor<64x256xf16>
  grid.store %o, %z[%0, %0] : tensor<64x256xf16>, !grid.buffer<64x256xf16>
}

// -----

grid.program @passes(%x: !grid.buffer<8x8xf16>, %z: !grid.buffer<8x8xf16>) {
  %0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : tensor<8x8xf32>
  %a = grid.load %x[%0, %0] : !grid.buffer<8x8xf16> -> tensor<8x8xf16>
  // expected-error @+1 {{multiplies 16 bytes of K, which is no multiple of the 32 of a pass (dpe.k_bytes)}}
  %s = grid.matmul %a, %a, %zero : tensor<8x8xf16>, tensor<8x8xf16> -> tensor<8x8xf32>
  %o = grid.simd %s : tensor<8x8xf32> out tensor<8x8xf16>
  grid.store %o, %z[%0, %0] : tensor<8x8xf16>, !grid.buffer<8x8xf16>
}

// -----

grid.program @command(%x: !grid.buffer<8x8xf32>) {
  %0 = arith.constant 0 : index
  %a = grid.load %x[%0, %0] : !grid.buffer<8x8xf32> -> tensor<8x8xf32>
  // expected-error @+1 {{has no command; run grid-select-simd and grid-normalize first}}
  %b = math.exp %a : tensor<8x8xf32>
  grid.store %b, %x[%0, %0] : tensor<8x8xf32>, !grid.buffer<8x8xf32>
}

// -----

// expected-error @+1 {{a kernel is made of one grid.program, found 2}}
module {
grid.program @one(%x: !grid.buffer<8x8xf32>) {
  grid.barrier
}
grid.program @two(%x: !grid.buffer<8x8xf32>) {
  grid.barrier
}
}
