/*===- simd.c - A chain of the SIMD engine on local data --------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same tile again and again, without any traffic outside of the PE.
 * KERNEL_DTYPE is the element type's code, KERNEL_ELEM its bytes.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_X, CB_OUT };

void kernel_load(const struct simd_args *args);
void kernel_compute(const struct simd_args *args);

void kernel_load(const struct simd_args *args) {
  const uint64_t bytes = args->rows * args->cols * KERNEL_ELEM;
  kernel_ring(CB_OUT, kernel_ring(CB_X, 0, bytes), bytes);
  kernel_ready();
  /* A block without a valid part is all fill and needs no memory. */
  struct xpe_dma_in zero = kernel_in(CB_X, 0, bytes, bytes, XPE_READ_STREAM);
  zero.valid_rows = zero.valid_bytes = 0;
  KERNEL_NOW(dma_in, 0, &zero, 0);
}

void kernel_compute(const struct simd_args *args) {
  kernel_ready();
  struct xpe_se c = {
      .cb = CB_X,
      .pitch = args->cols * KERNEL_ELEM,
      .dtype = KERNEL_DTYPE,
      .rows = args->rows,
      .cols = args->cols,
      .scale = args->scale,
      .scale_imm = 0x3f800000,
      .y1_kind = args->y1 ? XPE_OPERAND_IMMEDIATE : XPE_OPERAND_NONE,
      .y1_imm = 0x3f800000,
      .f = args->f,
      .y2_kind = args->y2 ? XPE_OPERAND_IMMEDIATE : XPE_OPERAND_NONE,
      .y2_imm = 0x3f800000,
      .store = 1,
      .out_cb = CB_OUT,
      .out_pitch = args->cols * KERNEL_ELEM,
      .out_dtype = KERNEL_DTYPE};
  KERNEL_BIND(se, 1, &c);
  for (uint64_t i = 0; i < args->count; ++i) {
    KERNEL_GO(se, 1, &c, 0);
  }
}
