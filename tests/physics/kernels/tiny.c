/*===- tiny.c - Commands that take longer to issue than to do ---*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * All fields are written before every command, on a chip without contexts
 * those that are not 0. TINY_KIND is one of TINY_* in arguments.h.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_X, CB_OUT };
#define BYTES 4096

void kernel_load(const struct count_args *args);
void kernel_compute(const struct count_args *args);

void kernel_load(const struct count_args *args) {
  (void)args;
  kernel_ring(CB_OUT, kernel_ring(CB_X, 0, BYTES), BYTES);
  kernel_ready();
  struct xpe_dma_in zero = kernel_in(CB_X, 0, BYTES, BYTES, XPE_READ_STREAM);
  zero.valid_rows = zero.valid_bytes = 0;
  KERNEL_NOW(dma_in, 0, &zero, 0);
}

#if XPE_CONTEXTS > 0
#define ISSUE(command, fields, c)                                              \
  do {                                                                         \
    xpe_##fields##_fields(0, (c));                                             \
    xpe_##command##_go(0, (c), 0);                                             \
  } while (0)
#else
#define ISSUE(command, fields, c) xpe_##command##_go(0, (c), 0)
#endif

XPE_FN void one(void) {
#if TINY_KIND == TINY_SE || TINY_KIND == TINY_DRAIN
  const struct xpe_se c = {.cb = CB_X,
                           .dtype = TINY_KIND == TINY_SE ? XPE_DTYPE_F16 : 0,
                           .rows = 1,
                           .cols = 1,
                           .store = 1,
                           .out_cb = CB_OUT,
                           .out_dtype = XPE_DTYPE_F16};
#if TINY_KIND == TINY_SE
  ISSUE(se, se, &c);
#else
  ISSUE(drain, se, &c);
#endif
#elif TINY_KIND == TINY_MML
  const struct xpe_mml c = {.a_cb = CB_X,
                            .a_pitch = XPE_DPE_K_BYTES,
                            .b_cb = CB_X,
                            .b_pitch = XPE_DPE_K_BYTES,
                            .a_rows = 1,
                            .b_rows = 1,
                            .passes = 1,
                            .a_dtype = XPE_DTYPE_F16,
                            .b_dtype = XPE_DTYPE_F16,
                            .bank = 1,
                            .accumulate = 1,
                            .a_step = XPE_DPE_K_BYTES,
                            .b_step = XPE_DPE_K_BYTES};
  ISSUE(mml, mml, &c);
#elif TINY_KIND == TINY_BANK_INIT
  const struct xpe_bank_init c = {.rows = 1, .cols = 1, .bank = 1};
  ISSUE(bank_init, bank_init, &c);
#else
  const struct xpe_mlu c = {.cb = CB_X,
                            .pitch = 64,
                            .rows = 1,
                            .cols = 1,
                            .elem_bytes = 2,
                            .out_cb = CB_OUT,
                            .out_pitch = 64};
  ISSUE(mlu_copy, mlu, &c);
#endif
}

void kernel_compute(const struct count_args *args) {
  kernel_ready();
  for (uint64_t i = 0; i < args->count; ++i) {
#pragma clang loop unroll(full)
    for (unsigned k = 0; k < TINY_UNROLL; ++k) {
      one();
    }
  }
}
