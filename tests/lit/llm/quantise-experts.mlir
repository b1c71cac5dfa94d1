// SPDX-License-Identifier: Apache-2.0
// Maps of experts become products of 8-bit operands: gate and up, and down, whose
// operand is a product of two activations, of floats or as `products` says.
// RUN: chipwright-opt -llm-quantise=product=i8 %s | FileCheck %s
// RUN: chipwright-opt -llm-quantise="product=f8E4M3FN products=yes" %s | FileCheck --check-prefix=ALL %s
// RUN: chipwright-opt -llm-quantise=product=f8E4M3FN %s | FileCheck --check-prefix=ALL %s
// RUN: chipwright-opt -llm-quantise="product=f8E5M2 products=no" %s | FileCheck --check-prefix=NOT %s
// RUN: not chipwright-opt -llm-quantise="product=i8 products=maybe" %s 2>&1 | FileCheck --check-prefix=ERROR %s
// RUN: chipwright-opt -llm-quantise=product=i8 %s | chipwright-opt | FileCheck %s
// RUN: chipwright-opt -llm-quantise=product=i8 --attach-chip --llm-to-grid %s | FileCheck --check-prefix=GRID %s
// RUN: chipwright-opt -llm-quantise="product=i8 products=yes" --attach-chip --llm-to-grid %s | FileCheck --check-prefix=GRIDALL %s

// ERROR: llm-quantise: expected products=yes or no, found 'maybe'
// NOT-NOT: llm.quantised_linear
// NOT-NOT: "down" : tensor<4x8x6xf8E5M2>
// CHECK-LABEL: func.func @step
// ALL-LABEL: func.func @step
func.func @step(%x: tensor<?x8xbf16> {llm.name = "x", llm.role = "activation", llm.symbol = "tokens"}) -> tensor<?x8xf32> {
  // CHECK: llm.parameter "router" : tensor<4x8xbf16>
  %r = llm.parameter "router" : tensor<4x8xbf16>
  %l, %e, %s = llm.router "router"(%x, %r) {chosen = 2 : i64} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: %[[D:.*]] = llm.parameter "down" : tensor<4x8x6xbf16>
  %g = llm.parameter "gate" : tensor<4x6x8xbf16>
  %u = llm.parameter "up" : tensor<4x6x8xbf16>
  %d = llm.parameter "down" : tensor<4x8x6xbf16>
  // CHECK: %[[GB:.*]] = llm.parameter "gate_bias"
  %gb = llm.parameter "gate_bias" : tensor<4x6xf32>
  %ub = llm.parameter "up_bias" : tensor<4x6xf32>
  %db = llm.parameter "down_bias" : tensor<4x8xf32>
  // CHECK: %[[G:.*]] = llm.parameter "gate" : tensor<4x6x8xi8>
  // CHECK-NEXT: %[[GS:.*]] = llm.parameter "gate" scales : tensor<4x6xf32>
  // CHECK-NEXT: %[[U:.*]] = llm.parameter "up" : tensor<4x6x8xi8>
  // CHECK-NEXT: %[[US:.*]] = llm.parameter "up" scales : tensor<4x6xf32>
  // CHECK-NEXT: llm.experts "experts"(%{{.*}}, %{{.*}}, %{{.*}}, %[[G]], %[[U]], %[[D]], %[[GS]], %[[US]], %[[GB]],
  // ALL: llm.parameter "down" : tensor<4x8x6xf8E4M3FN>
  // ALL-NEXT: %[[DS:.*]] = llm.parameter "down" scales : tensor<4x8xf32>
  // ALL-NEXT: llm.experts {{.*}}, %[[DS]], %{{.*}}, %{{.*}}, %{{.*}}) {on_input = false}
  %y = llm.experts "experts"(%x, %e, %s, %g, %u, %d, %gb, %ub, %db) {on_input = false} : (tensor<?x8xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x6x8xbf16>, tensor<4x6x8xbf16>, tensor<4x8x6xbf16>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  // silu_mul's map too
  // CHECK: llm.linear "dense.down"
  // ALL: llm.quantised_linear "dense.down"
  %p = llm.silu_mul "p"(%x, %x) : (tensor<?x8xbf16>, tensor<?x8xbf16>) -> tensor<?x8xbf16>
  %w = llm.parameter "w" : tensor<8x8xbf16>
  %z = llm.linear "dense.down"(%p, %w) : (tensor<?x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xf32>
  %a = llm.add "sum"(%y, %z) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %a : tensor<?x8xf32>
}

// Rows of tokens are quantised once, before they are gathered by expert.
// GRID: grid.tensor "weight" "gate.scales" {content = "RowScales"}
// GRID-LABEL: grid.program @experts_quantise_0
// GRID: grid.row_reduce absmax
// GRID: grid.round
// GRID: grid.barrier
// GRID: gather = array<i64: -1, -1, 1, 1>
// GRID-LABEL: grid.program @experts_inner_0
// GRID: grid.matmul {{.*}}xi8, {{.*}}xi8, {{.*}} -> tensor<?x?xi32
// GRID: arith.sitofp
// GRID-LABEL: grid.program @experts_outer_0
// GRID-NOT: grid.barrier
// GRID: grid.matmul {{.*}}xbf16,
// What the first maps make is quantised before the last one, in its launch.
// GRIDALL-LABEL: grid.program @experts_outer_0
// GRIDALL: grid.round
// GRIDALL: grid.barrier
// GRIDALL: grid.matmul {{.*}}xi8, {{.*}}xi8, {{.*}} -> tensor<?x?xi32
