/*===- load_outside.c - A load beyond the buffer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    (void)load64(args[0] + (1 << 20));
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
