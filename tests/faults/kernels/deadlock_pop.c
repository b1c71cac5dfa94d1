/*===- deadlock_pop.c - A producer runs ahead of a consumer that never pops
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: the consumer. */
void kernel_load(const uint64_t *args) {
  if (is_pe(2, 3)) {
    kernel_ring(0, 0, 1024);
    for (unsigned i = 0; i < 8; ++i) {
      bytes_in(0, args[0], 256);
    }
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
