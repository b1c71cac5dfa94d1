// SPDX-License-Identifier: Apache-2.0
// Structures by value of all register classes, bit fields, function pointers.
#include "support.h"

struct Pair {
  int32_t a;
  double b;
};
struct Big {
  uint64_t v[5];
};
struct Mixed {
  float x, y;
};
struct Fields {
  unsigned low : 3;
  int middle : 11;
  unsigned high : 18;
};

static __attribute__((noinline)) struct Pair swapPair(struct Pair p, int k) {
  struct Pair r = {(int32_t)p.b + k, p.a * 0.5};
  return r;
}
static __attribute__((noinline)) struct Big rotate(struct Big b, unsigned by) {
  struct Big r;
  for (unsigned i = 0; i < 5; ++i) {
    r.v[i] = b.v[(i + by) % 5] + by;
  }
  return r;
}
static __attribute__((noinline)) struct Mixed turn(struct Mixed m) {
  struct Mixed r = {-m.y, m.x};
  return r;
}
static __attribute__((noinline)) uint64_t many(int a, long b, char c, short d,
                                               float e, double f, int g, long h,
                                               int i, double j, struct Mixed k,
                                               long l) {
  return (uint64_t)(a + b + c + d + (long)e + (long)f + g + h + i + (long)j +
                    (long)k.x + (long)k.y + l);
}
static uint64_t twice(uint64_t x) { return 2 * x; }
static uint64_t square(uint64_t x) { return x * x; }
static uint64_t (*const table[])(uint64_t) = {twice, square};

uint64_t run(void) {
  uint64_t sum = 17;
  struct Pair p = {5, 3.25};
  struct Big b = {{1, 2, 3, 4, 5}};
  struct Mixed m = {1.5f, -2.5f};
  struct Fields f = {0, 0, 0};
  for (int i = 0; i < 60; ++i) {
    p = swapPair(p, i);
    b = rotate(b, (unsigned)i);
    m = turn(m);
    f.low += 3;
    f.middle -= 77;
    f.high += 12345;
    sum = mix(sum, (uint64_t)(int64_t)p.a);
    sum = mix(sum, bitsOfDouble(p.b));
    sum = mix(sum, b.v[i % 5]);
    sum = mix(sum, bitsOfFloat(m.x));
    sum = mix(sum, f.low + (uint64_t)(int64_t)f.middle + f.high);
    sum = mix(sum, many(i, i * 3L, (char)i, (short)-i, 1.5f * (float)i, 2.5, i,
                        7, 8, 9.75, m, 1L << (i & 31)));
    sum = table[i & 1](sum);
  }
  return sum;
}
