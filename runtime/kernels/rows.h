/*===- rows.h - Kernels that work on whole rows -----------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A slot holds a few whole rows, which are contiguous in memory. The build
 * gives KERNEL_DTYPE, KERNEL_ELEM and KERNEL_ROW_BYTES.
 *
 * A SIMD command takes at most 65535 columns. Longer rows go through in parts
 * of ROW_PART columns whose reductions are combined by running reductions.
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_KERNELS_ROWS_H
#define CHIPWRIGHT_KERNELS_ROWS_H

#include "kernel.h"

#define ROW_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ROW_MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROW_UP(bytes) (((bytes) + 63) / 64 * 64)

/* Rows of a slot: 8 KiB, or less where local memory is small. */
#define ROW_GROUP                                                              \
  ROW_MAX(1, ROW_MIN(ROW_MIN(8192, XPE_LS_FREE_BYTES / 16) / KERNEL_ROW_BYTES, \
                     ROW_MIN(256, XPE_LS_FREE_BYTES / 256)))
#define ROW_SLOT ((uint64_t)ROW_UP(ROW_GROUP * KERNEL_ROW_BYTES))
/* One fp32 number per row of a slot; rings of them have two slots. */
#define ROW_STAT ((uint64_t)ROW_UP(ROW_GROUP * 4))

#define ROW_COLS (KERNEL_ROW_BYTES / KERNEL_ELEM)
#define ROW_PART 32768
#define ROW_PARTS ((ROW_COLS + ROW_PART - 1) / ROW_PART)

/* Depth of the rings of rows in and rows out, beside `other` bytes. */
#define ROW_DEPTH(other)                                                       \
  (8 * ROW_SLOT + (other) <= XPE_LS_FREE_BYTES   ? 4                           \
   : 4 * ROW_SLOT + (other) <= XPE_LS_FREE_BYTES ? 2                           \
                                                 : 1)

/* Issues `c`, a chain over the rows of a slot that stores. Operands are written
 * again only if `changed`, or if a row has several parts. `per_col`: y2 has a
 * value for each column. */
XPE_FN void row_store(unsigned ctx, struct xpe_se *c, int changed,
                      int per_col) {
  for (uint64_t part = 0; part < ROW_PARTS; ++part) {
    if (ROW_PARTS > 1) {
      c->cols = kernel_min(ROW_PART, ROW_COLS - part * ROW_PART);
      c->offset = c->out_offset = part * ROW_PART * KERNEL_ELEM;
      c->y2_offset = per_col ? c->offset : 0;
    }
    if (ROW_PARTS > 1 || changed) {
      KERNEL_BIND(se, ctx, c);
    }
    KERNEL_GO(se, ctx, c, 0);
  }
}

/* Issues `c`, a chain that reduces rows to one value each, and pushes these
 * into CB `red`. */
XPE_FN void row_reduce(unsigned ctx, struct xpe_se *c, int changed,
                       unsigned red) {
  for (uint64_t part = 0; part < ROW_PARTS; ++part) {
    if (ROW_PARTS > 1) {
      c->cols = kernel_min(ROW_PART, ROW_COLS - part * ROW_PART);
      c->offset = part * ROW_PART * KERNEL_ELEM;
      c->running = part > 0;
    }
    if (ROW_PARTS > 1 || changed) {
      KERNEL_BIND(se, ctx, c);
    }
    KERNEL_GO(se, ctx, c, 0);
    xpe_cb_push(red, ROW_STAT);
    if (part > 0) {
      xpe_cb_pop(red, ROW_STAT); /* the values that were combined with */
    }
  }
}

/* x: the rows of CB `cb`. */
XPE_FN struct xpe_se row_chain(unsigned cb, uint64_t rows) {
  return (struct xpe_se){.cb = cb,
                         .pitch = KERNEL_ROW_BYTES,
                         .dtype = KERNEL_DTYPE,
                         .rows = rows,
                         .cols = ROW_PARTS > 1 ? ROW_PART : ROW_COLS,
                         .red_pitch = 4,
                         .red_dtype = XPE_DTYPE_F32,
                         .run_pitch = 4,
                         .y1_pitch = 4,
                         .y1_dtype = XPE_DTYPE_F32};
}

/* Loads this PE's share of rows, slot by slot. */
XPE_FN void row_load(unsigned ctx, unsigned cb, uint64_t addr,
                     const struct kernel_share *s) {
  struct xpe_dma_in in = kernel_in(cb, addr, s->chunk * KERNEL_ROW_BYTES,
                                   ROW_SLOT, XPE_READ_STREAM);
  KERNEL_BIND(dma_in, ctx, &in);
  for (uint64_t at = s->begin; at < s->end; at += s->step) {
    const uint64_t rows = kernel_chunk(s, at);
    if (rows < s->chunk) {
      in.row_bytes = in.valid_bytes = rows * KERNEL_ROW_BYTES;
      KERNEL_BIND(dma_in, ctx, &in);
    }
    KERNEL_GO(dma_in, ctx, &in, at * KERNEL_ROW_BYTES);
  }
}

#endif /* CHIPWRIGHT_KERNELS_ROWS_H */
