/*===- softmax.c - Softmax of rows ------------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * out = exp(x - max) / sum(exp(x - max)), in fp32 up to one rounding of the
 * result: the exponentials are computed twice rather than stored in between.
 * Cache policy as in copy.c.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "rows.h"

enum { CB_IN, CB_OUT, CB_MAX, CB_SUM, CB_INVERSE };
#define DEPTH ROW_DEPTH(6 * ROW_STAT)

_Static_assert(2 * DEPTH * ROW_SLOT + 6 * ROW_STAT <= XPE_LS_FREE_BYTES,
               "a row does not fit local memory");

void kernel_load(const struct softmax_args *args);
void kernel_compute(const struct softmax_args *args);

void kernel_load(const struct softmax_args *args) {
  uint64_t base = kernel_ring(CB_IN, 0, ROW_SLOT * DEPTH);
  base = kernel_ring(CB_OUT, base, ROW_SLOT * DEPTH);
  base = kernel_ring(CB_MAX, base, ROW_STAT * 2);
  base = kernel_ring(CB_SUM, base, ROW_STAT * 2);
  kernel_ring(CB_INVERSE, base, ROW_STAT * 2);
  kernel_ready();
  const struct kernel_share s = kernel_share(args->rows, ROW_GROUP, 1);
  row_load(0, CB_IN, args->in, &s);
}

void kernel_compute(const struct softmax_args *args) {
  kernel_ready();
  const struct kernel_share s = kernel_share(args->rows, ROW_GROUP, 1);

  struct xpe_se largest = row_chain(CB_IN, s.chunk);
  largest.reduce = XPE_ROW_MAX;
  largest.red_cb = largest.run_cb = CB_MAX;

  struct xpe_se sum = row_chain(CB_IN, s.chunk);
  sum.y1_cb = CB_MAX;
  sum.y1_kind = XPE_OPERAND_PER_ROW;
  sum.op1 = XPE_ALU_SUB;
  sum.f = XPE_F_EXP;
  sum.reduce = XPE_ROW_SUM;
  sum.red_cb = sum.run_cb = CB_SUM;

  /* The sums stand side by side: one row of them. */
  struct xpe_se inverse = {.cb = CB_SUM,
                           .dtype = XPE_DTYPE_F32,
                           .rows = 1,
                           .cols = s.chunk,
                           .f = XPE_F_RECIP,
                           .store = 1,
                           .out_cb = CB_INVERSE,
                           .out_dtype = XPE_DTYPE_F32};

  struct xpe_se result = row_chain(CB_IN, s.chunk);
  result.y1_cb = CB_MAX;
  result.y1_kind = XPE_OPERAND_PER_ROW;
  result.op1 = XPE_ALU_SUB;
  result.f = XPE_F_EXP;
  result.y2_cb = CB_INVERSE;
  result.y2_pitch = 4;
  result.y2_dtype = XPE_DTYPE_F32;
  result.y2_kind = XPE_OPERAND_PER_ROW;
  result.op2 = XPE_ALU_MUL;
  result.store = 1;
  result.out_cb = CB_OUT;
  result.out_pitch = KERNEL_ROW_BYTES;
  result.out_dtype = KERNEL_DTYPE;

  struct xpe_dma_out out =
      kernel_out(CB_OUT, args->out, s.chunk * KERNEL_ROW_BYTES, ROW_SLOT,
                 XPE_WRITE_ALLOCATE);
  int changed = 1;
  for (uint64_t at = s.begin; at < s.end; at += s.step) {
    const uint64_t rows = kernel_chunk(&s, at);
    if (rows < s.chunk) {
      largest.rows = sum.rows = inverse.cols = result.rows = rows;
      out.row_bytes = out.valid_bytes = rows * KERNEL_ROW_BYTES;
      changed = 1;
    }
    row_reduce(0, &largest, changed, CB_MAX);
    row_reduce(1, &sum, changed, CB_SUM);
    if (changed) {
      KERNEL_BIND(se, 2, &inverse);
      KERNEL_BIND(dma_out, 4, &out);
    }
    KERNEL_GO(se, 2, &inverse, 0);
    xpe_cb_pop(CB_SUM, ROW_STAT);
    xpe_cb_push(CB_INVERSE, ROW_STAT);
    row_store(3, &result, changed, /*per_col=*/0);
    xpe_cb_pop(CB_IN, ROW_SLOT);
    xpe_cb_pop(CB_MAX, ROW_STAT);
    xpe_cb_pop(CB_INVERSE, ROW_STAT);
    xpe_cb_push(CB_OUT, ROW_SLOT);
    KERNEL_GO(dma_out, 4, &out, at * KERNEL_ROW_BYTES);
    changed = 0;
  }
}
