// SPDX-License-Identifier: Apache-2.0
// What a freestanding compiler may call, and the checksum of the programs.
#ifndef CHIPWRIGHT_TESTS_DIFF_HART_PROGRAMS_SUPPORT_H
#define CHIPWRIGHT_TESTS_DIFF_HART_PROGRAMS_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

// The program: returns a checksum of everything it computed.
uint64_t run(void);

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

static inline uint64_t mix(uint64_t sum, uint64_t value) {
  return (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (sum >> 29);
}

static inline uint64_t bitsOfDouble(double value) {
  union {
    double d;
    uint64_t u;
  } cast = {value};
  return cast.u;
}

static inline uint32_t bitsOfFloat(float value) {
  union {
    float f;
    uint32_t u;
  } cast = {value};
  return cast.u;
}

// A small generator of test data (xorshift64*, Vigna 2016).
static inline uint64_t nextRandom(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(2685821657736338717);
}

#endif // CHIPWRIGHT_TESTS_DIFF_HART_PROGRAMS_SUPPORT_H
