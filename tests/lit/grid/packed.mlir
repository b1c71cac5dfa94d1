// SPDX-License-Identifier: Apache-2.0
// Weights of 4 bits and their scales become a 16-bit tile by one command.
// RUN: chipwright-opt %s | chipwright-opt | FileCheck --check-prefix=TEXT %s
// RUN: chipwright-opt --pass-pipeline='builtin.module(grid.program(grid-expand,canonicalize,cse,grid-select-simd))' %s | FileCheck --check-prefix=SIMD %s
// RUN: chipwright-opt -attach-chip=chip=mtia-2i -grid-to-commands %s | FileCheck --check-prefix=PE %s

#a = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#s = affine_map<(m, n, k) -> (n, k floordiv 32)>
#c = affine_map<(m, n, k) -> (m, n)>
!a = tensor<?x?xbf16, #grid.dims<m, k>>
!codes = tensor<?x?xf4E2M1FN, #grid.dims<n, k>>
!scales = tensor<?x?xf8E8M0FNU, #grid.dims<n, k / 32>>
!factors = tensor<?x?xf32, #grid.dims<n, k / 32>>
!wide = tensor<?x?xf32, #grid.dims<n, k>>
!w = tensor<?x?xbf16, #grid.dims<n, k>>
!sum = tensor<?x?xf32, #grid.dims<m, n>>
// TEXT: grid.program @p(%{{.*}}: !grid.buffer<32x100xbf16>, %{{.*}}: !grid.buffer<64x128xf4E2M1FN>, %{{.*}}: !grid.buffer<64x4xf8E8M0FNU>
// SIMD-LABEL: grid.program @p
// PE: func.func @kernel_load
grid.program @p(%a: !grid.buffer<32x100xbf16>, %q: !grid.buffer<64x128xf4E2M1FN>,
                %f: !grid.buffer<64x4xf8E8M0FNU>, %c: !grid.buffer<32x64xf32>) {
  %m = arith.constant 32 : index
  %n = arith.constant 64 : index
  %k = arith.constant 100 : index
  // Rows of a tile are half as many bytes as elements, from an even column on.
  // PE: pe.dma_in {{.*}}row_bytes = 128, {{.*}}fill_dtype = bf16
  // PE: pe.dma_in {{.*}}row_bytes = 32, pitch = 64, {{.*}}fill_dtype = i8
  // PE: pe.dma_in {{.*}}row_bytes = 2, pitch = 4, {{.*}}fill_dtype = i8
  // SIMD: grid.load %{{.*}} : <64x128xf4E2M1FN> -> tensor<64x64xf4E2M1FN>
  // SIMD: grid.load %{{.*}} : <64x4xf8E8M0FNU> -> tensor<64x2xf8E8M0FNU>
  // TEXT: tensor<?x?xf8E8M0FNU, #grid.dims<n, k / 32>>
  grid.generic [#grid.dim<m, parallel>, #grid.dim<n, parallel>, #grid.dim<k, reduction>] sizes(%m, %n, %k)
    step(%a, %q, %f : !grid.buffer<32x100xbf16>, !grid.buffer<64x128xf4E2M1FN>, !grid.buffer<64x4xf8E8M0FNU>)
    finish() results(%c : !grid.buffer<32x64xf32>)
    maps [#a, #w, #s, #c] attributes {init = [0.0], schedule = #grid.schedule<tile = [32, 64, 64], on = [row, col, seq]>} {
  ^bb0(%x: !a, %y: !codes, %z: !scales, %acc: !sum):
    %numbers = arith.extf %y : !codes to !wide
    %one = arith.extf %z : !scales to !factors
    // TEXT: grid.broadcast %{{.*}} segment 32
    %each = grid.broadcast %one segment 32 : !factors -> !wide
    // SIMD: grid.simd %{{.*}} y1 %{{.*}} : tensor<64x2xf8E8M0FNU> {alu1 = #grid<alu mul>, segment = 32 : i64, y1_kind = #grid<operand per_segment>} : tensor<64x64xf4E2M1FN> out tensor<64x64xbf16>
    // PE: func.func @kernel_compute
    // PE: pe.se {{.*}}dtype = f4e2m1{{.*}}segment = 32{{.*}}y1_kind = per_segment
    %product = arith.mulf %numbers, %each : !wide
    %weights = arith.truncf %product : !wide to !w
    %p = grid.matmul %x, %weights, %acc : !a, !w -> !sum
    grid.yield %p : !sum
  } {
  ^bb0(%sum: !sum):
    grid.yield %sum : !sum
  }
}
