/*===- cb_outside.c - A CB that reaches over the end of local memory
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, XPE_LS_BYTES - 1024, 4096);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
