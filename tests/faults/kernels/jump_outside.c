/*===- jump_outside.c - A jump to where no code is
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    ((void (*)(void))(args[1]))();
    xpe_fence(); /* so that it is no tail call */
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
