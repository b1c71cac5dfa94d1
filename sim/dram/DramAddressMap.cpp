//===- DramAddressMap.cpp - Where a byte lies in a channel ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/DramAddressMap.h"

#include <algorithm>
#include <bit>

using namespace chipwright;
using namespace chipwright::sim;

static unsigned granuleOf(const DramSpec &spec, const MemorySpec &memory) {
  if (spec.ecc || memory.interleaveBytes < spec.accessBytes ||
      !std::has_single_bit(memory.interleaveBytes)) {
    return spec.eccDataBytes;
  }
  return std::min(spec.eccDataBytes, memory.interleaveBytes);
}

static unsigned granulesOf(const DramSpec &spec, unsigned granule) {
  return spec.rowBytes / (granule + (spec.ecc ? spec.accessBytes : 0));
}

DramAddressMap::DramAddressMap(const DramSpec &spec, const MemorySpec &memory)
    : granuleShift(std::countr_zero(granuleOf(spec, memory))),
      groups(spec.bankGroups), numBanks(spec.bankGroups * spec.banksPerGroup),
      pseudoChannels(spec.pseudoChannels),
      granulesPerRow(granulesOf(spec, granuleOf(spec, memory))),
      codeStart(granulesPerRow << granuleShift), accessBytes(spec.accessBytes),
      byLanes(numBanks * pseudoChannels), byRow(granulesPerRow),
      byPseudo(pseudoChannels), byBanks(numBanks) {
  uint64_t lanes = uint64_t(numBanks) * pseudoChannels;
  uint64_t rows = spec.bytes / spec.channels / lanes / spec.rowBytes;
  data = rows * lanes * codeStart;
}

uint64_t DramAddressMap::offsetOf(const DramLocation &place) const {
  uint64_t slot = (place.bank + numBanks - place.row % numBanks) % numBanks;
  uint64_t lane = place.pseudoChannel + pseudoChannels * slot;
  uint64_t turn =
      uint64_t(place.row) * granulesPerRow + (place.column >> granuleShift);
  uint64_t lanes = uint64_t(numBanks) * pseudoChannels;
  return ((turn * lanes + lane) << granuleShift) +
         (place.column & (granuleBytes() - 1));
}
