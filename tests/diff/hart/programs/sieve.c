// SPDX-License-Identifier: Apache-2.0
// Primes in a bit map, and modular powers that test them.
#include "support.h"

enum { limit = 4000 };
static uint64_t composite[limit / 64 + 1];

static uint64_t powerMod(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1;
  for (base %= modulus; exponent; exponent >>= 1) {
    if (exponent & 1) {
      result = result * base % modulus;
    }
    base = base * base % modulus;
  }
  return result;
}

uint64_t run(void) {
  uint64_t sum = 23;
  unsigned primes = 0;
  for (unsigned i = 2; i < limit; ++i) {
    if (composite[i / 64] >> (i % 64) & 1) {
      continue;
    }
    ++primes;
    if (i > 2 && powerMod(2, i - 1, i) != 1) {
      return 0;
    }
    sum = mix(sum, i);
    for (unsigned j = i * i; j < limit; j += i) {
      composite[j / 64] |= UINT64_C(1) << (j % 64);
    }
  }
  return mix(sum, primes);
}
