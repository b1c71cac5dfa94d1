//===- BlockQuantisation.h - Blocks as 4-bit numbers and a scale -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Stored weights of 4 bits: each row is cut into blocks of 32 columns, and a
// block becomes 32 codes and one scale,
//
//   int4    q x s, q an integer of -8 to 7, s in bf16
//   MXFP4   p x s, p of fp4 e2m1, s a power of two (e8m0), as OCP MX has it
//
// A last block that is not full is filled up with code 0. Two codes share a
// byte, the even column in the low half. Of two scales that come into question
// for a block the one with the smaller error is taken; a block whose elements
// are numbers of MXFP4 under any scale is therefore kept exactly.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_BLOCKQUANTISATION_H
#define CHIPWRIGHT_MODELS_BLOCKQUANTISATION_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chipwright::models {

enum class BlockType : uint8_t { Int4, Mxfp4 };

/// Columns of a block.
inline constexpr int64_t kBlockColumns = 32;

/// \returns the form whose codes are of \p type, or nothing.
std::optional<BlockType> blockTypeOf(DType type);
/// \returns the form called "int4" or "mxfp4", or nothing.
std::optional<BlockType> blockTypeFromName(std::string_view name);
const char *blockTypeName(BlockType type);

/// Types of codes and scales.
DType codeType(BlockType type);
DType scaleType(BlockType type);

constexpr int64_t blocksOf(int64_t columns) {
  return (columns + kBlockColumns - 1) / kBlockColumns;
}
/// Bytes of the codes and of the scales of a row.
constexpr int64_t codeBytes(int64_t columns) {
  return blocksOf(columns) * kBlockColumns / 2;
}
int64_t scaleBytes(BlockType type, int64_t columns);

/// Encodes the \p columns elements of \p row: codeBytes() to \p codes and
/// scaleBytes() to \p scales.
void encodeRow(BlockType type, const float *row, int64_t columns,
               uint8_t *codes, uint8_t *scales);

/// \returns element \p column of what encodeRow() wrote. The product of code
/// and scale is exact in fp32, except below its smallest number.
float decodedElement(BlockType type, const uint8_t *codes,
                     const uint8_t *scales, int64_t column);

/// Replaces each element of \p row by the number that stands for it; the row is
/// encoded as fp32.
template <typename T>
void replaceByBlocks(BlockType type, T *row, int64_t columns);

extern template void replaceByBlocks<float>(BlockType, float *, int64_t);
extern template void replaceByBlocks<double>(BlockType, double *, int64_t);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_BLOCKQUANTISATION_H
