//===- DramAddressMap.h - Where a byte lies in a channel --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A channel's data bytes are cut into granules. Consecutive granules go to
// consecutive lanes: first to the pseudo-channels, then to the bank groups,
// then to the banks of a group, and only then to the next column of the same
// rows:
//
//   offset = ((row * granulesPerRow + column) * lanes + lane) * granuleBytes
//            + byte
//   lane   = pseudoChannel + pseudoChannels * slot
//   bank   = (slot + row) mod banks,  bank group = bank mod bankGroups
//
// A granule lies in one row of one bank, so a stream finds the next granule in
// another bank group (column commands at the short distance) and comes back to
// an open row once around. Rotating the banks by the row number keeps two
// streams a power of two apart from meeting in one bank for good.
//
// With the in-line code a row holds granules of eccDataBytes and, behind all
// of them, one column access of code for each: a row of R bytes has
// R / (eccDataBytes + accessBytes) granules (rounded down), the rest of the
// row is unused. Code and data are thus always in one row.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_DRAMADDRESSMAP_H
#define CHIPWRIGHT_SIM_DRAM_DRAMADDRESSMAP_H

#include "chips/ChipSpec.h"

#include <cstdint>

namespace chipwright::sim {

/// Exact division by a run-time constant: quotients of n < 2^64 / divisor.
class ConstantDivisor {
public:
  explicit ConstantDivisor(uint32_t d)
      : divisor(d), magic(d > 1 ? ~uint64_t(0) / d + 1 : 0) {}
  uint64_t quotient(uint64_t n) const {
    return magic ? static_cast<uint64_t>(
                       (static_cast<unsigned __int128>(n) * magic) >> 64)
                 : n;
  }
  uint32_t remainder(uint64_t n, uint64_t q) const {
    return static_cast<uint32_t>(n - q * divisor);
  }

private:
  uint32_t divisor;
  uint64_t magic;
};

/// Place of one byte inside a channel.
struct DramLocation {
  uint32_t pseudoChannel;
  uint32_t bank; // in its pseudo-channel; group = bank % bankGroups
  uint32_t row;
  uint32_t column; // byte in the row
};

/// Column accesses at the two ends of \p bytes bytes from \p start that are
/// covered only in part.
inline unsigned partialAccesses(unsigned start, unsigned bytes,
                                unsigned accessBytes) {
  unsigned first = start / accessBytes;
  unsigned last = (start + bytes - 1) / accessBytes;
  bool head = start % accessBytes != 0;
  bool tail = (start + bytes) % accessBytes != 0;
  return first == last ? (head || tail) : unsigned(head) + unsigned(tail);
}

class DramAddressMap {
public:
  /// \p memory gives the interleave over channels; see granuleBytes().
  DramAddressMap(const DramSpec &spec, const MemorySpec &memory);

  /// With the code, eccDataBytes. Without it, the smaller of that and the
  /// interleave granule, so that switching the code off moves no data.
  unsigned granuleBytes() const { return 1u << granuleShift; }
  /// Data bytes of one channel (the code is not counted).
  uint64_t dataBytes() const { return data; }
  unsigned banks() const { return numBanks; }
  unsigned bankGroupOf(unsigned bank) const { return bank % groups; }

  DramLocation locate(uint64_t offset) const {
    uint64_t granule = offset >> granuleShift;
    uint64_t turn = byLanes.quotient(granule);
    uint32_t lane = byLanes.remainder(granule, turn);
    uint64_t row = byRow.quotient(turn);
    uint32_t column = byRow.remainder(turn, row);
    uint32_t slot = static_cast<uint32_t>(byPseudo.quotient(lane));
    uint64_t turned = slot + row;
    uint32_t bank = byBanks.remainder(turned, byBanks.quotient(turned));
    return {byPseudo.remainder(lane, slot), bank, static_cast<uint32_t>(row),
            (column << granuleShift) +
                static_cast<uint32_t>(offset & (granuleBytes() - 1))};
  }

  /// Moves \p place to the first byte of the next granule if that lies in the
  /// same turn over the lanes. \returns whether it does.
  bool toNextLane(DramLocation &place) const {
    place.column &= ~(granuleBytes() - 1);
    if (++place.pseudoChannel != pseudoChannels) {
      return true;
    }
    place.pseudoChannel = 0;
    place.bank = place.bank + 1 == numBanks ? 0 : place.bank + 1;
    return place.bank !=
           byBanks.remainder(place.row, byBanks.quotient(place.row));
  }

  /// Inverse of locate() for a column inside the data part of a row.
  uint64_t offsetOf(const DramLocation &place) const;

  /// Byte in the row of the code access that protects \p column.
  uint32_t codeColumn(uint32_t column) const {
    return codeStart + (column >> granuleShift) * accessBytes;
  }

private:
  unsigned granuleShift, groups, numBanks, pseudoChannels, granulesPerRow;
  uint32_t codeStart, accessBytes;
  uint64_t data;
  ConstantDivisor byLanes, byRow, byPseudo, byBanks;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_DRAMADDRESSMAP_H
