/*===- cross_wrap.c - A block that crosses the wrap of the CB
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(1, 0, 1024);
    bytes_in(1, args[0], 768);
    bytes_in(1, args[0], 768);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
