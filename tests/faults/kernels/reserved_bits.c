/*===- reserved_bits.c - A command with a reserved bit set
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    struct xpe_dma_in in = kernel_in(0, args[0], 256, 256, XPE_READ_STREAM);
    KERNEL_BIND(dma_in, 0, &in);
    xpe_set(0, 5, (uint64_t)1 << 63);
    KERNEL_GO(dma_in, 0, &in, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
