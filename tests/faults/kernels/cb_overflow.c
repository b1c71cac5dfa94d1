/*===- cb_overflow.c - A block larger than the CB
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(3, 0, 1024);
    bytes_in(3, args[0], 2048);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
