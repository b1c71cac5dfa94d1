/*===- gather.c - Rows of a matrix by a list --------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
\*===------------------------------------------------------------------===*/

#include "kernel.h"

struct gather_args {
  const int32_t *list; /* control */
  const uint64_t *from;
  uint64_t *to;
  uint64_t rows, words; /* 64-bit words of a row */
};

void kernel_load(const struct gather_args *args);
void kernel_compute(const struct gather_args *args);

void kernel_load(const struct gather_args *args) {
  if (xpe_info(XPE_INFO_PE) != 0) {
    return;
  }
  for (uint64_t r = 0; r < args->rows; ++r) {
    for (uint64_t w = 0; w < args->words; ++w) {
      args->to[r * args->words + w] =
          args->from[(uint64_t)args->list[r] * args->words + w];
    }
  }
  __asm__ volatile("fence" ::: "memory");
}

void kernel_compute(const struct gather_args *args) { (void)args; }
