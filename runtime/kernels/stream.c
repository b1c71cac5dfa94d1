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
/* Rounds that one command moves, a row each, where rounds are many: the order
 * of addresses is that of one command a round, with a fourth of the work for
 * harts and command processor. Few rounds are moved one at a time, since
 * filling the larger ring and the first and last command overlap with
 * nothing. */
#define GROUP (KERNEL_SLOT_FITS(4 * SLOT, 3) ? 4 : 1)
#define MANY_ROUNDS 256

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

XPE_FN uint64_t larger(const struct stream_args *args) {
  return args->in_bytes > args->out_bytes ? args->in_bytes : args->out_bytes;
}

/* Rounds of a command. */
XPE_FN uint64_t group(const struct stream_args *args) {
  return larger(args) < MANY_ROUNDS * KERNEL_PES * SLOT ? 1 : GROUP;
}

XPE_FN struct shares both(const struct stream_args *args) {
  const uint64_t rounds = kernel_divide_up(larger(args), KERNEL_PES * SLOT);
  struct shares s;
  s.in = share(args->in_bytes, even(args->in_bytes, rounds, args->align));
  s.out = share(args->out_bytes, even(args->out_bytes, rounds, args->align));
  return s;
}

/* Rounds that the command for the chunks from `at` on moves: a whole group if
 * none of its chunks is shorter than the others, else one. */
XPE_FN uint64_t rounds_at(const struct kernel_share *s, uint64_t at,
                          uint64_t rounds) {
  return at + (rounds - 1) * s->step + s->chunk <= s->end ? rounds : 1;
}

void kernel_load(const struct stream_args *args) {
  const uint64_t most = group(args);
  const uint64_t ring = most * SLOT * KERNEL_DEPTH;
  uint64_t base = kernel_ring(CB_IN, 0, ring);
  base = kernel_ring(CB_ZERO, base, SLOT);
  kernel_ring(CB_ONE, base, ring);
  kernel_ready();
  const struct kernel_share s = both(args).in;
  /* A block without a valid part is all fill: zeros without a memory access. */
  struct xpe_dma_in zero = kernel_in(CB_ZERO, 0, SLOT, SLOT, XPE_READ_STREAM);
  zero.valid_rows = zero.valid_bytes = 0;
  KERNEL_NOW(dma_in, 1, &zero, 0);
  struct xpe_dma_in in =
      kernel_in(CB_IN, args->in, s.chunk, SLOT, XPE_READ_STREAM);
  in.pitch = s.step;
  in.rows = in.valid_rows = most;
  KERNEL_BIND(dma_in, 0, &in);
  for (uint64_t at = s.begin; at < s.end; at += in.rows * s.step) {
    const uint64_t bytes = kernel_chunk(&s, at);
    const uint64_t rounds = rounds_at(&s, at, most);
    if (rounds != in.rows || bytes < s.chunk) {
      in.rows = in.valid_rows = rounds;
      in.row_bytes = in.valid_bytes = bytes;
      KERNEL_BIND(dma_in, 0, &in);
    }
    KERNEL_GO(dma_in, 0, &in, at);
  }
}

void kernel_compute(const struct stream_args *args) {
  kernel_ready();
  const struct shares s = both(args);
  const uint64_t most = group(args);
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
  for (uint64_t slot = 0; slot < most * KERNEL_DEPTH; ++slot) {
    KERNEL_GO(se, 1, &one, xpe_se_word(0, 0, slot * SLOT));
  }
  struct xpe_dma_out out =
      kernel_out(CB_ONE, args->out, s.out.chunk, SLOT, XPE_WRITE_STREAM);
  out.pitch = s.out.step;
  out.rows = out.valid_rows = most;
  KERNEL_BIND(dma_out, 0, &out);
  uint64_t in = s.in.begin, at = s.out.begin;
  while (in < s.in.end || at < s.out.end) {
    if (at < s.out.end) {
      const uint64_t bytes = kernel_chunk(&s.out, at);
      const uint64_t rounds = rounds_at(&s.out, at, most);
      if (rounds != out.rows || bytes < s.out.chunk) {
        out.rows = out.valid_rows = rounds;
        out.row_bytes = out.valid_bytes = bytes;
        KERNEL_BIND(dma_out, 0, &out);
      }
      xpe_cb_push(CB_ONE, rounds * SLOT);
      KERNEL_GO(dma_out, 0, &out, at);
      at += rounds * s.out.step;
    }
    if (in < s.in.end) {
      const uint64_t rounds = rounds_at(&s.in, in, most);
      xpe_cb_pop(CB_IN, rounds * SLOT);
      in += rounds * s.in.step;
    }
  }
}
