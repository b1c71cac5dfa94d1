/*===- bad_barrier.c - A barrier over PEs outside the grid
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    xpe_barrier(1, (uint64_t)1 << 31 | 1 | (uint64_t)1 << 32);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
