/*===- deadlock_semaphore.c - A semaphore that nobody posts
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: xpe_sem_post() of another hart. */
void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 5)) {
    xpe_sem_wait(4, 2);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
