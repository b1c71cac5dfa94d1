// SPDX-License-Identifier: Apache-2.0
// Commands that no pass has given a context.
// RUN: chipwright-opt -split-input-file -verify-diagnostics --convert-pe-to-llvm %s

func.func @kernel_load(%args: i64) {
  // expected-error @+1 {{has no context yet; run pe-assign-contexts}}
  pe.mlu_copy {}
  return
}
func.func @kernel_compute(%args: i64) {
  return
}
