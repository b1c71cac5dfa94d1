// SPDX-License-Identifier: Apache-2.0
// 128-bit products, quotients and shifts; 64-bit division at its edges.
#include "support.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

uint64_t run(void) {
  uint64_t state = 99, sum = 13;
  for (int i = 0; i < 120; ++i) {
    uint64_t a = nextRandom(&state) >> (i & 31);
    uint64_t b = (nextRandom(&state) >> (i & 63)) | 1;
    u128 product = (u128)a * b;
    i128 signedProduct = (i128)(int64_t)a * (int64_t)b;
    u128 quotient = product / (b ^ 3 ? b ^ 3 : 1);
    u128 remainder = (product + a) % b;
    sum = mix(sum, (uint64_t)(product >> 64));
    sum = mix(sum, (uint64_t)(signedProduct >> 64));
    sum = mix(sum, (uint64_t)quotient ^ (uint64_t)(quotient >> 64));
    sum = mix(sum, (uint64_t)remainder);
    sum = mix(sum, (uint64_t)(product >> (i & 127)));
    sum = mix(sum, (uint64_t)((int64_t)a / (int64_t)b));
    sum = mix(sum, (uint64_t)((int64_t)a % (int64_t)b));
    sum = mix(sum, (uint32_t)a / (uint32_t)b + (uint32_t)a % (uint32_t)b);
    sum = mix(sum, (uint64_t)((int32_t)a / (int32_t)(b | 2)));
  }
  return sum;
}
