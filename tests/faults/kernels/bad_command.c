/*===- bad_command.c - A DMA whose valid part is larger than its block
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    struct xpe_dma_in in = kernel_in(0, args[0], 256, 256, XPE_READ_STREAM);
    in.valid_bytes = 512;
    KERNEL_NOW(dma_in, 0, &in, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
