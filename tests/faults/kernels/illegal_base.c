/*===- illegal_base.c - A word that is no instruction of RV64
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_compute(const uint64_t *args) { (void)args; }

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    __asm__ volatile(".4byte 0xffffffff");
  }
}
