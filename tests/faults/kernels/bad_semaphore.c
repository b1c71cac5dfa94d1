/*===- bad_semaphore.c - A post to an address that is no semaphore
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    xpe_sem_post(args[0], 1);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
