/*===- load_null.c - A load through a null pointer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    (void)load64(xpe_keep(0));
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
