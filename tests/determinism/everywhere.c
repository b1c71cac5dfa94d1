/*===- everywhere.c - All PEs make the same mistake in the same cycle
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "kernel.h"

void kernel_load(const uint64_t *args);
void kernel_compute(const uint64_t *args);

void kernel_load(const uint64_t *args) {
  const uint64_t rows = ((uint64_t)1 << XPE_ROWS) - 1;
  const uint64_t cols = ((uint64_t)1 << XPE_COLS) - 1;
  /* PEs leave a barrier at times that differ by their distance from its
   * middle only, so several of them fail together. */
  xpe_barrier_hart(0, rows | cols << 32);
  kernel_ring(0, 0, 1024);
  struct xpe_dma_in in = kernel_in(0, args[0], 4096, 4096, XPE_READ_STREAM);
  KERNEL_NOW(dma_in, 0, &in, 0);
}

void kernel_compute(const uint64_t *args) { (void)args; }
