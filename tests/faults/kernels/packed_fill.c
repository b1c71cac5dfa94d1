/*===- packed_fill.c - Minus infinity in a type that has none
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 4096);
    kernel_ring(1, 4096, 4096);
    struct xpe_dma_in load = {.rows = 8,
                              .row_bytes = 64,
                              .cb = 0,
                              .fill = XPE_FILL_NEG_INF,
                              .fill_dtype = XPE_DTYPE_I4};
    KERNEL_NOW(dma_in, 0, &load, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
