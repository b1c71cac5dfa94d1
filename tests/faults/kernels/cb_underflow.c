/*===- cb_underflow.c - A pop of bytes that this hart itself has not pushed
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(2, 0, 1024);
    xpe_cb_push(2, 256);
    xpe_cb_pop(2, 512);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
