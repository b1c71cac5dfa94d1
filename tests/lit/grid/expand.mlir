// SPDX-License-Identifier: Apache-2.0
// Declared operations to loops, commands, shared loads and both harts.
// RUN: chipwright-opt --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand,canonicalize,cse))' %s | FileCheck %s
// RUN: chipwright-opt --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand,canonicalize,cse,grid-select-simd))' %s | FileCheck %s --check-prefix=SIMD
// RUN: chipwright-opt --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand,canonicalize,cse,grid-select-simd,grid-normalize,grid-derive-multicast))' %s | FileCheck %s --check-prefix=CAST
// Each stage that is printed is read again and gives the next one.
// RUN: chipwright-opt --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand,canonicalize,cse))' %s | chipwright-opt --pass-pipeline='builtin.module(grid.program(grid-select-simd))' | chipwright-opt --pass-pipeline='builtin.module(grid.program(grid-normalize,grid-derive-multicast))' | FileCheck %s --check-prefix=CAST
// RUN: chipwright-opt -attach-chip -grid-to-commands %s > %t.once
// RUN: chipwright-opt --pass-pipeline='builtin.module(attach-chip,grid.program(grid-expand,canonicalize,cse,grid-select-simd,grid-normalize,grid-derive-multicast))' %s | chipwright-opt --pass-pipeline='builtin.module(grid-to-pe,canonicalize,cse)' > %t.stages
// RUN: diff %t.once %t.stages
// RUN: FileCheck %s --check-prefix=PE < %t.once

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
!a = tensor<?x?xf16, #grid.dims<m, k>>
!b = tensor<?x?xf16, #grid.dims<n, k>>
!s = tensor<?x?xf32, #grid.dims<m, n>>
!c = tensor<?x?xf16, #grid.dims<m, n>>

// CHECK-LABEL: grid.program @matmul
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<64x128xf32>
// CHECK: grid.parallel %[[I:.*]] = %{{.*}} on row
// CHECK: %[[M:.*]] = arith.muli %[[I]], %{{.*}}
// CHECK: grid.parallel %[[J:.*]] = %{{.*}} on col
// CHECK: %[[SUM:.*]] = scf.for %[[K:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[ACC:.*]] = %[[ZERO]])
// CHECK: %[[A:.*]] = grid.load %{{.*}}[%[[M]], %[[K]]] {tag = "product"}
// CHECK-SAME: -> tensor<64x32xf16>
// CHECK: %[[B:.*]] = grid.load %{{.*}}, %[[K]]] {policy = #grid<cache_policy stream>, tag = "product"}
// CHECK-SAME: -> tensor<128x32xf16>
// CHECK: grid.matmul %[[A]], %[[B]], %[[ACC]]
// CHECK: scf.yield
// CHECK: nonempty
// CHECK: arith.truncf %[[SUM]] {tag = "product"}
// CHECK: grid.store %{{.*}} {tag = "product"}

// The conversion and the reading of the banks are one command.
// SIMD: %[[OUT:.*]] = grid.simd %{{.*}} {tag = "product"} : tensor<64x128xf32> out tensor<64x128xf16>
// SIMD-NEXT: grid.store %[[OUT]]

// A does not depend on the column, B not on the row.
// CAST: grid.parallel %{{.*}} on row
// CAST: %[[ROWS:.*]] = grid.members
// CAST: grid.parallel %{{.*}} on col
// CAST: %[[COLS:.*]] = grid.members
// CAST: grid.load {{.*}} mask %[[COLS]] {multicast = #grid<multicast row>
// CAST: grid.load {{.*}} mask %[[ROWS]] {multicast = #grid<multicast column>

// PE-LABEL: func.func @kernel_load
// PE: pe.cb_setup 0
// PE: pe.barrier 0
// PE: pe.dma_in {{.*}}mcast = row
// PE: pe.dma_in {{.*}}mcast = column
// PE-LABEL: func.func @kernel_compute
// PE: pe.mml
// PE: pe.drain
// PE: pe.dma_out
grid.program @matmul(%a: !grid.buffer<512x64xf16>, %b: !grid.buffer<1024x64xf16>, %c: !grid.buffer<512x1024xf16>) {
  %m = arith.constant 512 : index
  %n = arith.constant 1024 : index
  %k = arith.constant 64 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<512x64xf16>, !grid.buffer<1024x64xf16>) finish() results(%c : !grid.buffer<512x1024xf16>)
    maps [#a, #b, #c] attributes {init = [0.0], tag = "product", stream = array<i64: 1>,
                                  schedule = #grid.schedule<tile = [64, 128, 32], on = [row, col, seq]>} {
  ^bb0(%x: !a, %y: !b, %acc: !s):
    %s = grid.matmul %x, %y, %acc : !a, !b -> !s
    grid.yield %s : !s
  } {
  ^bb0(%sum: !s):
    %o = arith.truncf %sum : !s to !c
    grid.yield %o : !c
  }
}
