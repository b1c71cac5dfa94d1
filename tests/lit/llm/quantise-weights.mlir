// SPDX-License-Identifier: Apache-2.0
// Weights of linear maps become codes of 4 bits and scales; logits stay.
// RUN: chipwright-opt -llm-quantise-weights=type=i4 %s | FileCheck %s
// RUN: chipwright-opt -llm-quantise-weights=type=f4E2M1FN %s | FileCheck --check-prefix=MX %s
// RUN: chipwright-opt -llm-quantise-weights=type=i4 %s | chipwright-opt | FileCheck %s
// RUN: chipwright-opt -attach-chip=chip=mtia-2i -llm-quantise-weights=type=i4 -llm-to-grid %s | FileCheck --check-prefix=GRID %s
// RUN: not chipwright-opt -llm-quantise-weights=type=i8 %s 2>&1 | FileCheck --check-prefix=ERROR %s

// ERROR: llm-quantise-weights: expected type=i4 or f4E2M1FN, found 'i8'
// CHECK-LABEL: func.func @step
// MX-LABEL: func.func @step
func.func @step(%x: tensor<?x40xbf16> {llm.name = "x", llm.role = "activation", llm.symbol = "tokens"},
                %rows: tensor<?x1xi32> {llm.name = "rows", llm.role = "input", llm.input = "OutputRows", llm.symbol = "outputs"}) -> tensor<?x16xf32> {
  // Rows are filled up to a multiple of 32.
  // CHECK-NEXT: %[[W:.*]] = llm.parameter "w" : tensor<40x64xi4>
  // CHECK-NEXT: %[[S:.*]] = llm.parameter "w" scales : tensor<40x2xbf16>
  // CHECK-NEXT: %[[Y:.*]] = llm.block_linear "map"(%{{.*}}, %[[W]], %[[S]]){{.*}} : (tensor<?x40xbf16>, tensor<40x64xi4>, tensor<40x2xbf16>) -> tensor<?x40xbf16>
  // MX: llm.parameter "w" : tensor<40x64xf4E2M1FN>
  // MX: llm.parameter "w" scales : tensor<40x2xf8E8M0FNU>
  // GRID: grid.tensor "weight" "w" : <40x64xi4>
  // GRID: grid.tensor "weight" "w.scales" {content = "BlockScales"} : <40x2xbf16>
  // GRID: grid.program @block_linear_0
  // GRID: arith.sitofp
  // GRID: grid.broadcast %{{.*}} segment 32
  // GRID: grid.matmul
  %w = llm.parameter "w" : tensor<40x40xbf16>
  %y = llm.linear "map"(%x, %w) : (tensor<?x40xbf16>, tensor<40x40xbf16>) -> tensor<?x40xbf16>
  // CHECK: llm.silu_mul
  // CHECK: llm.block_linear "down"
  %p = llm.silu_mul "p"(%y, %y) : (tensor<?x40xbf16>, tensor<?x40xbf16>) -> tensor<?x40xbf16>
  %d = llm.parameter "d" : tensor<40x40xbf16>
  %e = llm.linear "down"(%p, %d) : (tensor<?x40xbf16>, tensor<40x40xbf16>) -> tensor<?x40xbf16>
  // CHECK: llm.parameter "head" : tensor<16x40xbf16>
  // CHECK: llm.logits "lm_head"(
  %h = llm.parameter "head" : tensor<16x40xbf16>
  %z = llm.logits "lm_head"(%e, %rows, %h) : (tensor<?x40xbf16>, tensor<?x1xi32>, tensor<16x40xbf16>) -> tensor<?x16xf32>
  return %z : tensor<?x16xf32>
}
