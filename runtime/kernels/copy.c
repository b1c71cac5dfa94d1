/*===- copy.c - out = in ----------------------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both harts walk over the same chunks: one reads them into a ring, the other
 * writes them from it.
 *
 * Cache policy: every byte is read once, so reads allocate no lines. Writes do:
 * the LLC takes them at SRAM rate while DRAM reads, and writes them back in
 * long runs, which costs fewer turns of the DRAM bus than mixing both. The run
 * ends when the last line is in DRAM, so nothing is won by hiding the writes.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_DATA };
#define SLOT KERNEL_SLOT(1)

void kernel_load(const struct copy_args *args);
void kernel_compute(const struct copy_args *args);

void kernel_load(const struct copy_args *args) {
  kernel_ring(CB_DATA, 0, SLOT * KERNEL_DEPTH);
  kernel_ready();
  const struct kernel_share s = kernel_share(args->bytes, SLOT, args->align);
  struct xpe_dma_in in =
      kernel_in(CB_DATA, args->in, s.chunk, SLOT, XPE_READ_STREAM);
  KERNEL_BIND(dma_in, 0, &in);
  for (uint64_t at = s.begin; at < s.end; at += s.step) {
    const uint64_t bytes = kernel_chunk(&s, at);
    if (bytes < s.chunk) {
      in.row_bytes = in.valid_bytes = bytes;
      KERNEL_BIND(dma_in, 0, &in);
    }
    KERNEL_GO(dma_in, 0, &in, at);
  }
}

void kernel_compute(const struct copy_args *args) {
  kernel_ready();
  const struct kernel_share s = kernel_share(args->bytes, SLOT, args->align);
  struct xpe_dma_out out =
      kernel_out(CB_DATA, args->out, s.chunk, SLOT, XPE_WRITE_ALLOCATE);
  KERNEL_BIND(dma_out, 0, &out);
  for (uint64_t at = s.begin; at < s.end; at += s.step) {
    const uint64_t bytes = kernel_chunk(&s, at);
    if (bytes < s.chunk) {
      out.row_bytes = out.valid_bytes = bytes;
      KERNEL_BIND(dma_out, 0, &out);
    }
    KERNEL_GO(dma_out, 0, &out, at);
  }
}
