/*===- tainted_dma.c - A DMA of tensor data to a control buffer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    bytes_in(0, args[0], 64);
    bytes_out(0, args[1], 64);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
