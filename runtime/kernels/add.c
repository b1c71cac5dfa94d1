/*===- add.c - out = a + b --------------------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Element by element, added in fp32 and rounded once. KERNEL_DTYPE is the
 * element type's code, KERNEL_ELEM its bytes. Cache policy as in copy.c.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_A, CB_B, CB_OUT };
#define SLOT KERNEL_SLOT(3)

void kernel_load(const struct add_args *args);
void kernel_compute(const struct add_args *args);

void kernel_load(const struct add_args *args) {
  uint64_t base = kernel_ring(CB_A, 0, SLOT * KERNEL_DEPTH);
  base = kernel_ring(CB_B, base, SLOT * KERNEL_DEPTH);
  kernel_ring(CB_OUT, base, SLOT * KERNEL_DEPTH);
  kernel_ready();
  const struct kernel_share s = kernel_share(args->bytes, SLOT, args->align);
  struct xpe_dma_in a =
      kernel_in(CB_A, args->a, s.chunk, SLOT, XPE_READ_STREAM);
  struct xpe_dma_in b =
      kernel_in(CB_B, args->b, s.chunk, SLOT, XPE_READ_STREAM);
  KERNEL_BIND(dma_in, 0, &a);
  KERNEL_BIND(dma_in, 1, &b);
  for (uint64_t at = s.begin; at < s.end; at += s.step) {
    const uint64_t bytes = kernel_chunk(&s, at);
    if (bytes < s.chunk) {
      a.row_bytes = a.valid_bytes = b.row_bytes = b.valid_bytes = bytes;
      KERNEL_BIND(dma_in, 0, &a);
      KERNEL_BIND(dma_in, 1, &b);
    }
    KERNEL_GO(dma_in, 0, &a, at);
    KERNEL_GO(dma_in, 1, &b, at);
  }
}

void kernel_compute(const struct add_args *args) {
  kernel_ready();
  const struct kernel_share s = kernel_share(args->bytes, SLOT, args->align);
  struct xpe_se sum = {.cb = CB_A,
                       .dtype = KERNEL_DTYPE,
                       .rows = 1,
                       .cols = s.chunk / KERNEL_ELEM,
                       .y1_cb = CB_B,
                       .y1_dtype = KERNEL_DTYPE,
                       .y1_kind = XPE_OPERAND_TILE,
                       .op1 = XPE_ALU_ADD,
                       .store = 1,
                       .out_cb = CB_OUT,
                       .out_dtype = KERNEL_DTYPE};
  struct xpe_dma_out out =
      kernel_out(CB_OUT, args->out, s.chunk, SLOT, XPE_WRITE_ALLOCATE);
  KERNEL_BIND(se, 0, &sum);
  KERNEL_BIND(dma_out, 1, &out);
  for (uint64_t at = s.begin; at < s.end; at += s.step) {
    const uint64_t bytes = kernel_chunk(&s, at);
    if (bytes < s.chunk) {
      sum.cols = bytes / KERNEL_ELEM;
      out.row_bytes = out.valid_bytes = bytes;
      KERNEL_BIND(se, 0, &sum);
      KERNEL_BIND(dma_out, 1, &out);
    }
    KERNEL_GO(se, 0, &sum, 0);
    xpe_cb_pop(CB_A, SLOT);
    xpe_cb_pop(CB_B, SLOT);
    xpe_cb_push(CB_OUT, SLOT);
    KERNEL_GO(dma_out, 1, &out, at);
  }
}
