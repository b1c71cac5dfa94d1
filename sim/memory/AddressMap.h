//===- AddressMap.h - Physical addresses and interleaving -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A physical address is chip | chiplet | space | offset. DRAM and SRAM scratch
// (LLS) are spread over the memory units in granules of
// `memory.interleave_bytes`; a PE window exposes local memory and semaphores
// of every PE. Addresses below kImageBase belong to the issuing PE itself.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MEMORY_ADDRESSMAP_H
#define CHIPWRIGHT_SIM_MEMORY_ADDRESSMAP_H

#include "chips/ChipSpec.h"

#include "sim/core/Divisor.h"

#include <bit>
#include <cstdint>
#include <string>

namespace chipwright::sim {

enum class Space : uint8_t { Local = 0, Dram = 1, Sram = 2, Pe = 3, Host = 4 };

const char *spaceName(Space space);

/// Field positions of a physical address.
inline constexpr unsigned kChipShift = 56, kChipletShift = 52, kSpaceShift = 44;

constexpr uint64_t physicalAddress(Space space, uint64_t offset) {
  return (uint64_t(space) << kSpaceShift) | offset;
}
constexpr Space spaceOf(uint64_t address) {
  return Space(address >> kSpaceShift & 0xff);
}
constexpr uint64_t offsetOf(uint64_t address) {
  return address & ((uint64_t(1) << kSpaceShift) - 1);
}
constexpr unsigned chipOf(uint64_t address) {
  return static_cast<unsigned>(address >> kChipletShift);
}

/// The issuing PE's own local memory and the resident kernel image.
inline constexpr uint64_t kLocalBase = 0x0100'0000;
inline constexpr uint64_t kImageBase = 0x4000'0000;

/// Window of one PE in Space::Pe: local memory, then semaphores.
inline constexpr uint64_t kPeWindowBytes = uint64_t(1) << 24;
inline constexpr uint64_t kPeSemaphoreOffset = uint64_t(1) << 23;
inline constexpr uint64_t kSemaphoreBytes = 8;

constexpr uint64_t peWindow(unsigned pe) {
  return physicalAddress(Space::Pe, pe * kPeWindowBytes);
}

/// Memory unit and place inside it of one granule.
struct UnitAddress {
  unsigned unit;    // SRAM bank, the NoC end point
  unsigned channel; // DRAM channel (Space::Dram only)
  uint64_t offset;  // inside the channel (DRAM) or the bank (SRAM)
};

/// Spreads granules over units. For n units, granule g goes to unit
/// (g mod n), permuted inside each run of n granules by the upper bits (XOR
/// for a power of two, rotation otherwise) so that power-of-two strides do not
/// collapse on one unit.
class Interleave {
public:
  explicit Interleave(const ChipSpec &spec);

  UnitAddress dram(uint64_t offset) const;
  UnitAddress sram(uint64_t offset) const;
  /// Bytes from \p offset to the end of its granule.
  uint64_t granuleRest(uint64_t offset) const {
    return granule - (offset & (granule - 1));
  }
  uint64_t granuleBytes() const { return granule; }

private:
  struct Spread {
    Divisor count;
    bool powerOfTwo;
    unsigned log2;
  };
  static Spread spreadOver(unsigned count);
  /// \returns the unit and replaces \p g by the granule's index inside it.
  unsigned spread(const Spread &over, uint64_t &g) const;

  uint64_t granule;
  unsigned granuleShift;
  bool hash;
  Spread channels, banks;
  Divisor banksPerChannel, channelsPerBank;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MEMORY_ADDRESSMAP_H
