// SPDX-License-Identifier: Apache-2.0
// Weights of experts become codes of 4 bits and scales; the router stays.
// RUN: chipwright-opt -llm-quantise-weights=type=f4E2M1FN %s | FileCheck %s
// RUN: chipwright-opt -llm-quantise-weights=type=f4E2M1FN %s | chipwright-opt | FileCheck %s
// RUN: chipwright-opt -llm-quantise-weights=type=f4E2M1FN --attach-chip --llm-to-grid %s | FileCheck --check-prefix=GRID %s

// CHECK-LABEL: func.func @step
func.func @step(%x: tensor<?x8xbf16> {llm.name = "x", llm.role = "activation", llm.symbol = "tokens"}) -> tensor<?x8xf32> {
  // CHECK: llm.parameter "router" : tensor<4x8xbf16>
  %r = llm.parameter "router" : tensor<4x8xbf16>
  %l, %e, %s = llm.router "router"(%x, %r) {chosen = 2 : i64} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x2xi32>, tensor<?x2xf32>)
  %g = llm.parameter "gate" : tensor<4x40x8xbf16>
  %u = llm.parameter "up" : tensor<4x40x8xbf16>
  %d = llm.parameter "down" : tensor<4x8x40xbf16>
  // CHECK: %[[GB:.*]] = llm.parameter "gate_bias"
  %gb = llm.parameter "gate_bias" : tensor<4x40xf32>
  %ub = llm.parameter "up_bias" : tensor<4x40xf32>
  %db = llm.parameter "down_bias" : tensor<4x8xf32>
  // CHECK: %[[G:.*]] = llm.parameter "gate" : tensor<4x40x32xf4E2M1FN>
  // CHECK-NEXT: %[[GS:.*]] = llm.parameter "gate" scales : tensor<4x40x1xf8E8M0FNU>
  // CHECK-NEXT: %[[U:.*]] = llm.parameter "up" : tensor<4x40x32xf4E2M1FN>
  // CHECK-NEXT: %[[US:.*]] = llm.parameter "up" scales : tensor<4x40x1xf8E8M0FNU>
  // CHECK-NEXT: %[[D:.*]] = llm.parameter "down" : tensor<4x8x64xf4E2M1FN>
  // CHECK-NEXT: %[[DS:.*]] = llm.parameter "down" scales : tensor<4x8x2xf8E8M0FNU>
  // CHECK-NEXT: llm.experts "experts"(%{{.*}}, %{{.*}}, %{{.*}}, %[[G]], %[[U]], %[[D]], %[[GS]], %[[US]], %[[DS]], %[[GB]],
  %y = llm.experts "experts"(%x, %e, %s, %g, %u, %d, %gb, %ub, %db) {on_input = false} : (tensor<?x8xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x40x8xbf16>, tensor<4x40x8xbf16>, tensor<4x8x40xbf16>, tensor<4x40xf32>, tensor<4x40xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// GRID: grid.tensor "weight" "gate.scales" {content = "BlockScales"} : <4x40x1xf8E8M0FNU>
// GRID: grid.program @experts_inner_0
// GRID-COUNT-2: grid.broadcast %{{.*}} segment 32
// GRID: grid.program @experts_outer_0
// GRID: grid.broadcast %{{.*}} segment 32
