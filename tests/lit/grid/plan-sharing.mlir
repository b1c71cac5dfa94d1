// SPDX-License-Identifier: Apache-2.0
// Rings and banks on a chip with few of them.
// RUN: chipwright-opt -split-input-file --pass-pipeline='builtin.module(attach-chip{set=cp.cbs=4,re.banks=1},grid.program(grid-normalize),grid-to-pe,canonicalize,cse)' %s | FileCheck %s
// RUN: chipwright-opt -split-input-file --pass-pipeline='builtin.module(attach-chip,grid.program(grid-normalize),grid-to-pe,canonicalize,cse)' %s | FileCheck %s --check-prefix=MANY

// Of three loads the larger two share a ring with slots of 1024 bytes; what the
// smaller of them leaves free is pushed behind it. So do two results, of which
// a store takes the smaller one.
// CHECK-LABEL: func.func @kernel_load
// CHECK-DAG:   %[[REST:.*]] = arith.constant 512 : i64
// CHECK-COUNT-4: pe.cb_setup
// CHECK-NOT:   pe.cb_setup
// CHECK:       pe.dma_in {{.*}}row_bytes = 256, cb = [[OTHER:[0-9]]]
// CHECK-NOT:   pe.cb_push
// CHECK:       pe.dma_in {{.*}}row_bytes = 512, cb = [[IN:[0-9]]]
// CHECK-NEXT:  pe.cb_push [[IN]], %[[REST]]
// CHECK:       pe.dma_in {{.*}}row_bytes = 1024, cb = [[IN]]
// CHECK-NOT:   pe.cb_push
// CHECK-LABEL: func.func @kernel_compute
// CHECK-DAG:   %[[REST:.*]] = arith.constant 512 : i64
// CHECK-DAG:   %[[SLOT:.*]] = arith.constant 1024 : i64
// CHECK:       pe.dma_out {{.*}}row_bytes = 256
// CHECK:       pe.se {cb = [[IN]], {{.*}}out_cb = [[OUT:[0-9]]],
// CHECK-NEXT:  pe.cb_push [[OUT]], %[[SLOT]]
// CHECK-NEXT:  pe.cb_pop [[IN]], %[[SLOT]]
// CHECK:       pe.dma_out {{.*}}row_bytes = 512, cb = [[OUT]]
// CHECK-NEXT:  pe.cb_pop [[OUT]], %[[REST]]
// CHECK:       pe.se {cb = [[IN]], {{.*}}out_cb = [[OUT]],
// CHECK:       pe.dma_out {{.*}}row_bytes = 1024, cb = [[OUT]]
// MANY-LABEL:  func.func @kernel_load
// MANY-COUNT-6: pe.cb_setup
// MANY-NOT:    pe.cb_push
// MANY-LABEL:  func.func @kernel_compute
grid.program @follow(%x: !grid.buffer<32x8xf32>, %y: !grid.buffer<32x8xf32>) {
  %0 = arith.constant 0 : index
  %a = grid.load %x[%0, %0] : !grid.buffer<32x8xf32> -> tensor<8x8xf32>
  %b = grid.simd %a {function = #grid<function exp>} : tensor<8x8xf32> out tensor<8x8xf32>
  grid.store %b, %y[%0, %0] : tensor<8x8xf32>, !grid.buffer<32x8xf32>
  %c = grid.load %x[%0, %0] : !grid.buffer<32x8xf32> -> tensor<16x8xf32>
  %d = grid.simd %c {function = #grid<function exp>} : tensor<16x8xf32> out tensor<16x8xf32>
  grid.store %d, %y[%0, %0] : tensor<16x8xf32>, !grid.buffer<32x8xf32>
  %e = grid.load %x[%0, %0] : !grid.buffer<32x8xf32> -> tensor<32x8xf32>
  %f = grid.simd %e {function = #grid<function exp>} : tensor<32x8xf32> out tensor<32x8xf32>
  grid.store %f, %y[%0, %0] : tensor<32x8xf32>, !grid.buffer<32x8xf32>
}

// -----

// A sum of two banks, carried around a loop: with one bank it lies in local
// memory and goes through the bank half by half. A second sum that lives
// within the loop's body has the bank in between.
// CHECK-LABEL: func.func @kernel_compute
// CHECK:       scf.for
// CHECK:       pe.mml {{.*}}bank = 0, accumulate = 0
// CHECK:       pe.drain {cb = 0,
// CHECK:       pe.bank_init {{.*}}kind = tile, {{.*}}bank = 0
// CHECK:       pe.mml {{.*}}bank = 0, accumulate = 1
// CHECK:       pe.drain {cb = 0, {{.*}}out_offset = 0
// CHECK:       pe.bank_init {{.*}}kind = tile, {{.*}}bank = 0
// CHECK:       pe.mml {{.*}}bank = 0, accumulate = 1
// CHECK:       pe.drain {cb = 0, {{.*}}out_offset = 256
// MANY-LABEL:  func.func @kernel_compute
// MANY:        scf.for
// MANY-NOT:    pe.bank_init
// MANY:        pe.mml {{.*}}bank = 2, accumulate = 0
// MANY:        pe.drain {cb = 2,
// MANY:        pe.mml {{.*}}bank = 0, accumulate = %
// MANY:        pe.mml {{.*}}bank = 1, accumulate = %
// MANY-NOT:    pe.drain
// MANY:        }
grid.program @spill(%x: !grid.buffer<32x16xf16>, %y: !grid.buffer<128x16xf16>, %z: !grid.buffer<32x128xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %8 = arith.constant 8 : index
  %zero = arith.constant dense<0.0> : tensor<32x128xf32>
  %small = arith.constant dense<0.0> : tensor<32x16xf32>
  %sum = scf.for %i = %0 to %8 step %1 iter_args(%acc = %zero) -> (tensor<32x128xf32>) {
    %a = grid.load %x[%0, %0] : !grid.buffer<32x16xf16> -> tensor<32x16xf16>
    %w = grid.load %y[%0, %0] : !grid.buffer<128x16xf16> -> tensor<16x16xf16>
    %s = grid.matmul %a, %w, %small : tensor<32x16xf16>, tensor<16x16xf16> -> tensor<32x16xf32>
    %p = grid.simd %s : tensor<32x16xf32> out tensor<32x16xf16>
    %b = grid.load %y[%0, %0] : !grid.buffer<128x16xf16> -> tensor<128x16xf16>
    %next = grid.matmul %p, %b, %acc : tensor<32x16xf16>, tensor<128x16xf16> -> tensor<32x128xf32>
    scf.yield %next : tensor<32x128xf32>
  }
  %o = grid.simd %sum : tensor<32x128xf32> out tensor<32x128xf32>
  grid.store %o, %z[%0, %0] : tensor<32x128xf32>, !grid.buffer<32x128xf32>
}
