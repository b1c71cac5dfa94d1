// SPDX-License-Identifier: Apache-2.0
// Schedules for a chip; what is scheduled stays as it is.
// RUN: chipwright-opt -attach-chip="chip=mtia-2i" -grid-schedule %s | FileCheck %s
// RUN: chipwright-opt -attach-chip="chip=mtia-2i set=grid.rows=1,grid.cols=1" -grid-schedule %s | FileCheck %s --check-prefix=ONE
// What is printed is read again and not changed.
// RUN: chipwright-opt -attach-chip -grid-schedule %s | chipwright-opt -grid-schedule | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
!a = tensor<?x?xf16, #grid.dims<m, k>>
!b = tensor<?x?xf16, #grid.dims<n, k>>
!s = tensor<?x?xf32, #grid.dims<m, n>>
!c = tensor<?x?xf16, #grid.dims<m, n>>

// CHECK: pe.chip = {{.*}}name = "mtia-2i"
// CHECK-LABEL: @square
// CHECK: schedule = #grid.schedule<tile = [64, 128, {{64|128}}], on = [row, col, seq]>
// ONE-LABEL: @square
// ONE: schedule = #grid.schedule<tile = [{{[0-9, ]+}}], on = [{{.*}}, seq]>
grid.program @square(%a: !grid.buffer<?x?xf16>, %b: !grid.buffer<?x?xf16>, %c: !grid.buffer<?x?xf16>) {
  %m = grid.dim %a, 0 : !grid.buffer<?x?xf16>
  %n = grid.dim %b, 0 : !grid.buffer<?x?xf16>
  %k = grid.dim %a, 1 : !grid.buffer<?x?xf16>
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %b : !grid.buffer<?x?xf16>, !grid.buffer<?x?xf16>) finish() results(%c : !grid.buffer<?x?xf16>)
    maps [#a, #b, #c] attributes {init = [0.0], size_hints = array<i64: 2048, 2048, 2048>} {
  ^bb0(%x: !a, %y: !b, %acc: !s):
    %s = grid.matmul %x, %y, %acc : !a, !b -> !s
    grid.yield %s : !s
  } {
  ^bb0(%sum: !s):
    %o = arith.truncf %sum : !s to !c
    grid.yield %o : !c
  }
}

// A single row: all PEs share out the columns, each takes all of the row.
// CHECK-LABEL: @row
// CHECK: schedule = #grid.schedule<tile = [1, {{[0-9]+}}, {{[0-9]+}}], on = [{{seq|all}}, all, seq]>
grid.program @row(%a: !grid.buffer<1x4096xf16>, %b: !grid.buffer<4096x4096xf16>, %c: !grid.buffer<1x4096xf16>) {
  %m = arith.constant 1 : index
  %n = arith.constant 4096 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %n)
    step(%a, %b : !grid.buffer<1x4096xf16>, !grid.buffer<4096x4096xf16>) finish() results(%c : !grid.buffer<1x4096xf16>)
    maps [#a, #b, #c] attributes {init = [0.0]} {
  ^bb0(%x: !a, %y: !b, %acc: !s):
    %s = grid.matmul %x, %y, %acc : !a, !b -> !s
    grid.yield %s : !s
  } {
  ^bb0(%sum: !s):
    %o = arith.truncf %sum : !s to !c
    grid.yield %o : !c
  }
}

// CHECK-LABEL: @kept
// CHECK: schedule = #grid.schedule<tile = [3, 5], on = [col, row]>
#x = affine_map<(m, n) -> (m, n)>
grid.program @kept(%x: !grid.buffer<64x64xf32>, %y: !grid.buffer<64x64xf32>) {
  %m = arith.constant 64 : index
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>] sizes(%m, %m)
    step() finish(%x : !grid.buffer<64x64xf32>) results(%y : !grid.buffer<64x64xf32>)
    maps [#x, #x] attributes {schedule = #grid.schedule<tile = [3, 5], on = [col, row]>} {
  } {
  ^bb0(%t: tensor<?x?xf32, #grid.dims<m, n>>):
    grid.yield %t : tensor<?x?xf32, #grid.dims<m, n>>
  }
}
