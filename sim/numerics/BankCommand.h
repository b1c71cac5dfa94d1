//===- BankCommand.h - What bank.init and reduce commands do ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Accumulator banks hold 32-bit words: fp32, or int32 where int8 operands are
// multiplied. The word type is not stored; the commands that use a bank agree
// on it (drain names it as F32 or I32).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NUMERICS_BANKCOMMAND_H
#define CHIPWRIGHT_SIM_NUMERICS_BANKCOMMAND_H

#include "chips/ChipSpec.h"
#include "sim/numerics/HostIsa.h"

#include <cstddef>
#include <cstdint>

namespace chipwright::sim {

/// The `kind` of a bank.init command; values are the encodings.
enum class BankInitKind : uint8_t { Zero = 0, Tile = 1, PerColumn = 2 };

struct BankInitArgs {
  BankInitKind kind = BankInitKind::Zero;
  unsigned rows = 0, cols = 0;
  const uint8_t *src = nullptr;
  size_t srcPitch = 0; // bytes; unused by PerColumn
  /// Integer sources (I8, I32) make int32 words, all others fp32 words.
  DType dtype = DType::F32;
  uint32_t *bank = nullptr;
  size_t bankPitch = 0; // words from one row to the next
};

/// Preloads a rows x cols rectangle of a bank.
void bankInit(const BankInitArgs &args, HostIsa isa = hostIsa());

struct BankAddArgs {
  unsigned rows = 0, cols = 0;
  bool integer = false; // words are int32, added modulo 2^32
  const uint32_t *incoming = nullptr;
  size_t incomingPitch = 0; // words
  uint32_t *bank = nullptr;
  size_t bankPitch = 0; // words
};

/// bank = bank + incoming, word by word: one station of the reduction network.
void bankAdd(const BankAddArgs &args, HostIsa isa = hostIsa());

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NUMERICS_BANKCOMMAND_H
