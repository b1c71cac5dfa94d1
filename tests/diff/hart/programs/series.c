// SPDX-License-Identifier: Apache-2.0
// Sums of series, Newton iteration and conversions in binary64 and binary32.
#include "support.h"

static double squareRoot(double x) {
  double guess = x > 1 ? x : 1;
  for (int i = 0; i < 60; ++i) {
    guess = 0.5 * (guess + x / guess);
  }
  return guess;
}

static double exponential(double x) {
  double term = 1, sum = 1;
  for (int i = 1; i < 40; ++i) {
    term *= x / i;
    sum += term;
  }
  return sum;
}

uint64_t run(void) {
  uint64_t sum = 11;
  double pi = 0;
  float harmonic = 0;
  for (int i = 0; i < 500; ++i) {
    pi += (i & 1 ? -4.0 : 4.0) / (2 * i + 1);
    harmonic += 1.0f / (float)(i + 1);
  }
  sum = mix(sum, bitsOfDouble(pi));
  sum = mix(sum, bitsOfFloat(harmonic));
  for (int i = -12; i < 12; ++i) {
    double x = i * 1.37;
    sum = mix(sum, bitsOfDouble(exponential(x)));
    sum = mix(sum, bitsOfDouble(squareRoot(x < 0 ? -x : x + 0.1)));
    sum = mix(sum, bitsOfFloat((float)(x * 1e-30)));
    sum = mix(sum, (uint64_t)(int64_t)(x * 1e9));
    sum = mix(sum, (uint64_t)(int32_t)(float)(x * 1e5));
    sum = mix(sum, (uint64_t)(x < -3) * 2 + (uint64_t)(x >= 2.5));
  }
  double tiny = 1;
  for (int i = 0; i < 1100; ++i) {
    tiny *= 0.5; // through the subnormal numbers to zero
    sum = mix(sum, bitsOfDouble(tiny));
  }
  return sum;
}
