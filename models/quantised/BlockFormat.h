//===- BlockFormat.h - Quantised blocks of GGUF tensors ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A tensor of such a type is a sequence of blocks, each of which holds 32 or
// 256 consecutive elements of a row and their scales. The layouts are those of
// the public ggml library; values are computed operation by operation as the
// `gguf` Python package computes them, so that the two agree in every bit.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_QUANTISED_BLOCKFORMAT_H
#define CHIPWRIGHT_MODELS_QUANTISED_BLOCKFORMAT_H

#include "models/TensorStore.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chipwright::models {

enum class BlockFormat : uint8_t {
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q4_K,
  Q5_K,
  Q6_K,
  MXFP4,
};

/// Elements of the largest block.
inline constexpr unsigned maxBlockElements = 256;

struct BlockLayout {
  std::string_view name;
  BlockFormat format;
  uint32_t ggufType; // number in GGUF files
  unsigned elements; // per block
  unsigned bytes;    // per block
};

const BlockLayout &blockLayout(BlockFormat format);

/// \returns the layout of the GGUF type number \p type.
const BlockLayout *findBlockLayout(uint32_t type);

/// Writes the elements of the block at \p block, which need not be aligned, to
/// \p target. Infinite and NaN scales give what IEEE arithmetic gives.
void decodeBlock(BlockFormat format, const std::byte *block, float *target);

/// Elements of consecutive blocks, decoded when they are read.
class BlockSource : public ElementSource {
public:
  /// \p blocks stay valid as long as the source is used.
  BlockSource(BlockFormat blockFormat, const std::byte *blocks)
      : layout(blockLayout(blockFormat)), data(blocks) {}

  void read(int64_t first, int64_t count, float *target) const override;
  std::string_view format() const override { return layout.name; }

private:
  const BlockLayout &layout;
  const std::byte *data;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_QUANTISED_BLOCKFORMAT_H
