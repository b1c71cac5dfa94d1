/*===- second_producer.c - Both harts push into one CB
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ring(1, 0, 1024);
    xpe_cb_push(1, 256);
    kernel_ready();
  }
}

void kernel_compute(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    kernel_ready();
    xpe_cb_push(1, 256);
  }
}
