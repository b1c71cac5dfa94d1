/*===- cb_number.c - A CB that the chip does not have
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    bytes_in(200, args[0], 256);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
