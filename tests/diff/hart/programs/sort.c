// SPDX-License-Identifier: Apache-2.0
// Quicksort and heap sort of signed and unsigned keys.
#include "support.h"

enum { count = 700 };
static int64_t keys[count];
static uint32_t small[count];

static void quickSort(int64_t *a, int low, int high) {
  while (low < high) {
    int64_t pivot = a[low + (high - low) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) {
        ++i;
      }
      while (a[j] > pivot) {
        --j;
      }
      if (i <= j) {
        int64_t t = a[i];
        a[i++] = a[j];
        a[j--] = t;
      }
    }
    if (j - low < high - i) {
      quickSort(a, low, j);
      low = i;
    } else {
      quickSort(a, i, high);
      high = j;
    }
  }
}

static void sift(uint32_t *a, int root, int end) {
  for (int child; (child = 2 * root + 1) < end; root = child) {
    if (child + 1 < end && a[child] < a[child + 1]) {
      ++child;
    }
    if (a[root] >= a[child]) {
      return;
    }
    uint32_t t = a[root];
    a[root] = a[child];
    a[child] = t;
  }
}

uint64_t run(void) {
  uint64_t state = 42, sum = 1;
  for (int i = 0; i < count; ++i) {
    keys[i] = (int64_t)nextRandom(&state);
    small[i] = (uint32_t)nextRandom(&state);
  }
  quickSort(keys, 0, count - 1);
  for (int i = count / 2 - 1; i >= 0; --i) {
    sift(small, i, count);
  }
  for (int end = count - 1; end > 0; --end) {
    uint32_t t = small[0];
    small[0] = small[end];
    small[end] = t;
    sift(small, 0, end);
  }
  for (int i = 0; i < count; ++i) {
    sum = mix(sum, (uint64_t)keys[i]);
    sum = mix(sum, small[i]);
    if (i && (keys[i - 1] > keys[i] || small[i - 1] > small[i])) {
      return 0;
    }
  }
  return sum;
}
