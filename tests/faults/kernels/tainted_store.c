/*===- tainted_store.c - An element of a tensor stored to a control buffer
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    store64(args[1], load64(args[0]));
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
