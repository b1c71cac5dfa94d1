// SPDX-License-Identifier: Apache-2.0
// RUN: chipwright-opt --pe-to-llvm %s | FileCheck %s
// RUN: chipwright-opt --pe-to-llvm=contexts=0 %s | FileCheck %s

// The whole pipeline leaves nothing but LLVM; helpers are inlined.
// CHECK-LABEL: llvm.func @kernel_compute
// CHECK-NOT: llvm.call
// CHECK: .insn r 0x2b, 0, 49
// CHECK: llvm.return
// CHECK-NOT: @helper
func.func @kernel_compute(%args: i64) {
  func.call @helper(%args) : (i64) -> ()
  return
}
func.func private @helper(%v: i64) {
  pe.mlu_copy {rows = 1, offset = %v}
  return
}
// CHECK-NOT: @helper
func.func @kernel_load(%args: i64) {
  return
}
