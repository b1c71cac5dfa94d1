/*===- stale_line.c - A line is read again after another PE changed it
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

/* Missing: xpe_inval(args[0], 8) before the second load. */
void kernel_load(const uint64_t *args) {
  if (is_pe(0, 0)) {
    (void)load64(args[0]);
    xpe_sem_post(xpe_info(XPE_INFO_SEM_BASE) + xpe_info(XPE_INFO_PE_STRIDE), 1);
    xpe_sem_wait(0, 1);
    (void)load64(args[0]);
  } else if (is_pe(0, 1)) {
    xpe_sem_wait(0, 1);
    store64(args[0], 7);
    xpe_fence();
    xpe_sem_post(xpe_info(XPE_INFO_SEM_BASE) - xpe_info(XPE_INFO_PE_STRIDE), 1);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
