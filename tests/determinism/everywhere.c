/*===- everywhere.c - Several PEs make the same mistake in one cycle
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "kernel.h"

void kernel_load(const uint64_t *args);
void kernel_compute(const uint64_t *args);

void kernel_load(const uint64_t *args) {
  const uint64_t rows = ((uint64_t)1 << XPE_ROWS) - 1;
  const uint64_t cols = ((uint64_t)1 << XPE_COLS) - 1;
  /* PEs leave a barrier by their distance from its middle. The PE in the
   * middle, which is alone there, makes no mistake, so the first to fail are
   * the four around it. */
  xpe_barrier_hart(0, rows | cols << 32);
  if (xpe_info(XPE_INFO_ROW) == (XPE_ROWS - 1) / 2 &&
      xpe_info(XPE_INFO_COL) == (XPE_COLS - 1) / 2) {
    return;
  }
  kernel_ring(0, 0, 1024);
  struct xpe_dma_in in = kernel_in(0, args[0], 4096, 4096, XPE_READ_STREAM);
  KERNEL_NOW(dma_in, 0, &in, 0);
}

void kernel_compute(const uint64_t *args) { (void)args; }
