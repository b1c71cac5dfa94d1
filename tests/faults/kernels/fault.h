/*===- fault.h - What the faulty kernels share ------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each kernel makes one mistake. args[0] is the address of the first buffer of
 * the command line, and so on. PE 0,0 makes the mistake; the others return,
 * unless the mistake needs more of them.
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_TESTS_FAULT_H
#define CHIPWRIGHT_TESTS_FAULT_H

#include "kernel.h"

#define LOCAL_BASE ((uint64_t)0x01000000)

void kernel_load(const uint64_t *args);
void kernel_compute(const uint64_t *args);

XPE_FN int is_pe(uint64_t row, uint64_t col) {
  return xpe_info(XPE_INFO_ROW) == row && xpe_info(XPE_INFO_COL) == col;
}

XPE_FN void bytes_in(unsigned cb, uint64_t addr, uint64_t bytes) {
  struct xpe_dma_in in = kernel_in(cb, addr, bytes, bytes, XPE_READ_STREAM);
  KERNEL_NOW(dma_in, 0, &in, 0);
}

XPE_FN void bytes_out(unsigned cb, uint64_t addr, uint64_t bytes) {
  struct xpe_dma_out out =
      kernel_out(cb, addr, bytes, bytes, XPE_WRITE_ALLOCATE);
  KERNEL_NOW(dma_out, 1, &out, 0);
}

/* The same for the members `mask` of this PE's row. */
XPE_FN void multicast_in(unsigned cb, uint64_t addr, uint64_t bytes,
                         uint64_t mask) {
  struct xpe_dma_in in = kernel_in(cb, addr, bytes, bytes, XPE_READ_STREAM);
  in.mcast = XPE_MCAST_ROW;
  in.mcast_mask = mask;
  KERNEL_NOW(dma_in, 0, &in, 0);
}

/* Of memory outside the PE: cached, never optimised away. */
XPE_FN uint64_t load64(uint64_t addr) { return *(volatile uint64_t *)addr; }
XPE_FN void store64(uint64_t addr, uint64_t value) {
  *(volatile uint64_t *)addr = value;
}

#endif /* CHIPWRIGHT_TESTS_FAULT_H */
