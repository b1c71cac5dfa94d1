/*===- reserve_misaligned.c - A load-reserved at an odd address
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    uint64_t at = xpe_keep(LOCAL_BASE + 2), old;
    __asm__ volatile("lr.w %0, (%1)" : "=r"(old) : "r"(at) : "memory");
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
