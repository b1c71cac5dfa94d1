// SPDX-License-Identifier: Apache-2.0
// What the step from a model to tile programs refuses.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --attach-chip --llm-to-grid %s

// expected-error @+1 {{has no function @step of llm operations}}
module {
}

// -----

func.func @step(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{has no tile program}}
  %y = arith.addf %x, %x : tensor<?x8xf32>
  return
}
