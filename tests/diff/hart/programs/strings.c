// SPDX-License-Identifier: Apache-2.0
// Byte and halfword work: reversal, search, overlapping moves, UTF-16.
#include "support.h"

static char buffer[600];
static uint16_t wide[600];

static int find(const char *text, const char *pattern) {
  size_t n = strlen(text), m = strlen(pattern);
  for (size_t i = 0; i + m <= n; ++i) {
    if (memcmp(text + i, pattern, m) == 0) {
      return (int)i;
    }
  }
  return -1;
}

uint64_t run(void) {
  uint64_t sum = 5;
  static const char *const words[] = {"hart", "queue",  "barrier", "tile",
                                      "row",  "column", "bank",    "mesh"};
  size_t length = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 8; ++i) {
      const char *word = words[(i * 5 + round) & 7];
      size_t n = strlen(word);
      memcpy(buffer + length, word, n);
      length += n;
      buffer[length++] = (char)('0' + (round + i) % 10);
    }
  }
  buffer[length] = 0;
  for (int i = 0; i < 8; ++i) {
    sum = mix(sum, (uint64_t)(int64_t)find(buffer, words[i]));
  }
  memmove(buffer + 7, buffer, 300);
  memmove(buffer + 50, buffer + 61, 200);
  for (size_t i = 0, j = length - 1; i < j; ++i, --j) {
    char t = buffer[i];
    buffer[i] = buffer[j];
    buffer[j] = t;
  }
  for (size_t i = 0; i < length; ++i) {
    wide[i] = (uint16_t)(buffer[i] * 257 + (signed char)(buffer[i] ^ 0x80));
    sum = mix(sum, wide[i]);
    sum = mix(sum, (uint64_t)(int16_t)wide[i]);
  }
  return mix(sum, length);
}
