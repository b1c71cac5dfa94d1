/*===- packed_operand.c - A second operand of 4 bits
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 4096);
    kernel_ring(1, 4096, 4096);
    struct xpe_se chain = {.cb = 0,
                           .pitch = 16,
                           .dtype = XPE_DTYPE_I8,
                           .rows = 8,
                           .cols = 32,
                           .y1_kind = XPE_OPERAND_TILE,
                           .y1_cb = 0,
                           .y1_pitch = 16,
                           .y1_dtype = XPE_DTYPE_I4,
                           .store = 1,
                           .out_cb = 1,
                           .out_pitch = 64,
                           .out_dtype = XPE_DTYPE_BF16};
    KERNEL_NOW(se, 0, &chain, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
