/*===- stream.c - Reads and writes side by side -----------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reads `in` and drops it, writes ones to `out`; nothing connects the two but
 * their pace: each round of a PE reads and writes the same part of both, so
 * that the mix stays the same from start to end. KERNEL_DTYPE and KERNEL_ELEM
 * as in add.c.
 *
 * Cache policy: this kernel measures memory, so neither direction allocates
 * lines in the LLC.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_IN, CB_ZERO, CB_ONE };
#define SLOT KERNEL_SLOT(3)

void kernel_load(const struct stream_args *args);
void kernel_compute(const struct stream_args *args);

/* Shares of both directions with the same number of rounds. */
struct shares {
  struct kernel_share in, out;
};

XPE_FN uint64_t even(uint64_t bytes, uint64_t rounds, uint64_t align) {
  return kernel_round_up(kernel_divide_up(bytes, KERNEL_PES * rounds), align);
}

XPE_FN struct kernel_share share(uint64_t bytes, uint64_t chunk) {
  return (struct kernel_share){.chunk = chunk,
                               .begin = xpe_info(XPE_INFO_PE) * chunk,
                               .step = KERNEL_PES * chunk,
                               .end = bytes};
}

XPE_FN struct shares both(const struct stream_args *args) {
  const uint64_t larger =
      args->in_bytes > args->out_bytes ? args->in_bytes : args->out_bytes;
  const uint64_t rounds = kernel_divide_up(larger, KERNEL_PES * SLOT);
  struct shares s;
  s.in = share(args->in_bytes, even(args->in_bytes, rounds, args->align));
  s.out = share(args->out_bytes, even(args->out_bytes, rounds, args->align));
  return s;
}

void kernel_load(const struct stream_args *args) {
  uint64_t base = kernel_ring(CB_IN, 0, SLOT * KERNEL_DEPTH);
  base = kernel_ring(CB_ZERO, base, SLOT);
  kernel_ring(CB_ONE, base, SLOT * KERNEL_DEPTH);
  kernel_ready();
  const struct kernel_share s = both(args).in;
  /* A block without a valid part is all fill: zeros without a memory access. */
  struct xpe_dma_in zero = kernel_in(CB_ZERO, 0, SLOT, SLOT, XPE_READ_STREAM);
  zero.valid_rows = zero.valid_bytes = 0;
  KERNEL_NOW(dma_in, 1, &zero, 0);
  struct xpe_dma_in in =
      kernel_in(CB_IN, args->in, s.chunk, SLOT, XPE_READ_STREAM);
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

void kernel_compute(const struct stream_args *args) {
  kernel_ready();
  const struct shares s = both(args);
  /* Ones into every slot; from then on a slot is written again and again. */
  struct xpe_se one = {.cb = CB_ZERO,
                       .dtype = KERNEL_DTYPE,
                       .rows = 1,
                       .cols = SLOT / KERNEL_ELEM,
                       .y1_kind = XPE_OPERAND_IMMEDIATE,
                       .op1 = XPE_ALU_ADD,
                       .y1_imm = 0x3f800000,
                       .store = 1,
                       .out_cb = CB_ONE,
                       .out_dtype = KERNEL_DTYPE};
  KERNEL_BIND(se, 1, &one);
  for (uint64_t slot = 0; slot < KERNEL_DEPTH; ++slot) {
    KERNEL_GO(se, 1, &one, xpe_se_word(0, 0, slot * SLOT));
  }
  struct xpe_dma_out out =
      kernel_out(CB_ONE, args->out, s.out.chunk, SLOT, XPE_WRITE_STREAM);
  KERNEL_BIND(dma_out, 0, &out);
  uint64_t in = s.in.begin, at = s.out.begin;
  while (in < s.in.end || at < s.out.end) {
    if (at < s.out.end) {
      const uint64_t bytes = kernel_chunk(&s.out, at);
      if (bytes < s.out.chunk) {
        out.row_bytes = out.valid_bytes = bytes;
        KERNEL_BIND(dma_out, 0, &out);
      }
      xpe_cb_push(CB_ONE, SLOT);
      KERNEL_GO(dma_out, 0, &out, at);
      at += s.out.step;
    }
    if (in < s.in.end) {
      xpe_cb_pop(CB_IN, SLOT);
      in += s.in.step;
    }
  }
}
