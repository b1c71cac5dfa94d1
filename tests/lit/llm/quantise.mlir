// SPDX-License-Identifier: Apache-2.0
// Linear maps become products of 8-bit operands; logits stay what they are.
// RUN: chipwright-opt -llm-quantise=product=i8 %s | FileCheck %s
// RUN: chipwright-opt -llm-quantise=product=f8E4M3FN %s | FileCheck --check-prefix=FP8 %s
// RUN: not chipwright-opt -llm-quantise=product=i4 %s 2>&1 | FileCheck --check-prefix=ERROR %s

// ERROR: llm-quantise: expected product=i8, f8E4M3FN or f8E5M2, found 'i4'
// CHECK-LABEL: func.func @step
// FP8-LABEL: func.func @step
func.func @step(%x: tensor<?x8xbf16>, %rows: tensor<?x1xi32>) -> tensor<?x16xf32> {
  // CHECK-NEXT: %[[W:.*]] = llm.parameter "w" : tensor<8x8xi8>
  // CHECK-NEXT: %[[S:.*]] = llm.parameter "w" scales : tensor<1x8xf32>
  // CHECK-NEXT: %[[Y:.*]] = llm.quantised_linear "map"(%{{.*}}, %[[W]], %[[S]]){{.*}} : (tensor<?x8xbf16>, tensor<8x8xi8>, tensor<1x8xf32>) -> tensor<?x8xbf16>
  // FP8: llm.parameter "w" : tensor<8x8xf8E4M3FN>
  %w = llm.parameter "w" : tensor<8x8xbf16>
  %y = llm.linear "map"(%x, %w) : (tensor<?x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
  // CHECK: llm.silu_mul
  // CHECK: llm.linear "down"
  %p = llm.silu_mul "p"(%y, %y) : (tensor<?x8xbf16>, tensor<?x8xbf16>) -> tensor<?x8xbf16>
  %d = llm.parameter "d" : tensor<8x8xbf16>
  %e = llm.linear "down"(%p, %d) : (tensor<?x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
  // CHECK: llm.parameter "head" : tensor<16x8xbf16>
  // CHECK: llm.logits "lm_head"(
  %h = llm.parameter "head" : tensor<16x8xbf16>
  %z = llm.logits "lm_head"(%e, %rows, %h) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<16x8xbf16>) -> tensor<?x16xf32>
  return %z : tensor<?x16xf32>
}
