/*===- runaway.c - A loop that never ends
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    for (;;) {
      __asm__ volatile("");
    }
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
