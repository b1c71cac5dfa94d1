/*===- multicast_order.c - Two members issue two multicasts in different orders
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0) || is_pe(0, 1)) {
    const uint64_t col = xpe_info(XPE_INFO_COL);
    kernel_ring(0, 0, 1024);
    multicast_in(0, args[0] + col * 256, 256, 3);
    multicast_in(0, args[0] + (1 - col) * 256, 256, 3);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
