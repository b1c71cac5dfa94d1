/*===- cb_push_overflow.c - A push of more than the CB holds
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(3, 0, 1024);
    xpe_cb_push(3, xpe_keep(4096));
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
