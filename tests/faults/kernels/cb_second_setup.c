/*===- cb_second_setup.c - A CB that is set up again while bytes are in it
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    xpe_cb_push(0, 256);
    xpe_fence();
    kernel_ring(0, 0, 1024);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
