/*===- deadlock_push.c - A consumer waits for a push that is missing
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: xpe_cb_push(0, 256) in kernel_load. */
void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(2, 3)) {
    kernel_ring(0, 0, 1024);
    kernel_ready();
  }
}

void kernel_compute(const uint64_t *args) {
  (void)args;
  if (is_pe(2, 3)) {
    kernel_ready();
    (void)xpe_cb_wait(0, 256);
  }
}
