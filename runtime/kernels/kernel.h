/*===- kernel.h - What kernels in C share -----------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel is two functions that every PE of the grid runs:
 *
 *   void kernel_load(const struct my_args *args);      hart 0
 *   void kernel_compute(const struct my_args *args);   hart 1
 *
 * Hart 0 sets up the circular buffers (CBs), meets hart 1 at kernel_ready()
 * and then brings operands in; hart 1 computes and stores. What is shared goes
 * through CBs, so neither needs to know how far the other is. A ring of
 * KERNEL_DEPTH slots lets loads, computation and stores overlap.
 *
 * Macros given by the build: XPE_CONTEXTS, XPE_ROWS, XPE_COLS, XPE_LS_BYTES,
 * XPE_LS_FREE_BYTES (local memory below arguments and stacks), XPE_CBS, and
 * the sizes of the DPE (XPE_DPE_..., XPE_RE_BANKS, XPE_MML_MAX_PASSES).
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_KERNELS_KERNEL_H
#define CHIPWRIGHT_KERNELS_KERNEL_H

#include "xpe.h"

#define KERNEL_PES ((uint64_t)XPE_ROWS * XPE_COLS)
#define KERNEL_DEPTH 4

/* Bytes of a slot if `rings` rings of KERNEL_DEPTH slots share local memory: a
 * power of two, because positions in a ring must not straddle its wrap, and at
 * most 8 KiB, which is a few round trips of data at full rate. */
#define KERNEL_SLOT_FITS(bytes, rings)                                         \
  ((bytes) * KERNEL_DEPTH * (rings) <= XPE_LS_FREE_BYTES)
#define KERNEL_SLOT(rings)                                                     \
  (KERNEL_SLOT_FITS(8192, rings)   ? 8192                                      \
   : KERNEL_SLOT_FITS(4096, rings) ? 4096                                      \
   : KERNEL_SLOT_FITS(2048, rings) ? 2048                                      \
                                   : 1024)

/* Commands with operands that persist in a context of their own. A chip with
 * fewer contexts than a kernel uses gets every field written before every
 * command, as a chip without contexts does. */
#define KERNEL_CONTEXTS 6
#if XPE_CONTEXTS == 0 || XPE_CONTEXTS >= KERNEL_CONTEXTS
#define KERNEL_BIND(command, ctx, c) xpe_##command##_bind((ctx), (c))
#define KERNEL_GO(command, ctx, c, word) xpe_##command##_go((ctx), (c), (word))
#else
#define KERNEL_BIND(command, ctx, c) ((void)(c))
#define KERNEL_GO(command, ctx, c, word)                                       \
  do {                                                                         \
    xpe_##command##_fields(0, (c));                                            \
    xpe_##command##_go(0, (c), (word));                                        \
  } while (0)
#endif
/* The same where operands change from command to command. */
#define KERNEL_NOW(command, ctx, c, word)                                      \
  do {                                                                         \
    KERNEL_BIND(command, ctx, c);                                              \
    KERNEL_GO(command, ctx, c, word);                                          \
  } while (0)

XPE_FN uint64_t kernel_min(uint64_t a, uint64_t b) { return a < b ? a : b; }
XPE_FN uint64_t kernel_divide_up(uint64_t a, uint64_t b) {
  return (a + b - 1) / b;
}
/* `unit` must be a power of two. */
XPE_FN uint64_t kernel_round_up(uint64_t a, uint64_t unit) {
  return (a + unit - 1) & -unit;
}

/* Places a CB at `base` of local memory. \returns the end of it. */
XPE_FN uint64_t kernel_ring(unsigned cb, uint64_t base, uint64_t bytes) {
  xpe_cb_setup(cb, base | bytes << 32);
  return base + bytes;
}

/* Both harts of this PE meet: the CBs are set up. */
XPE_FN void kernel_ready(void) {
  const uint64_t row = (uint64_t)1 << xpe_info(XPE_INFO_ROW);
  const uint64_t col = (uint64_t)1 << xpe_info(XPE_INFO_COL);
  xpe_barrier(0, row | col << 32);
}

/* A range of bytes dealt out to the PEs in equal chunks, round after round:
 * PEs that work at the same time are near each other in memory, so that DRAM
 * rows are opened once. Chunks are multiples of `align` (a power of two, at
 * most `limit`), the largest that need no more rounds than `limit` does. */
struct kernel_share {
  uint64_t chunk; /* bytes */
  uint64_t begin; /* first byte of this PE */
  uint64_t step;  /* from one chunk of this PE to the next */
  uint64_t end;   /* of the range */
};

XPE_FN struct kernel_share kernel_share(uint64_t bytes, uint64_t limit,
                                        uint64_t align) {
  struct kernel_share s;
  const uint64_t rounds = kernel_divide_up(bytes, KERNEL_PES * limit);
  const uint64_t even =
      rounds ? kernel_divide_up(bytes, KERNEL_PES * rounds) : 0;
  s.chunk = kernel_round_up(even, align);
  s.begin = xpe_info(XPE_INFO_PE) * s.chunk;
  s.step = KERNEL_PES * s.chunk;
  s.end = bytes;
  return s;
}

/* Bytes of the chunk at `at`: only the last one of a range is shorter. */
XPE_FN uint64_t kernel_chunk(const struct kernel_share *s, uint64_t at) {
  return kernel_min(s->chunk, s->end - at);
}

/* One run of bytes into a slot of a ring, and out of it. The pointers move by
 * the whole slot, so that a shorter run at the end keeps slots in place. */
XPE_FN struct xpe_dma_in kernel_in(unsigned cb, uint64_t addr, uint64_t bytes,
                                   uint64_t slot, uint64_t policy) {
  return (struct xpe_dma_in){.addr = addr,
                             .rows = 1,
                             .row_bytes = bytes,
                             .cb = cb,
                             .local_pitch = slot,
                             .valid_rows = 1,
                             .valid_bytes = bytes,
                             .policy = policy};
}
XPE_FN struct xpe_dma_out kernel_out(unsigned cb, uint64_t addr, uint64_t bytes,
                                     uint64_t slot, uint64_t policy) {
  return (struct xpe_dma_out){.addr = addr,
                              .rows = 1,
                              .row_bytes = bytes,
                              .cb = cb,
                              .local_pitch = slot,
                              .valid_rows = 1,
                              .valid_bytes = bytes,
                              .policy = policy};
}

#endif /* CHIPWRIGHT_KERNELS_KERNEL_H */
