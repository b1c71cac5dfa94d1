/*===- illegal_context.c - A context that the chip does not have
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    xpe_set(31, 0, args[0]);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
