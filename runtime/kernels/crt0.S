# SPDX-License-Identifier: Apache-2.0
# Entry of every kernel, on both harts of a PE. The launch sets a0 = argument
# block, a1 = hart, sp = end of free local memory. Hart 0 loads, hart 1
# computes and stores; each has a stack of XPE_STACK_BYTES.
  .section .text.start, "ax"
  .globl _start
_start:
  beqz a1, 1f
  li t0, XPE_STACK_BYTES
  sub sp, sp, t0
  call kernel_compute
  j 2f
1:
  call kernel_load
2:
  .insn r 0x7b, 7, 0, x0, x0, x0  # xpe.halt
