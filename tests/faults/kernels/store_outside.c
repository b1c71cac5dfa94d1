/*===- store_outside.c - A store beyond the buffer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    store64(args[0] + 4096, 1);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
