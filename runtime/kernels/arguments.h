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

struct stream_args {
  uint64_t in, out, in_bytes, out_bytes, align;
};

#endif /* CHIPWRIGHT_KERNELS_ARGUMENTS_H */
