/*===- store_code.c - A store into the kernel's own code
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    store64(xpe_keep((uint64_t)&kernel_load), 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
