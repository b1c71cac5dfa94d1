// SPDX-License-Identifier: Apache-2.0
// Instructions as inline assembly, entry code, and the tags of commands.
// RUN: chipwright-opt --convert-pe-to-llvm=stack-bytes=1024 %s | FileCheck %s

// The entry code, with xpe.halt, and the names of the commands by number.
// CHECK: llvm.module_asm = [".section .text.start, \22ax\22", ".globl _start", "_start:", "  beqz a1, 1f", "  li t0, 1024", "  sub sp, sp, t0", "  call kernel_compute", "  j 2f", "1:", "  call kernel_load", "2:", "  .insn r 0x7b, 7, 0, x0, x0, x0", ".section .chipwright.tags, \22\22, @progbits", ".asciz \22a_b\22", ".asciz \22llvm.mlir:[[# @LINE + 15]]:3\22"
// CHECK-LABEL: func.func @kernel_load
func.func @kernel_load(%args: i64) {
  // CHECK: %[[P:.*]] = llvm.inttoptr %{{.*}} : i64 to !llvm.ptr
  // CHECK-NEXT: %[[N:.*]] = llvm.load %[[P]] invariant {alignment = 8 : i64} : !llvm.ptr -> i64
  %n = pe.arg %args[8] : i64
  // CHECK-NEXT: llvm.inline_asm has_side_effects ".insn r 0xb, 0, 5, x0, ${0:z}, x2", "rJ" %[[N]]
  pe.set 2, 5, %n
  // The word is a register that is never x0; commands order memory.
  // CHECK-NEXT: llvm.inline_asm has_side_effects ".Lxpe${:uid}:\0A.insn r 0x2b, 0, 16, x0, $0, x2\0A.pushsection .chipwright.ops,\22\22,@progbits\0A.quad .Lxpe${:uid}\0A.word 0\0A.popsection", "r,~{memory}" %[[N]]
  pe.go mml 2, %n tag "a\22b"
  // CHECK-NEXT: llvm.inline_asm has_side_effects ".Lxpe${:uid}:\0A.insn r 0x2b, 0, 34, x0, x0, x3{{.*}}.word 0{{.*}}", "~{memory}"
  pe.go row_topk 3 tag "a\22b"
  // Without a tag the place in the text stands for it.
  // CHECK-NEXT: .word 1\0A
  pe.go row_topk 3
  // CHECK-NEXT: %[[A:.*]] = llvm.inline_asm has_side_effects ".insn r 0x5b, 0, 0, $0, ${1:z}, x7", "=r,rJ,~{memory}" %[[N]]
  %a = pe.cb_wait 7, %n
  // CHECK-NEXT: llvm.inline_asm has_side_effects ".insn r 0x7b, 0, 0, x0, ${0:z}, ${1:z}", "rJ,rJ,~{memory}" %[[A]], %[[N]]
  pe.sem_post %a, %n
  // A constant of the PE is no side effect.
  // CHECK-NEXT: %[[R:.*]] = llvm.inline_asm ".insn r 0x7b, 4, 0, $0, x0, x1", "=r"
  %r = pe.info col
  // CHECK-NEXT: llvm.inline_asm has_side_effects ".insn r 0x7b, 3, 0, x0, x0, x0", "~{memory}"
  pe.fence
  // CHECK-NEXT: %[[K:.*]] = llvm.inline_asm "", "=r,0" %[[R]]
  %k = pe.keep %r
  // CHECK-NEXT: %[[Q:.*]] = llvm.inttoptr %[[K]]
  // CHECK-NEXT: %[[V:.*]] = llvm.load %[[Q]] {alignment = 4 : i64} : !llvm.ptr -> i32
  %v = pe.load %k[0] : i32
  // CHECK: llvm.store %[[V]], %{{.*}} {alignment = 4 : i64} : i32, !llvm.ptr
  pe.store %v, %a[4] : i32
  return
}

func.func @kernel_compute(%args: i64) {
  return
}
