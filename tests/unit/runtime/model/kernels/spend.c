/*===- spend.c - Time that follows from choices -----------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
\*===------------------------------------------------------------------===*/

#include "kernel.h"

struct spend_args {
  const int32_t *chosen; /* control */
  const int32_t *work;   /* control, entries of an attention work list */
  int32_t *total;        /* control */
  uint64_t rows, entries;
};

void kernel_load(const struct spend_args *args);
void kernel_compute(const struct spend_args *args);

void kernel_load(const struct spend_args *args) {
  if (xpe_info(XPE_INFO_PE) != 0) {
    return;
  }
  int32_t total = 0;
  for (uint64_t r = 0; r < args->rows; ++r) {
    for (int32_t i = 0; i < 1 + 20 * args->chosen[r]; ++i) {
      ++total;
      __asm__ volatile("" ::: "memory");
    }
  }
  for (uint64_t e = 0; e < args->entries; ++e) {
    total += args->work[4 * e + 3] - args->work[4 * e + 2];
  }
  *args->total = total;
  __asm__ volatile("fence" ::: "memory");
}

void kernel_compute(const struct spend_args *args) { (void)args; }
