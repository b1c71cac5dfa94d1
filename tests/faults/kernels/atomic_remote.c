/*===- atomic_remote.c - An atomic on memory outside the PE
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    uint64_t old;
    __asm__ volatile("amoadd.d %0, zero, (%1)"
                     : "=r"(old)
                     : "r"(args[0])
                     : "memory");
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
