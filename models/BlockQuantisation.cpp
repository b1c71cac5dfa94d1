//===- BlockQuantisation.cpp - Blocks as 4-bit numbers and a scale --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/BlockQuantisation.h"

#include "models/quantised/SmallFloat.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

namespace chipwright::models {

std::optional<BlockType> blockTypeOf(DType type) {
  return type == DType::I4       ? std::optional(BlockType::Int4)
         : type == DType::F4E2M1 ? std::optional(BlockType::Mxfp4)
                                 : std::nullopt;
}

std::optional<BlockType> blockTypeFromName(std::string_view name) {
  for (BlockType type : {BlockType::Int4, BlockType::Mxfp4}) {
    if (name == blockTypeName(type)) {
      return type;
    }
  }
  return std::nullopt;
}

const char *blockTypeName(BlockType type) {
  return type == BlockType::Int4 ? "int4" : "mxfp4";
}

DType codeType(BlockType type) {
  return type == BlockType::Int4 ? DType::I4 : DType::F4E2M1;
}

DType scaleType(BlockType type) {
  return type == BlockType::Int4 ? DType::BF16 : DType::F8E8M0;
}

int64_t scaleBytes(BlockType type, int64_t columns) {
  return blocksOf(columns) * int64_t(dtypeBytes(scaleType(type)));
}

namespace {

/// Codes and scale of one block.
struct Block {
  uint16_t scale = 0; // bits of its type
  uint8_t codes[kBlockColumns] = {};
};

float scaleOf(BlockType type, uint16_t bits) {
  return type == BlockType::Int4
             ? std::bit_cast<float>(static_cast<uint32_t>(bits) << 16)
             : floatOfE8m0(static_cast<uint8_t>(bits));
}

float numberOf(BlockType type, uint8_t code) {
  return type == BlockType::Int4 ? static_cast<float>(int(code ^ 8u) - 8)
                                 : floatOfSmall(SmallFloat::E2M1, code);
}

/// fp32 to bf16, to nearest even; NaN stays one.
uint16_t bf16Bits(float value) {
  if (std::isnan(value)) {
    return 0x7fc0;
  }
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The code nearest to \p value / \p scale.
uint8_t nearestCode(BlockType type, float value, float scale) {
  // Neither a scale of 0 nor one that is no number tells elements apart.
  if (!(scale > 0) || !std::isfinite(scale)) {
    return 0;
  }
  const double quotient =
      static_cast<double>(value) / static_cast<double>(scale);
  if (type == BlockType::Mxfp4) {
    return smallOfFloat(SmallFloat::E2M1, static_cast<float>(quotient));
  }
  const double integer = std::clamp(std::nearbyint(quotient), -8.0, 7.0);
  return static_cast<uint8_t>(static_cast<int>(integer) & 0xf);
}

/// Encodes with a given scale. \returns the sum of squared errors.
double encodeWith(BlockType type, std::span<const float> values, Block &block) {
  const float scale = scaleOf(type, block.scale);
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    block.codes[i] = nearestCode(type, values[i], scale);
    // In fp32, where it may overflow; then the other scale is better.
    const float kept = numberOf(type, block.codes[i]) * scale;
    const double off =
        static_cast<double>(kept) - static_cast<double>(values[i]);
    error += off * off;
  }
  return error;
}

Block encodeBlock(BlockType type, std::span<const float> values) {
  float largest = 0;
  for (float value : values) {
    largest = std::isnan(value) ? value : std::max(largest, std::fabs(value));
    if (std::isnan(largest)) {
      break;
    }
  }
  Block first, second;
  if (type == BlockType::Int4) {
    // -8 may stand for the largest magnitude if that is negative.
    first.scale = bf16Bits(largest / 7);
    second.scale = bf16Bits(largest / 8);
  } else {
    // The scale of OCP MX, with which quotients from 6 to 8 become 6, and the
    // next one.
    first.scale = mxScale(SmallFloat::E2M1, largest);
    second.scale = static_cast<uint16_t>(first.scale < 0xfe ? first.scale + 1
                                                            : first.scale);
  }
  const double firstError = encodeWith(type, values, first),
               secondError = encodeWith(type, values, second);
  return secondError < firstError ? second : first;
}

} // namespace

void encodeRow(BlockType type, const float *row, int64_t columns,
               uint8_t *codes, uint8_t *scales) {
  for (int64_t first = 0; first < columns; first += kBlockColumns) {
    const auto count =
        static_cast<size_t>(std::min(kBlockColumns, columns - first));
    const Block block = encodeBlock(type, {row + first, count});
    for (int64_t i = 0; i < kBlockColumns; i += 2) {
      *codes++ = static_cast<uint8_t>(block.codes[i] | block.codes[i + 1] << 4);
    }
    if (type == BlockType::Int4) {
      std::memcpy(scales, &block.scale, sizeof(block.scale));
      scales += sizeof(block.scale);
    } else {
      *scales++ = static_cast<uint8_t>(block.scale);
    }
  }
}

float decodedElement(BlockType type, const uint8_t *codes,
                     const uint8_t *scales, int64_t column) {
  const int64_t block = column / kBlockColumns;
  uint16_t bits = 0;
  if (type == BlockType::Int4) {
    std::memcpy(&bits, scales + 2 * block, sizeof(bits));
  } else {
    bits = scales[block];
  }
  const auto code =
      static_cast<uint8_t>(codes[column / 2] >> (column % 2 * 4) & 0xf);
  return numberOf(type, code) * scaleOf(type, bits);
}

template <typename T>
void replaceByBlocks(BlockType type, T *row, int64_t columns) {
  for (int64_t first = 0; first < columns; first += kBlockColumns) {
    const int64_t count = std::min(kBlockColumns, columns - first);
    float values[kBlockColumns];
    std::copy_n(row + first, count, values);
    const Block block = encodeBlock(type, {values, static_cast<size_t>(count)});
    const float scale = scaleOf(type, block.scale);
    for (int64_t i = 0; i < count; ++i) {
      row[first + i] = static_cast<T>(numberOf(type, block.codes[i]) * scale);
    }
  }
}

template void replaceByBlocks<float>(BlockType, float *, int64_t);
template void replaceByBlocks<double>(BlockType, double *, int64_t);

} // namespace chipwright::models
