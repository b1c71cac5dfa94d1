//===- MoveCommand.h - What the memory layout unit does ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_MOVECOMMAND_H
#define CHIPWRIGHT_SIM_NUMERICS_MOVECOMMAND_H

#include <cstddef>
#include <cstdint>

namespace chipwright::sim {

/// A rows x cols matrix of raw elements. Source and destination do not
/// overlap; no bit changes.
struct MoveArgs {
  unsigned rows = 0, cols = 0; // of the source
  unsigned elementBytes = 0;   // 1 or more
  const uint8_t *src = nullptr;
  size_t srcPitch = 0; // bytes from one row of the source to the next
  uint8_t *dst = nullptr;
  size_t dstPitch = 0; // bytes from one row of the destination to the next
};

/// dst[column][row] = src[row][column]; the destination has cols rows.
void moveTranspose(const MoveArgs &args);

/// dst[row][column] = src[row][column].
void moveCopy(const MoveArgs &args);

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_MOVECOMMAND_H
