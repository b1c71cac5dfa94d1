/*===- tainted_operand.c - A command operand computed from an element of a
tensor
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    kernel_ring(0, 0, 1024);
    bytes_in(0, args[0] + (load64(args[0]) & 0x40), 64);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
