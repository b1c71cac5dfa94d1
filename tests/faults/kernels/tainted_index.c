/*===- tainted_index.c - A gather whose index list is tensor data
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    kernel_ring(1, 1024, 1024);
    bytes_in(0, args[0], 64);
    struct xpe_dma_in in = {.addr = args[0],
                            .rows = 2,
                            .row_bytes = 64,
                            .pitch = 64,
                            .cb = 1,
                            .valid_rows = 2,
                            .valid_bytes = 64,
                            .indexed = 1,
                            .index_cb = 0};
    KERNEL_NOW(dma_in, 0, &in, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
