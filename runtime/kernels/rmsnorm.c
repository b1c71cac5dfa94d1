/*===- rmsnorm.c - Root mean square norm of rows ----------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * out = x / sqrt(mean(x^2) + epsilon) * weight, in fp32 up to one rounding of
 * the result. The weights stay in local memory; all PEs read them, so they
 * are kept in the LLC. Otherwise cache policy as in copy.c.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "rows.h"

enum { CB_IN, CB_OUT, CB_WEIGHT, CB_SQUARES, CB_SCALE };
#define OTHER (ROW_UP(KERNEL_ROW_BYTES) + 4 * ROW_STAT)
#define DEPTH ROW_DEPTH(OTHER)

_Static_assert(2 * DEPTH * ROW_SLOT + OTHER <= XPE_LS_FREE_BYTES,
               "a row does not fit local memory");

void kernel_load(const struct rmsnorm_args *args);
void kernel_compute(const struct rmsnorm_args *args);

void kernel_load(const struct rmsnorm_args *args) {
  uint64_t base = kernel_ring(CB_IN, 0, ROW_SLOT * DEPTH);
  base = kernel_ring(CB_OUT, base, ROW_SLOT * DEPTH);
  base = kernel_ring(CB_WEIGHT, base, ROW_UP(KERNEL_ROW_BYTES));
  base = kernel_ring(CB_SQUARES, base, ROW_STAT * 2);
  kernel_ring(CB_SCALE, base, ROW_STAT * 2);
  kernel_ready();
  const struct kernel_share s = kernel_share(args->rows, ROW_GROUP, 1);
  if (s.begin < s.end) {
    struct xpe_dma_in weight =
        kernel_in(CB_WEIGHT, args->weight, KERNEL_ROW_BYTES, KERNEL_ROW_BYTES,
                  XPE_READ_ALLOCATE);
    KERNEL_NOW(dma_in, 1, &weight, 0);
  }
  row_load(0, CB_IN, args->in, &s);
}

void kernel_compute(const struct rmsnorm_args *args) {
  kernel_ready();
  const struct kernel_share s = kernel_share(args->rows, ROW_GROUP, 1);

  struct xpe_se squares = row_chain(CB_IN, s.chunk);
  squares.reduce = XPE_ROW_SUMSQ;
  squares.red_cb = squares.run_cb = CB_SQUARES;

  /* The sums stand side by side: one row of them. */
  struct xpe_se scale = {.cb = CB_SQUARES,
                         .dtype = XPE_DTYPE_F32,
                         .rows = 1,
                         .cols = s.chunk,
                         .scale = 1,
                         .scale_imm = args->inverse_cols,
                         .y1_kind = XPE_OPERAND_IMMEDIATE,
                         .op1 = XPE_ALU_ADD,
                         .y1_imm = args->epsilon,
                         .f = XPE_F_RSQRT,
                         .store = 1,
                         .out_cb = CB_SCALE,
                         .out_dtype = XPE_DTYPE_F32};

  struct xpe_se result = row_chain(CB_IN, s.chunk);
  result.y1_cb = CB_SCALE;
  result.y1_kind = XPE_OPERAND_PER_ROW;
  result.op1 = XPE_ALU_MUL;
  result.y2_cb = CB_WEIGHT;
  result.y2_dtype = KERNEL_DTYPE;
  result.y2_kind = XPE_OPERAND_PER_COL;
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
      squares.rows = scale.cols = result.rows = rows;
      out.row_bytes = out.valid_bytes = rows * KERNEL_ROW_BYTES;
      changed = 1;
    }
    row_reduce(0, &squares, changed, CB_SQUARES);
    if (changed) {
      KERNEL_BIND(se, 1, &scale);
      KERNEL_BIND(dma_out, 3, &out);
    }
    KERNEL_GO(se, 1, &scale, 0);
    xpe_cb_pop(CB_SQUARES, ROW_STAT);
    xpe_cb_push(CB_SCALE, ROW_STAT);
    row_store(2, &result, changed, /*per_col=*/1);
    xpe_cb_pop(CB_IN, ROW_SLOT);
    xpe_cb_pop(CB_SCALE, ROW_STAT);
    xpe_cb_push(CB_OUT, ROW_SLOT);
    KERNEL_GO(dma_out, 3, &out, at * KERNEL_ROW_BYTES);
    changed = 0;
  }
}
