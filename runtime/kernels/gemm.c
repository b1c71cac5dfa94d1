/*===- gemm.c - C[M,N] = A[M,K] B[N,K]^T ------------------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * C is cut into blocks of GEMM_M_BLOCK x GEMM_N_BLOCK that fill the
 * accumulator banks. Blocks go around the grid either in two dimensions (block
 * row i to PE row i mod rows, block column j to PE column j mod cols; A is
 * multicast along PE rows, B along PE columns), or, with GEMM_SPREAD_N, block
 * column j to PE j mod (rows * cols), for products with few rows (only A is
 * multicast).
 *
 * Hart 0 streams chunks of GEMM_CHUNK bytes of K of both operands into two
 * rings of GEMM_DEPTH slots. Hart 1 multiplies, reads the banks out with
 * conversion to the output type, and writes blocks back while the next block
 * is multiplied. runtime/GemmSchedule.cpp chooses the GEMM_* constants.
\*===------------------------------------------------------------------===*/

#include "arguments.h"
#include "kernel.h"

enum { CB_A, CB_B, CB_OUT };
enum { CTX_A, CTX_B };                /* hart 0 */
enum { CTX_MML, CTX_DRAIN, CTX_OUT }; /* hart 1 */

/* Products of int8 accumulate in int32, all others in fp32. */
#define ACCUMULATOR (GEMM_DTYPE == XPE_DTYPE_I8 ? XPE_DTYPE_I32 : XPE_DTYPE_F32)

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Rows of one streamed and one cached operand of a matrix command. */
#define A_ROWS MIN(GEMM_M_BLOCK, XPE_DPE_STREAM_ROWS)
#define B_ROWS MIN(GEMM_N_BLOCK, XPE_DPE_CACHED_ROWS)
#define A_PARTS ((GEMM_M_BLOCK + A_ROWS - 1) / A_ROWS)
#define B_PARTS ((GEMM_N_BLOCK + B_ROWS - 1) / B_ROWS)
_Static_assert(A_PARTS *B_PARTS <= XPE_RE_BANKS, "a block fills the banks");

#define A_SLOT (GEMM_M_BLOCK * GEMM_CHUNK)
#define B_SLOT (GEMM_N_BLOCK * GEMM_CHUNK)
#define OUT_PITCH (GEMM_N_BLOCK * GEMM_ELEM)
#define OUT_SLOT (GEMM_M_BLOCK * OUT_PITCH)
#define OUT_DEPTH 2
_Static_assert((A_SLOT + B_SLOT) * GEMM_DEPTH + OUT_SLOT * OUT_DEPTH <=
                   XPE_LS_FREE_BYTES,
               "rings fit local memory");

#define STEP_BYTES (GEMM_PASSES * XPE_DPE_K_BYTES)
_Static_assert(GEMM_CHUNK % STEP_BYTES == 0, "whole commands per chunk");

/* The blocks of this PE: the same sequence on both harts. */
struct walk {
  uint32_t m_first, m_step, m_blocks;
  uint32_t n_first, n_step, n_blocks;
  uint32_t k_bytes, chunks;
};

XPE_FN struct walk walk_of(const struct gemm_args *args) {
  struct walk w;
  uint32_t row = xpe_info(XPE_INFO_ROW), col = xpe_info(XPE_INFO_COL);
  w.m_blocks = kernel_divide_up(args->m, GEMM_M_BLOCK);
  w.n_blocks = kernel_divide_up(args->n, GEMM_N_BLOCK);
#if GEMM_SPREAD_N
  w.m_first = 0;
  w.m_step = 1;
  w.n_first = row * XPE_COLS + col;
  w.n_step = XPE_ROWS * XPE_COLS;
#else
  w.m_first = row;
  w.m_step = XPE_ROWS;
  w.n_first = col;
  w.n_step = XPE_COLS;
#endif
  w.k_bytes = args->k * GEMM_ELEM;
  w.chunks = kernel_divide_up(w.k_bytes, GEMM_CHUNK);
  return w;
}

/* Bit i: the PE with index i of the line, which handles block first + i of
 * `blocks`, takes part. */
XPE_FN uint64_t members(uint32_t first, uint32_t blocks, uint32_t line) {
  uint32_t count = MIN(blocks - first, line);
  return count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
}

void kernel_load(const struct gemm_args *args);
void kernel_compute(const struct gemm_args *args);

void kernel_load(const struct gemm_args *args) {
  uint64_t end = kernel_ring(CB_A, 0, A_SLOT * GEMM_DEPTH);
  end = kernel_ring(CB_B, end, B_SLOT * GEMM_DEPTH);
  kernel_ring(CB_OUT, end, OUT_SLOT * OUT_DEPTH);
  kernel_ready();

  struct walk w = walk_of(args);
  for (uint32_t m = w.m_first; m < w.m_blocks; m += w.m_step) {
    uint32_t m_valid = MIN(args->m - m * GEMM_M_BLOCK, GEMM_M_BLOCK);
    for (uint32_t n = w.n_first; n < w.n_blocks; n += w.n_step) {
      uint32_t n_valid = MIN(args->n - n * GEMM_N_BLOCK, GEMM_N_BLOCK);
      struct xpe_dma_in a = {
          .addr = args->a + (uint64_t)m * GEMM_M_BLOCK * args->lda,
          .rows = GEMM_M_BLOCK,
          .row_bytes = GEMM_CHUNK,
          .pitch = args->lda,
          .cb = CB_A,
          .valid_rows = m_valid,
          .valid_bytes = GEMM_CHUNK,
          .mcast = XPE_MCAST_ROW,
          .mcast_mask =
              members(n - xpe_info(XPE_INFO_COL), w.n_blocks, XPE_COLS)};
      struct xpe_dma_in b = {
          .addr = args->b + (uint64_t)n * GEMM_N_BLOCK * args->ldb,
          .rows = GEMM_N_BLOCK,
          .row_bytes = GEMM_CHUNK,
          .pitch = args->ldb,
          .cb = CB_B,
          .valid_rows = n_valid,
          .valid_bytes = GEMM_CHUNK,
#if !GEMM_SPREAD_N
          .mcast = XPE_MCAST_COLUMN,
          .mcast_mask =
              members(m - xpe_info(XPE_INFO_ROW), w.m_blocks, XPE_ROWS)
#endif
      };
      KERNEL_BIND(dma_in, CTX_A, &a);
      KERNEL_BIND(dma_in, CTX_B, &b);
      uint32_t last = w.k_bytes - (w.chunks - 1) * GEMM_CHUNK;
      for (uint32_t chunk = 0; chunk < w.chunks; ++chunk) {
        if (chunk + 1 == w.chunks && last != GEMM_CHUNK) {
          a.valid_bytes = b.valid_bytes = last;
          KERNEL_BIND(dma_in, CTX_A, &a);
          KERNEL_BIND(dma_in, CTX_B, &b);
        }
        uint64_t offset = (uint64_t)chunk * GEMM_CHUNK;
        KERNEL_GO(dma_in, CTX_A, &a, offset);
        KERNEL_GO(dma_in, CTX_B, &b, offset);
      }
    }
  }
}

/* The commands of one step: every pair of operand parts, in an order in which
 * consecutive commands share the cached operand or the streamed one. */
XPE_FN void multiply_step(const struct xpe_mml *mml, uint64_t word,
                          uint32_t a_parts) {
  for (unsigned j = 0; j < B_PARTS; ++j) {
    for (unsigned i = 0; i < A_PARTS; ++i) {
      unsigned part = j % 2 ? A_PARTS - 1 - i : i;
      if (part < a_parts) {
        KERNEL_GO(mml, CTX_MML, mml,
                  word + xpe_mml_word(part * A_ROWS * GEMM_CHUNK,
                                      j * B_ROWS * GEMM_CHUNK,
                                      part * B_PARTS + j, 0));
      }
    }
  }
}

XPE_FN void multiply_chunk(const struct xpe_mml *mml, uint32_t steps,
                           uint64_t accumulate, uint32_t a_parts) {
  uint64_t word = accumulate;
  const uint64_t next = xpe_mml_word(STEP_BYTES, STEP_BYTES, 0, 0);
  multiply_step(mml, word, a_parts);
  word = xpe_mml_word(STEP_BYTES, STEP_BYTES, 0, 1);
#pragma clang loop unroll(disable)
  for (uint32_t step = 1; step < steps; ++step) {
    multiply_step(mml, word, a_parts);
    word = xpe_keep(word + next);
  }
}

XPE_FN void multiply_block(const struct xpe_mml *mml, const struct walk *w,
                           uint32_t a_parts) {
  uint32_t last = w->k_bytes - (w->chunks - 1) * GEMM_CHUNK;
  uint64_t accumulate = 0;
  for (uint32_t chunk = 0; chunk < w->chunks; ++chunk) {
    uint32_t steps = chunk + 1 == w->chunks
                         ? kernel_divide_up(last, STEP_BYTES)
                         : (uint32_t)(GEMM_CHUNK / STEP_BYTES);
    if (a_parts == A_PARTS) {
      multiply_chunk(mml, steps, accumulate, A_PARTS);
    } else {
      multiply_chunk(mml, steps, accumulate, a_parts);
    }
    accumulate = xpe_mml_word(0, 0, 0, 1);
    xpe_cb_pop(CB_A, A_SLOT);
    xpe_cb_pop(CB_B, B_SLOT);
  }
}

void kernel_compute(const struct gemm_args *args) {
  kernel_ready();
  struct walk w = walk_of(args);
  const struct xpe_mml mml = {.a_cb = CB_A,
                              .a_pitch = GEMM_CHUNK,
                              .b_cb = CB_B,
                              .b_pitch = GEMM_CHUNK,
                              .a_rows = A_ROWS,
                              .b_rows = B_ROWS,
                              .passes = GEMM_PASSES,
                              .a_dtype = GEMM_DTYPE,
                              .b_dtype = GEMM_DTYPE,
                              .a_step = XPE_DPE_K_BYTES,
                              .b_step = XPE_DPE_K_BYTES};
  const struct xpe_se drain = {.dtype = ACCUMULATOR,
                               .rows = A_ROWS,
                               .cols = B_ROWS,
                               .store = 1,
                               .out_cb = CB_OUT,
                               .out_pitch = OUT_PITCH,
                               .out_dtype = GEMM_DTYPE};
  KERNEL_BIND(mml, CTX_MML, &mml);
  KERNEL_BIND(drain, CTX_DRAIN, &drain);
  for (uint32_t m = w.m_first; m < w.m_blocks; m += w.m_step) {
    uint32_t m_valid = MIN(args->m - m * GEMM_M_BLOCK, GEMM_M_BLOCK);
    uint32_t a_parts = kernel_divide_up(m_valid, A_ROWS);
    for (uint32_t n = w.n_first; n < w.n_blocks; n += w.n_step) {
      uint32_t n_valid = MIN(args->n - n * GEMM_N_BLOCK, GEMM_N_BLOCK);
      multiply_block(&mml, &w, a_parts);
      for (unsigned j = 0; j < B_PARTS; ++j) {
        for (unsigned i = 0; i < A_PARTS; ++i) {
          unsigned part = j % 2 ? A_PARTS - 1 - i : i;
          if (part < a_parts) {
            KERNEL_GO(drain, CTX_DRAIN, &drain,
                      xpe_drain_word(part * B_PARTS + j, 0,
                                     part * A_ROWS * OUT_PITCH +
                                         j * B_ROWS * GEMM_ELEM));
          }
        }
      }
      xpe_cb_push(CB_OUT, OUT_SLOT);
      const struct xpe_dma_out out = {
          .addr = args->c + (uint64_t)m * GEMM_M_BLOCK * args->ldc +
                  (uint64_t)n * OUT_PITCH,
          .rows = GEMM_M_BLOCK,
          .row_bytes = OUT_PITCH,
          .pitch = args->ldc,
          .cb = CB_OUT,
          .valid_rows = m_valid,
          .valid_bytes = n_valid * GEMM_ELEM};
      KERNEL_NOW(dma_out, CTX_OUT, &out, 0);
    }
  }
}
