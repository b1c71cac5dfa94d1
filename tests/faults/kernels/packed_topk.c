/*===- packed_topk.c - The largest of elements of 4 bits
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 4096);
    kernel_ring(1, 4096, 4096);
    struct xpe_row_topk find = {.cb = 0,
                                .pitch = 16,
                                .dtype = XPE_DTYPE_F4E2M1,
                                .rows = 8,
                                .cols = 32,
                                .k = 2,
                                .out_cb = 1,
                                .out_pitch = 8,
                                .idx_cb = 1,
                                .idx_pitch = 8};
    KERNEL_NOW(row_topk, 0, &find, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
