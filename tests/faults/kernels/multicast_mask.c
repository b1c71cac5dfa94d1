/*===- multicast_mask.c - A multicast whose mask leaves out the PE that issues
it
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    multicast_in(0, args[0], 256, 6);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
