//===- StateHash.h - Hash of a sequence of state words ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_STATEHASH_H
#define CHIPWRIGHT_SIM_DRAM_STATEHASH_H

#include <cstdint>

namespace chipwright::sim {

/// Order-dependent 64-bit hash with the mixing function of SplitMix64
/// (Steele, Lea, Flood, OOPSLA 2014); the same on every machine.
class StateHash {
public:
  void add(uint64_t word) {
    uint64_t z = state + 0x9e3779b97f4a7c15u + word;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    state = z ^ (z >> 31);
  }
  uint64_t value() const { return state; }

private:
  uint64_t state = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_STATEHASH_H
