/*===- arguments.h - Argument blocks of the kernels -------------*- C -*-===*\
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Read by the kernels and by the runtime. Addresses are physical, sizes in
 * bytes unless they say otherwise; `align` is the memory interleave granule.
\*===------------------------------------------------------------------===*/

#ifndef CHIPWRIGHT_KERNELS_ARGUMENTS_H
#define CHIPWRIGHT_KERNELS_ARGUMENTS_H

#include <stdint.h>

struct copy_args {
  uint64_t in, out, bytes, align;
};

struct add_args {
  uint64_t a, b, out, bytes, align;
};

struct stream_args {
  uint64_t in, out, in_bytes, out_bytes, align;
};

struct transpose_args {
  uint64_t in, out, rows, cols; /* of `in`, in elements */
};

struct gemm_args {
  uint64_t a, b, c;       /* addresses */
  uint32_t m, n, k;       /* elements */
  uint32_t dtype;         /* as the kernel was built for */
  uint64_t lda, ldb, ldc; /* from one row to the next */
};

/* Row-wise kernels: rows of `cols` elements without gaps. */
struct softmax_args {
  uint64_t in, out, rows, cols;
};

struct rmsnorm_args {
  uint64_t in, weight, out, rows, cols;
  uint32_t inverse_cols; /* bits of the fp32 number 1 / cols */
  uint32_t epsilon;      /* bits of an fp32 number */
};

#endif /* CHIPWRIGHT_KERNELS_ARGUMENTS_H */
