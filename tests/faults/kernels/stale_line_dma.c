/*===- stale_line_dma.c - A line is read again after a DMA of this PE changed it
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: xpe_inval(args[0], 64) before the second load. */
void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    (void)load64(args[0]);
    xpe_cb_push(0, 64);
    bytes_out(0, args[0], 64);
    xpe_fence();
    (void)load64(args[0]);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
