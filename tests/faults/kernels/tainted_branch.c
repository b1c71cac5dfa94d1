/*===- tainted_branch.c - A branch on an element of a tensor
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    if (load64(args[0]) & 1) {
      store64(args[0], 0);
    }
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
