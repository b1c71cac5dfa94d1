/*===- illegal_hole.c - An opcode that the extension leaves free
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    __asm__ volatile(".4byte 0x0000700b");
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
