//===- MoveCommand.cpp - What the memory layout unit does -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/MoveCommand.h"

#include <algorithm>
#include <cstring>

using namespace chipwright::sim;

/// Transposes in square tiles so that both sides stay within a few cache
/// lines. \p Bytes is the element size, 0 for one known only at run time.
template <size_t Bytes> static void transposeTiles(const MoveArgs &args) {
  constexpr unsigned tile = 32;
  const size_t bytes = Bytes == 0 ? args.elementBytes : Bytes;
  for (unsigned row = 0; row < args.rows; row += tile) {
    unsigned rowEnd = std::min(args.rows, row + tile);
    for (unsigned column = 0; column < args.cols; column += tile) {
      unsigned columnEnd = std::min(args.cols, column + tile);
      for (unsigned c = column; c < columnEnd; ++c) {
        uint8_t *dst = args.dst + c * args.dstPitch;
        for (unsigned r = row; r < rowEnd; ++r) {
          std::memcpy(dst + r * bytes, args.src + r * args.srcPitch + c * bytes,
                      bytes);
        }
      }
    }
  }
}

void chipwright::sim::moveTranspose(const MoveArgs &args) {
  switch (args.elementBytes) {
  case 1:
    return transposeTiles<1>(args);
  case 2:
    return transposeTiles<2>(args);
  case 4:
    return transposeTiles<4>(args);
  case 8:
    return transposeTiles<8>(args);
  default:
    return transposeTiles<0>(args);
  }
}

void chipwright::sim::moveCopy(const MoveArgs &args) {
  const size_t bytes = size_t(args.cols) * args.elementBytes;
  for (unsigned row = 0; row < args.rows && bytes > 0; ++row) {
    std::memcpy(args.dst + row * args.dstPitch, args.src + row * args.srcPitch,
                bytes);
  }
}
