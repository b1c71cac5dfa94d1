/*===- tainted_address.c - An address computed from an element of a tensor
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    (void)load64(args[0] + (load64(args[0]) & 0xf8));
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
