/*===- deadlock_multicast.c - A member of a multicast is missing
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: PE 1,2, which the mask names. */
void kernel_load(const uint64_t *args) {
  if (is_pe(1, 0) || is_pe(1, 1)) {
    kernel_ring(0, 0, 1024);
    multicast_in(0, args[0], 256, 7);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
