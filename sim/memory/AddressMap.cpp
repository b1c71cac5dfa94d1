//===- AddressMap.cpp -----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"

using namespace chipwright;
using namespace chipwright::sim;

const char *sim::spaceName(Space space) {
  switch (space) {
  case Space::Local:
    return "local memory";
  case Space::Dram:
    return "DRAM";
  case Space::Sram:
    return "SRAM";
  case Space::Pe:
    return "PE window";
  case Space::Host:
    return "host memory";
  }
  return "no memory";
}

Interleave::Spread Interleave::spreadOver(unsigned count) {
  return {Divisor(count), std::has_single_bit(count),
          static_cast<unsigned>(std::bit_width(count) - 1)};
}

Interleave::Interleave(const ChipSpec &spec)
    : granule(spec.memory.interleaveBytes),
      granuleShift(static_cast<unsigned>(std::countr_zero(granule))),
      hash(spec.memory.interleaveHash),
      channels(spreadOver(spec.dram.channels)),
      banks(spreadOver(spec.sram.banks)),
      banksPerChannel(std::max(1u, spec.sram.banks / spec.dram.channels)),
      channelsPerBank(std::max(1u, spec.dram.channels / spec.sram.banks)) {}

unsigned Interleave::spread(const Spread &over, uint64_t &g) const {
  if (over.powerOfTwo) {
    unsigned unit = static_cast<unsigned>(g) & (over.count.value() - 1);
    g >>= over.log2;
    if (hash && over.log2) {
      uint64_t fold = g ^ (g >> over.log2) ^ (g >> 2 * over.log2);
      unit ^= static_cast<unsigned>(fold) & (over.count.value() - 1);
    }
    return unit;
  }
  uint64_t run = g / over.count;
  uint64_t unit = g - run * over.count.value();
  g = run;
  if (hash) {
    unit += (run ^ (run >> over.log2) ^ (run >> 2 * over.log2)) % over.count;
    unit -= unit >= over.count.value() ? over.count.value() : 0;
  }
  return static_cast<unsigned>(unit);
}

UnitAddress Interleave::dram(uint64_t offset) const {
  uint64_t g = offset >> granuleShift;
  unsigned channel = spread(channels, g);
  unsigned unit = static_cast<unsigned>(channel / channelsPerBank *
                                            banksPerChannel.value() +
                                        g % banksPerChannel);
  return {unit, channel, (g << granuleShift) | (offset & (granule - 1))};
}

UnitAddress Interleave::sram(uint64_t offset) const {
  uint64_t g = offset >> granuleShift;
  unsigned bank = spread(banks, g);
  return {bank, 0, (g << granuleShift) | (offset & (granule - 1))};
}
