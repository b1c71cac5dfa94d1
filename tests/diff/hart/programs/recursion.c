// SPDX-License-Identifier: Apache-2.0
// Deep and wide recursion: Ackermann, queens, Hanoi.
#include "support.h"

static uint64_t ackermann(uint64_t m, uint64_t n) {
  if (m == 0) {
    return n + 1;
  }
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static int queens(int row, unsigned columns, unsigned left, unsigned right) {
  if (row == 6) {
    return 1;
  }
  int found = 0;
  for (unsigned free = ~(columns | left | right) & 63; free; free &= free - 1) {
    unsigned bit = free & -free;
    found +=
        queens(row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return found;
}

static uint64_t hanoi(int n, int from, int to, int by, uint64_t sum) {
  if (n == 0) {
    return sum;
  }
  sum = hanoi(n - 1, from, by, to, sum);
  sum = mix(sum, (uint64_t)(n * 16 + from * 4 + to));
  return hanoi(n - 1, by, to, from, sum);
}

uint64_t run(void) {
  uint64_t sum = mix(19, ackermann(2, 9));
  sum = mix(sum, (uint64_t)queens(0, 0, 0, 0));
  return hanoi(9, 0, 1, 2, sum);
}
