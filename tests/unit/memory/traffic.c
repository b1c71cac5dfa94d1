/*===- traffic.c - DRAM traffic of every PE ---------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * PE p reads slots p, p + n, p + 2n, ... of `bytes` bytes at `source` past the
 * LLC; every WRITE_EACH th slot (0: none) is written behind the source.
\*===------------------------------------------------------------------===*/

#include "xpe.h"

struct traffic_args {
  uint64_t source, bytes;
};

#define SLOT 65536
#define DEPTH 4

static inline void own_barrier(void) {
  xpe_barrier(31, (uint64_t)1 << xpe_info(XPE_INFO_ROW) |
                      (uint64_t)1 << (32 + xpe_info(XPE_INFO_COL)));
}

void kernel_load(const struct traffic_args *args);
void kernel_compute(const struct traffic_args *args);

void kernel_load(const struct traffic_args *args) {
  xpe_cb_setup(0, (uint64_t)SLOT * DEPTH << 32);
  own_barrier();
  const struct xpe_dma_in in = {.addr = args->source,
                                .rows = 1,
                                .row_bytes = SLOT,
                                .valid_rows = 1,
                                .valid_bytes = SLOT,
                                .policy = 1};
  xpe_dma_in_bind(0, &in);
  for (uint64_t at = xpe_info(XPE_INFO_PE) * SLOT; at < args->bytes;
       at += (uint64_t)XPE_ROWS * XPE_COLS * SLOT) {
    xpe_dma_in_go(0, &in, at);
  }
}

void kernel_compute(const struct traffic_args *args) {
  own_barrier();
  const struct xpe_dma_out out = {.addr = args->source + args->bytes,
                                  .rows = 1,
                                  .row_bytes = SLOT,
                                  .valid_rows = 1,
                                  .valid_bytes = SLOT,
                                  .policy = 1};
  xpe_dma_out_bind(1, &out);
  unsigned turn = 0;
  for (uint64_t at = xpe_info(XPE_INFO_PE) * SLOT; at < args->bytes;
       at += (uint64_t)XPE_ROWS * XPE_COLS * SLOT) {
    xpe_cb_wait(0, SLOT);
    if (WRITE_EACH && turn++ % (WRITE_EACH + !WRITE_EACH) == 0) {
      xpe_dma_out_go(1, &out, at);
    } else {
      xpe_cb_pop(0, SLOT);
    }
  }
}
