# SPDX-License-Identifier: Apache-2.0
# Calls run() and reports its result: with -DHTIF as exit code through tohost,
# otherwise as 8 bytes on Linux's standard output.
  .section .text.start, "ax"
  .globl _start
_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, stack_end
  call run
#ifdef HTIF
  slli a0, a0, 1
  ori a0, a0, 1
  la t0, tohost
  sd a0, 0(t0)
1:
  j 1b
#else
  la a1, result
  sd a0, 0(a1)
  li a0, 1
  li a2, 8
  li a7, 64
  ecall
  li a0, 0
  li a7, 93
  ecall
#endif

  .section .tohost, "aw"
  .balign 64
  .globl tohost
tohost:
  .dword 0
result:
  .dword 0

  .bss
  .balign 16
  .space 262144
stack_end:
