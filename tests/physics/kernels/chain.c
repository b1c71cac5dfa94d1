/*===- chain.c - Steps that wait for each other -----------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * `count` steps of one kind, CHAIN_KIND in arguments.h; each needs the result
 * of the one before, so the run is as long as the latencies add up to.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_RING, CB_OTHER };
/* One step's slot, the way from one access to the next, and the constant
 * operand of CHAIN_MML. Neighbouring granules are on other sides of the chip,
 * so that no PE has always the longest way. */
#define SLOT 64
#define STEP 256
#define OTHER_BYTES (CHAIN_MML_COLS * XPE_DPE_K_BYTES)

void kernel_load(const struct chain_args *args);
void kernel_compute(const struct chain_args *args);

void kernel_load(const struct chain_args *args) {
  (void)args;
  const uint64_t base = kernel_ring(CB_RING, 0, 8 * SLOT);
  kernel_ring(CB_OTHER, base, OTHER_BYTES);
  kernel_ready();
#if CHAIN_KIND == CHAIN_MML
  struct xpe_dma_in zero =
      kernel_in(CB_OTHER, 0, OTHER_BYTES, OTHER_BYTES, XPE_READ_STREAM);
  zero.valid_rows = zero.valid_bytes = 0;
  KERNEL_NOW(dma_in, 0, &zero, 0);
#elif CHAIN_KIND == CHAIN_BARRIER
  const uint64_t rows = ((uint64_t)1 << XPE_ROWS) - 1;
  const uint64_t cols = ((uint64_t)1 << XPE_COLS) - 1;
  for (uint64_t i = 0; i < args->count; ++i) {
    xpe_barrier(1, rows | cols << 32);
  }
#endif
}

void kernel_compute(const struct chain_args *args) {
  kernel_ready();
  const uint64_t count = args->count;
#if CHAIN_KIND == CHAIN_BARRIER
  const uint64_t rows = ((uint64_t)1 << XPE_ROWS) - 1;
  const uint64_t cols = ((uint64_t)1 << XPE_COLS) - 1;
  for (uint64_t i = 0; i < count; ++i) {
    xpe_barrier(1, rows | cols << 32);
  }
#elif CHAIN_KIND == CHAIN_SEMAPHORE
  /* First and last PE, there and back. */
  const uint64_t pe = xpe_info(XPE_INFO_PE), last = KERNEL_PES - 1;
  const uint64_t stride = xpe_info(XPE_INFO_PE_STRIDE);
  const uint64_t own = xpe_info(XPE_INFO_SEM_BASE);
  if (pe == 0) {
    for (uint64_t i = 0; i < count; ++i) {
      xpe_sem_post(own + last * stride, 1);
      xpe_sem_take(0, 1);
    }
  } else if (pe == last) {
    for (uint64_t i = 0; i < count; ++i) {
      xpe_sem_take(0, 1);
      xpe_sem_post(own - last * stride, 1);
    }
  }
#elif CHAIN_KIND == CHAIN_READ
  struct xpe_dma_in in =
      kernel_in(CB_RING, args->buffer, SLOT, SLOT, XPE_READ_STREAM);
  KERNEL_BIND(dma_in, 0, &in);
  for (uint64_t i = 0; i < count; ++i) {
    KERNEL_GO(dma_in, 0, &in, (i + xpe_info(XPE_INFO_PE)) * STEP);
    xpe_cb_wait(CB_RING, SLOT);
    xpe_cb_pop(CB_RING, SLOT);
  }
#elif CHAIN_KIND == CHAIN_WRITE
  struct xpe_dma_out out =
      kernel_out(CB_RING, args->buffer, SLOT, SLOT, XPE_WRITE_STREAM);
  KERNEL_BIND(dma_out, 0, &out);
  for (uint64_t i = 0; i < count; ++i) {
    xpe_cb_push(CB_RING, SLOT);
    KERNEL_GO(dma_out, 0, &out, (i + xpe_info(XPE_INFO_PE)) * STEP);
    xpe_fence();
  }
#elif CHAIN_KIND == CHAIN_LOAD
  /* Each word holds the address of the next one, in another line. */
  uint64_t at = args->buffer;
  for (uint64_t i = 0; i < count; ++i) {
    at = *(const volatile uint64_t *)at;
  }
#elif CHAIN_KIND == CHAIN_SE
  struct xpe_se c = {.cb = CB_RING,
                     .dtype = XPE_DTYPE_F16,
                     .rows = 1,
                     .cols = SLOT / 2,
                     .store = 1,
                     .out_cb = CB_RING,
                     .out_dtype = XPE_DTYPE_F16};
  KERNEL_BIND(se, 0, &c);
  xpe_cb_push(CB_RING, SLOT);
  for (uint64_t i = 0; i < count; ++i) {
    KERNEL_GO(se, 0, &c, 0);
    xpe_cb_push(CB_RING, SLOT);
    xpe_cb_pop(CB_RING, SLOT);
  }
#elif CHAIN_KIND == CHAIN_MML
  struct xpe_mml product = {.a_cb = CB_RING,
                            .a_pitch = SLOT,
                            .b_cb = CB_OTHER,
                            .b_pitch = XPE_DPE_K_BYTES,
                            .a_rows = 1,
                            .b_rows = CHAIN_MML_COLS,
                            .passes = 1,
                            .a_dtype = XPE_DTYPE_F16,
                            .b_dtype = XPE_DTYPE_F16};
  struct xpe_se drain = {.rows = 1,
                         .cols = CHAIN_MML_COLS,
                         .store = 1,
                         .out_cb = CB_RING,
                         .out_dtype = XPE_DTYPE_F16};
  KERNEL_BIND(mml, 0, &product);
  KERNEL_BIND(drain, 1, &drain);
  xpe_cb_push(CB_RING, SLOT);
  for (uint64_t i = 0; i < count; ++i) {
    KERNEL_GO(mml, 0, &product, 0);
    KERNEL_GO(drain, 1, &drain, 0);
    xpe_cb_push(CB_RING, SLOT);
    xpe_cb_pop(CB_RING, SLOT);
  }
#elif CHAIN_KIND == CHAIN_DIVIDE || CHAIN_KIND == CHAIN_MULTIPLY
  uint64_t value = count;
#pragma clang loop unroll_count(8)
  for (uint64_t i = 0; i < count; ++i) {
#if CHAIN_KIND == CHAIN_DIVIDE
    __asm__ volatile("div %0, %0, %0" : "+r"(value));
#else
    __asm__ volatile("mul %0, %0, %0" : "+r"(value));
#endif
  }
#endif
}
