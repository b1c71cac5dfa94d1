/*===- transpose.c - out = in^T ---------------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Square tiles: read with the pitch of `in`, turned by the memory layout unit,
 * written with the pitch of `out`. Tiles that reach over the edge are filled
 * on the way in and clipped on the way out. KERNEL_DTYPE and KERNEL_ELEM as in
 * add.c; cache policy as in copy.c.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_IN, CB_OUT };

/* Tiles are at most 256 bytes wide, one granule of most memories, if two of
 * them in each direction fit local memory. */
#define TILE_BYTES(width) ((width) * ((width) / KERNEL_ELEM))
#define FITS(width) (4 * TILE_BYTES(width) <= XPE_LS_FREE_BYTES)
#define WIDTH (FITS(256) ? 256 : FITS(128) ? 128 : FITS(64) ? 64 : 32)
#define DEPTH (2 * FITS(2 * WIDTH) + 2)

void kernel_load(const struct transpose_args *args);
void kernel_compute(const struct transpose_args *args);

struct tiling {
  uint64_t edge;   /* of a tile, in elements */
  uint64_t bytes;  /* of a tile */
  uint64_t down;   /* rows of tiles in `in` */
  uint64_t across; /* columns of tiles in `in` */
};

/* Tiles become smaller until every PE has one. */
XPE_FN struct tiling tile(const struct transpose_args *args) {
  struct tiling t;
  t.edge = 2 * WIDTH / KERNEL_ELEM;
  do {
    t.edge /= 2;
    t.down = kernel_divide_up(args->rows, t.edge);
    t.across = kernel_divide_up(args->cols, t.edge);
  } while (t.down * t.across < KERNEL_PES && t.edge * KERNEL_ELEM > 32);
  t.bytes = t.edge * t.edge * KERNEL_ELEM;
  return t;
}

void kernel_load(const struct transpose_args *args) {
  const struct tiling t = tile(args);
  const uint64_t base = kernel_ring(CB_IN, 0, t.bytes * DEPTH);
  kernel_ring(CB_OUT, base, t.bytes * DEPTH);
  kernel_ready();
  for (uint64_t i = xpe_info(XPE_INFO_PE); i < t.down * t.across;
       i += KERNEL_PES) {
    const uint64_t row = i / t.across * t.edge, col = i % t.across * t.edge;
    struct xpe_dma_in in = {
        .addr = args->in + (row * args->cols + col) * KERNEL_ELEM,
        .rows = t.edge,
        .row_bytes = t.edge * KERNEL_ELEM,
        .pitch = (int64_t)(args->cols * KERNEL_ELEM),
        .cb = CB_IN,
        .valid_rows = kernel_min(t.edge, args->rows - row),
        .valid_bytes = kernel_min(t.edge, args->cols - col) * KERNEL_ELEM,
        .policy = XPE_READ_STREAM};
    KERNEL_NOW(dma_in, 0, &in, 0);
  }
}

void kernel_compute(const struct transpose_args *args) {
  kernel_ready();
  const struct tiling t = tile(args);
  struct xpe_mlu turn = {.cb = CB_IN,
                         .pitch = t.edge * KERNEL_ELEM,
                         .rows = t.edge,
                         .cols = t.edge,
                         .elem_bytes = KERNEL_ELEM,
                         .out_cb = CB_OUT,
                         .out_pitch = t.edge * KERNEL_ELEM};
  KERNEL_BIND(mlu_transpose, 0, &turn);
  for (uint64_t i = xpe_info(XPE_INFO_PE); i < t.down * t.across;
       i += KERNEL_PES) {
    const uint64_t row = i / t.across * t.edge, col = i % t.across * t.edge;
    KERNEL_GO(mlu_transpose, 0, &turn, 0);
    xpe_cb_pop(CB_IN, t.bytes);
    xpe_cb_push(CB_OUT, t.bytes);
    struct xpe_dma_out out = {
        .addr = args->out + (col * args->rows + row) * KERNEL_ELEM,
        .rows = t.edge,
        .row_bytes = t.edge * KERNEL_ELEM,
        .pitch = (int64_t)(args->rows * KERNEL_ELEM),
        .cb = CB_OUT,
        .valid_rows = kernel_min(t.edge, args->cols - col),
        .valid_bytes = kernel_min(t.edge, args->rows - row) * KERNEL_ELEM,
        .policy = XPE_WRITE_ALLOCATE};
    KERNEL_NOW(dma_out, 1, &out, 0);
  }
}
