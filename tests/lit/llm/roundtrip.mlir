// SPDX-License-Identifier: Apache-2.0
// Text of a model's operations is what was read, and lowers to launches.
// RUN: chipwright-opt %s | chipwright-opt | FileCheck %s
// RUN: chipwright-opt --mlir-print-op-generic %s | chipwright-opt | FileCheck %s
// RUN: chipwright-opt --attach-chip --llm-to-grid %s | FileCheck %s --check-prefix=GRID

// CHECK-LABEL: func.func @step
// CHECK: llm.parameter "norm.weight" : tensor<1x8xf32>
// CHECK: llm.rms_norm "layers.0.norm"(%{{.*}}, %{{.*}}) {epsilon = 1.000000e-05 : f64, group = 8 : i64} : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x8xbf16>
// CHECK: llm.add "layers.0.residual"
// GRID: grid.step @launches
// GRID: grid.tensor "activation" "x" {symbols = ["tokens"]}
// GRID: grid.tensor "weight" "norm.weight"
// GRID: grid.launch @rms_norm_0(%{{.*}}) for "layers.0.norm" {reads = {operand0 = 0 : i64, operand1 = 1 : i64}, writes = {result0 = 2 : i64}}
// GRID: grid.launch @add_0(%{{.*}}) for "layers.0.residual"
// GRID: grid.program @rms_norm_0
// GRID: grid.program @add_0
func.func @step(%x: tensor<?x8xf32> {llm.name = "x", llm.role = "activation", llm.symbol = "tokens"}) -> tensor<?x8xf32> {
  %w = llm.parameter "norm.weight" : tensor<1x8xf32>
  %n = llm.rms_norm "layers.0.norm"(%x, %w) {epsilon = 1.0e-5 : f64, group = 8 : i64} : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x8xbf16>
  %y = llm.add "layers.0.residual"(%x, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
