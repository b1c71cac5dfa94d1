/*===- deadlock_barrier.c - A hart does not come to the barrier
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: kernel_ready() in kernel_compute of PE 1,1. */
void kernel_load(const uint64_t *args) {
  (void)args;
  kernel_ready();
}

void kernel_compute(const uint64_t *args) {
  (void)args;
  if (!is_pe(1, 1)) {
    kernel_ready();
  }
}
