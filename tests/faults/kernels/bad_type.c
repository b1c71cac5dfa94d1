/*===- bad_type.c - A matrix product in a type that the DPE lacks
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 4096);
    kernel_ring(1, 4096, 4096);
    struct xpe_mml product = {.a_cb = 0,
                              .a_pitch = 32,
                              .b_cb = 1,
                              .b_pitch = 32,
                              .a_rows = 8,
                              .b_rows = 8,
                              .passes = 1,
                              .a_dtype = XPE_DTYPE_F32,
                              .b_dtype = XPE_DTYPE_F32};
    KERNEL_NOW(mml, 0, &product, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
