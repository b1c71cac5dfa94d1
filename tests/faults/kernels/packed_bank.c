/*===- packed_bank.c - Accumulators that begin with a tile of 4 bits
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 4096);
    kernel_ring(1, 4096, 4096);
    struct xpe_bank_init init = {.cb = 0,
                                 .pitch = 16,
                                 .dtype = XPE_DTYPE_I4,
                                 .rows = 8,
                                 .cols = 32,
                                 .kind = XPE_BANK_INIT_TILE};
    KERNEL_NOW(bank_init, 0, &init, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
