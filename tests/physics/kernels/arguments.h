/*===- arguments.h - Argument blocks of the test kernels --------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Read by the kernels and by the tests. `buffer` is always the address of the
 * kernel's buffer, 0 if it has none.
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_TESTS_PHYSICS_KERNELS_ARGUMENTS_H
#define CHIPWRIGHT_TESTS_PHYSICS_KERNELS_ARGUMENTS_H

#include <stdint.h>

/* simd.c: a chain x * scale (op) 1, f, (op) 1 on a tile, `count` times. */
struct simd_args {
  uint64_t count, rows, cols;
  uint64_t scale, y1, f, y2; /* 1: the step is there; f: its code */
};

/* tiny.c, instructions.c: repetitions of the unrolled body. */
struct count_args {
  uint64_t count;
};

/* chain.c */
struct chain_args {
  uint64_t buffer, count;
};

/* What tiny.c issues. */
#define TINY_SE 0
#define TINY_MML 1
#define TINY_BANK_INIT 2
#define TINY_MLU 3
#define TINY_DRAIN 4
/* Commands in one turn of its loop. */
#define TINY_UNROLL 8

/* What instructions.c issues, and how often in one turn of its loop. */
#define INSTRUCTION_ADD 0
#define INSTRUCTION_SET 1
#define INSTRUCTION_POINTER 2
#define INSTRUCTION_UNROLL 32

/* What a step of chain.c is. */
#define CHAIN_BARRIER 0
#define CHAIN_SEMAPHORE 1
#define CHAIN_READ 2
#define CHAIN_WRITE 3
#define CHAIN_LOAD 4
#define CHAIN_SE 5
#define CHAIN_MML 6
#define CHAIN_DIVIDE 7
#define CHAIN_MULTIPLY 8
/* Elements of the vector that CHAIN_MML passes on. */
#define CHAIN_MML_COLS (XPE_DPE_K_BYTES / 2)

#endif /* CHIPWRIGHT_TESTS_PHYSICS_KERNELS_ARGUMENTS_H */
