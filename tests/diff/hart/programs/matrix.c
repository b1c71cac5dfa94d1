// SPDX-License-Identifier: Apache-2.0
// Integer and binary32 matrix products, transposed and strided.
#include "support.h"

enum { size = 20 };
static int32_t ia[size][size], ib[size][size], ic[size][size];
static float fa[size][size], fb[size][size], fc[size][size];

uint64_t run(void) {
  uint64_t state = 7, sum = 3;
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      ia[i][j] = (int32_t)nextRandom(&state) >> 12;
      ib[i][j] = (int32_t)nextRandom(&state) >> 12;
      fa[i][j] = (float)ia[i][j] / 1024.0f;
      fb[i][j] = (float)(uint32_t)ib[i][j] * 0.37f;
    }
  }
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      uint32_t acc = 0;
      float facc = 0;
      for (int k = 0; k < size; ++k) {
        acc += (uint32_t)ia[i][k] * (uint32_t)ib[j][k];
        facc += fa[i][k] * fb[k][j];
      }
      ic[i][j] = (int32_t)acc;
      fc[i][j] = facc;
    }
  }
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      sum = mix(sum, (uint64_t)(int64_t)ic[j][i]);
      sum = mix(sum, bitsOfFloat(fc[i][j]));
    }
  }
  return sum;
}
