// SPDX-License-Identifier: Apache-2.0
// CRC-32 (IEEE 802.3) by table and by bit, and CRC-64 (ECMA-182).
#include "support.h"

static uint32_t table[256];

uint64_t run(void) {
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) {
      c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    }
    table[i] = c;
  }
  static const char check[] = "123456789";
  uint32_t known = ~0u;
  for (size_t i = 0; i < strlen(check); ++i) {
    known = table[(known ^ (uint8_t)check[i]) & 255] ^ known >> 8;
  }
  if (~known != 0xcbf43926u) { // the check value of CRC-32
    return 0;
  }
  uint64_t state = 3, sum = 29;
  uint32_t byTable = ~0u, byBit = ~0u;
  uint64_t long64 = 0;
  for (int i = 0; i < 600; ++i) {
    uint8_t byte = (uint8_t)nextRandom(&state);
    byTable = table[(byTable ^ byte) & 255] ^ byTable >> 8;
    byBit ^= byte;
    long64 ^= (uint64_t)byte << 56;
    for (int k = 0; k < 8; ++k) {
      byBit = (byBit >> 1) ^ (0xedb88320u & -(byBit & 1));
      long64 = (long64 << 1) ^ (UINT64_C(0x42f0e1eba9ea3693) & -(long64 >> 63));
    }
    if (byTable != byBit) {
      return 0;
    }
    sum = mix(sum, long64 ^ byBit);
  }
  return sum;
}
