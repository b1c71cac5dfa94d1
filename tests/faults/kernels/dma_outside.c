/*===- dma_outside.c - A DMA read that runs over the end of its buffer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 8192);
    bytes_in(0, args[0] + 2048, 4096);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
