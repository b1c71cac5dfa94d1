//===- BlockFormat.cpp - Quantised blocks of GGUF tensors -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/quantised/BlockFormat.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

namespace chipwright::models {

namespace {

// In the order of the enumeration.
constexpr BlockLayout layouts[] = {
    {"Q4_0", BlockFormat::Q4_0, 2, 32, 18},
    {"Q4_1", BlockFormat::Q4_1, 3, 32, 20},
    {"Q5_0", BlockFormat::Q5_0, 6, 32, 22},
    {"Q5_1", BlockFormat::Q5_1, 7, 32, 24},
    {"Q8_0", BlockFormat::Q8_0, 8, 32, 34},
    {"Q4_K", BlockFormat::Q4_K, 12, 256, 144},
    {"Q5_K", BlockFormat::Q5_K, 13, 256, 176},
    {"Q6_K", BlockFormat::Q6_K, 14, 256, 210},
    {"MXFP4", BlockFormat::MXFP4, 39, 32, 17},
};

constexpr bool inOrder() {
  for (size_t i = 0; i < std::size(layouts); ++i) {
    if (static_cast<size_t>(layouts[i].format) != i ||
        layouts[i].elements > maxBlockElements) {
      return false;
    }
  }
  return true;
}
static_assert(inOrder());

float halfAt(const uint8_t *place) {
  uint16_t bits;
  std::memcpy(&bits, place, sizeof(bits));
  return floatOfHalf(bits);
}

uint32_t wordAt(const uint8_t *place) {
  uint32_t word;
  std::memcpy(&word, place, sizeof(word));
  return word;
}

/// Nibbles of 16 bytes: the low ones are elements 0..15, the high ones 16..31.
unsigned nibble(const uint8_t *bytes, unsigned j) {
  return j < 16 ? bytes[j] & 15 : bytes[j - 16] >> 4;
}

void decodeQ40(const uint8_t *block, float *target) {
  float d = halfAt(block);
  for (unsigned j = 0; j < 32; ++j) {
    target[j] =
        d * static_cast<float>(static_cast<int>(nibble(block + 2, j)) - 8);
  }
}

void decodeQ41(const uint8_t *block, float *target) {
  float d = halfAt(block), m = halfAt(block + 2);
  for (unsigned j = 0; j < 32; ++j) {
    target[j] = d * static_cast<float>(nibble(block + 4, j)) + m;
  }
}

void decodeQ50(const uint8_t *block, float *target) {
  float d = halfAt(block);
  uint32_t high = wordAt(block + 2);
  for (unsigned j = 0; j < 32; ++j) {
    unsigned q = nibble(block + 6, j) | (high >> j & 1) << 4;
    target[j] = d * static_cast<float>(static_cast<int>(q) - 16);
  }
}

void decodeQ51(const uint8_t *block, float *target) {
  float d = halfAt(block), m = halfAt(block + 2);
  uint32_t high = wordAt(block + 4);
  for (unsigned j = 0; j < 32; ++j) {
    unsigned q = nibble(block + 8, j) | (high >> j & 1) << 4;
    target[j] = d * static_cast<float>(q) + m;
  }
}

void decodeQ80(const uint8_t *block, float *target) {
  float d = halfAt(block);
  for (unsigned j = 0; j < 32; ++j) {
    target[j] = static_cast<float>(static_cast<int8_t>(block[2 + j])) * d;
  }
}

/// The eight pairs of 6-bit scales and minima in twelve bytes.
struct ScalePair {
  unsigned scale, minimum;
};

ScalePair scalePair(const uint8_t *b, unsigned j) {
  auto bits = [b](unsigned place, unsigned shift, unsigned mask) {
    return static_cast<unsigned>(b[place]) >> shift & mask;
  };
  if (j < 4) {
    return {bits(j, 0, 63), bits(j + 4, 0, 63)};
  }
  return {bits(j + 4, 0, 15) | bits(j - 4, 6, 3) << 4,
          bits(j + 4, 4, 15) | bits(j, 6, 3) << 4};
}

/// Q4_K and Q5_K: eight sub-blocks of 32; two share 32 bytes of nibbles. \p
/// high is null or has bit s of byte l for element l of sub-block s.
void decodeWithMinima(const uint8_t *block, const uint8_t *high,
                      const uint8_t *nibbles, float *target) {
  float d = halfAt(block), least = halfAt(block + 2);
  for (unsigned s = 0; s < 8; ++s) {
    ScalePair pair = scalePair(block + 4, s);
    float scale = d * static_cast<float>(pair.scale);
    float minimum = least * static_cast<float>(pair.minimum);
    const uint8_t *bytes = nibbles + s / 2 * 32;
    for (unsigned l = 0; l < 32; ++l) {
      unsigned q = s % 2 == 0 ? bytes[l] & 15 : bytes[l] >> 4;
      if (high) {
        q |= (high[l] >> s & 1u) << 4;
      }
      target[s * 32 + l] = scale * static_cast<float>(q) - minimum;
    }
  }
}

void decodeQ6K(const uint8_t *block, float *target) {
  const uint8_t *scales = block + 192;
  float d = halfAt(block + 208);
  for (unsigned half = 0; half < 2; ++half) {
    const uint8_t *low = block + half * 64;
    const uint8_t *high = block + 128 + half * 32;
    for (unsigned quarter = 0; quarter < 4; ++quarter) {
      for (unsigned l = 0; l < 32; ++l) {
        uint8_t byte = low[quarter % 2 * 32 + l];
        unsigned q = (quarter < 2 ? byte & 15u : byte >> 4u) |
                     (high[l] >> 2 * quarter & 3u) << 4;
        unsigned place = half * 128 + quarter * 32 + l;
        float scale =
            d * static_cast<float>(static_cast<int8_t>(scales[place / 16]));
        target[place] = scale * static_cast<float>(static_cast<int>(q) - 32);
      }
    }
  }
}

void decodeMxfp4(const uint8_t *block, float *target) {
  // Twice the E2M1 values; the scale is halved instead. Code 8 is a positive
  // zero and scale 255 a number in ggml, and so here.
  static constexpr int8_t doubled[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                         0, -1, -2, -3, -4, -6, -8, -12};
  uint32_t e = block[0];
  float half = std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
  for (unsigned j = 0; j < 32; ++j) {
    target[j] = half * static_cast<float>(doubled[nibble(block + 1, j)]);
  }
}

} // namespace

const BlockLayout &blockLayout(BlockFormat format) {
  return layouts[static_cast<size_t>(format)];
}

const BlockLayout *findBlockLayout(uint32_t type) {
  for (const BlockLayout &layout : layouts) {
    if (layout.ggufType == type) {
      return &layout;
    }
  }
  return nullptr;
}

void decodeBlock(BlockFormat format, const std::byte *block, float *target) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(block);
  switch (format) {
  case BlockFormat::Q4_0:
    return decodeQ40(bytes, target);
  case BlockFormat::Q4_1:
    return decodeQ41(bytes, target);
  case BlockFormat::Q5_0:
    return decodeQ50(bytes, target);
  case BlockFormat::Q5_1:
    return decodeQ51(bytes, target);
  case BlockFormat::Q8_0:
    return decodeQ80(bytes, target);
  case BlockFormat::Q4_K:
    return decodeWithMinima(bytes, nullptr, bytes + 16, target);
  case BlockFormat::Q5_K:
    return decodeWithMinima(bytes, bytes + 16, bytes + 48, target);
  case BlockFormat::Q6_K:
    return decodeQ6K(bytes, target);
  case BlockFormat::MXFP4:
    return decodeMxfp4(bytes, target);
  }
}

void BlockSource::read(int64_t first, int64_t count, float *target) const {
  auto size = static_cast<int64_t>(layout.elements);
  float values[maxBlockElements];
  while (count > 0) {
    const std::byte *block =
        data + first / size * static_cast<int64_t>(layout.bytes);
    int64_t skip = first % size;
    int64_t n = std::min(size - skip, count);
    if (n == size) {
      decodeBlock(layout.format, block, target);
    } else {
      decodeBlock(layout.format, block, values);
      std::copy_n(values + skip, n, target);
    }
    first += n;
    count -= n;
    target += n;
  }
}

} // namespace chipwright::models
