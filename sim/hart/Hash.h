//===- Hash.h - Running 64-bit hash -----------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// FNV-1a taken a 64-bit word at a time instead of a byte at a time: one xor
// and one multiplication an instruction. It tells two control flows apart; it
// is no defence against somebody who looks for collisions.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_HART_HASH_H
#define CHIPWRIGHT_SIM_HART_HASH_H

#include <cstdint>

namespace chipwright::sim {

constexpr uint64_t hashSeed = 0xcbf29ce484222325; // FNV offset basis

constexpr uint64_t hashMix(uint64_t hash, uint64_t word) {
  return (hash ^ word) * 0x100000001b3; // FNV prime
}

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_HART_HASH_H
