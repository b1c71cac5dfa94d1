/*===- instructions.c - A hart that does nothing but issue ------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Independent instructions of one kind, INSTRUCTION_KIND in arguments.h.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_RING };

void kernel_load(const struct count_args *args);
void kernel_compute(const struct count_args *args);

void kernel_load(const struct count_args *args) {
  (void)args;
  kernel_ring(CB_RING, 0, 4096);
  kernel_ready();
}

XPE_FN void one(unsigned k) {
#if INSTRUCTION_KIND == INSTRUCTION_ADD
  (void)k;
  __asm__ volatile("addi t6, t5, 1" : : : "t6");
#elif INSTRUCTION_KIND == INSTRUCTION_SET
  (void)k;
  xpe_set(0, 0, 0);
#else
  if (k % 2 == 0) {
    xpe_cb_push(CB_RING, 64);
  } else {
    xpe_cb_pop(CB_RING, 64);
  }
#endif
}

void kernel_compute(const struct count_args *args) {
  kernel_ready();
  for (uint64_t i = 0; i < args->count; ++i) {
#pragma clang loop unroll(full)
    for (unsigned k = 0; k < INSTRUCTION_UNROLL; ++k) {
      one(k);
    }
  }
}
