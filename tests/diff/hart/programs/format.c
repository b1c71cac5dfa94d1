// SPDX-License-Identifier: Apache-2.0
// Numbers to text and back: integers in any base, binary64 with six digits.
#include "support.h"

static char *putInteger(char *to, uint64_t value, unsigned base) {
  char digits[65];
  int n = 0;
  do {
    digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base];
    value /= base;
  } while (value);
  while (n) {
    *to++ = digits[--n];
  }
  *to = 0;
  return to;
}

static char *putDouble(char *to, double value) {
  if (value != value) {
    memcpy(to, "nan", 4);
    return to + 3;
  }
  if (value < 0) {
    *to++ = '-';
    value = -value;
  }
  int exponent = 0;
  if (value > 0) {
    while (value >= 10) {
      value /= 10;
      ++exponent;
    }
    while (value < 1) {
      value *= 10;
      --exponent;
    }
  }
  for (int i = 0; i < 7; ++i) {
    int digit = (int)value;
    *to++ = (char)('0' + digit);
    if (i == 0) {
      *to++ = '.';
    }
    value = (value - digit) * 10;
  }
  *to++ = 'e';
  if (exponent < 0) {
    *to++ = '-';
    exponent = -exponent;
  }
  return putInteger(to, (uint64_t)exponent, 10);
}

static double getDouble(const char *text) {
  double value = 0, scale = 1;
  int exponent = 0, down = 0, negative = *text == '-';
  text += negative;
  for (int point = 0; *text && *text != 'e'; ++text) {
    if (*text == '.') {
      point = 1;
    } else {
      value = value * 10 + (*text - '0');
      scale *= point ? 10 : 1;
    }
  }
  if (*text == 'e') {
    ++text;
    down = *text == '-';
    for (text += down; *text; ++text) {
      exponent = exponent * 10 + (*text - '0');
    }
  }
  value /= scale;
  while (exponent--) {
    value = down ? value / 10 : value * 10;
  }
  return negative ? -value : value;
}

uint64_t run(void) {
  char text[128];
  uint64_t state = 31, sum = 31;
  static const double values[] = {0.0,    1.0,        -2.5,    3.14159265358979,
                                  1e-300, 6.02214e23, 1e22,    -7.0 / 3,
                                  0.1,    123456.789, 9.9999e9};
  for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); ++i) {
    char *end = putDouble(text, values[i]);
    for (char *c = text; c < end; ++c) {
      sum = mix(sum, (uint8_t)*c);
    }
    sum = mix(sum, bitsOfDouble(getDouble(text)));
  }
  for (unsigned base = 2; base <= 36; ++base) {
    char *end = putInteger(text, nextRandom(&state), base);
    for (char *c = text; c < end; ++c) {
      sum = mix(sum, (uint8_t)*c);
    }
  }
  return sum;
}
