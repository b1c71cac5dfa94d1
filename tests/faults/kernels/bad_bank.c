/*===- bad_bank.c - An accumulator bank that the PE does not have
 *
 * SPDX-License-Identifier: Apache-2.0
\*===------------------------------------------------------------------===*/

#include "fault.h"

void kernel_load(const uint64_t *args) {
  (void)args;
  if (is_pe(0, 0)) {
    struct xpe_bank_init init = {.rows = 8, .cols = 8, .bank = 200};
    KERNEL_NOW(bank_init, 0, &init, 0);
  }
}

void kernel_compute(const uint64_t *args) { (void)args; }
