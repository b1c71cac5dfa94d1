//===- DramEfficiency.h - Share of peak under a saturating load -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMEFFICIENCY_H
#define CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMEFFICIENCY_H

#include "sim/dram/BurstChannel.h"
#include "sim/dram/CommandChannel.h"
#include "tests/unit/dram/DramTestDevices.h"

#include <memory>
#include <vector>

namespace chipwright::dramtest {

/// A load that rotates over all lanes (pseudo-channels fastest, then bank
/// groups, then banks). A request is `perRequest` column accesses; the row of
/// a bank changes after `perVisit` accesses, the changes of the banks staggered
/// evenly.
struct Load {
  unsigned perVisit, perRequest;
  bool mixed; // each request a read with probability 2/3
  unsigned accesses = 40000;
};

inline std::vector<sim::DramRequest> requests(const DramSpec &spec,
                                              const Load &load, uint64_t seed,
                                              unsigned total) {
  MemorySpec mem = memory();
  sim::DramAddressMap map(spec, mem);
  Random random(seed);
  unsigned pseudos = spec.pseudoChannels;
  unsigned lanes = pseudos * map.banks();
  unsigned perRow = spec.rowBytes / spec.accessBytes;
  std::vector<uint64_t> position(lanes);
  for (unsigned i = 0; i < lanes; ++i) {
    position[i] =
        uint64_t(i) * load.perVisit / lanes / load.perRequest * load.perRequest;
  }
  std::vector<sim::DramRequest> list;
  for (unsigned i = 0; i * load.perRequest < total; ++i) {
    unsigned lane = i % lanes;
    uint64_t at = position[lane];
    position[lane] += load.perRequest;
    sim::DramLocation place{};
    place.pseudoChannel = lane % pseudos;
    place.bank = lane / pseudos;
    place.row = static_cast<uint32_t>(at / load.perVisit);
    place.column =
        static_cast<uint32_t>(at % load.perVisit % perRow) * spec.accessBytes;
    bool write = load.mixed && random.below(3) == 0;
    list.push_back(
        {0, map.offsetOf(place), load.perRequest * spec.accessBytes, write, i});
  }
  return list;
}

/// Per cent of the pins' rate, after 1000 clocks of warm-up.
inline double efficiency(const DramSpec &spec, DramLevel level,
                         const Load &load, uint64_t seed) {
  MemorySpec mem = memory();
  sim::DramTiming timing(spec);
  uint64_t warm = timing.toFs(1000);
  uint64_t access = timing.toFs(timing.burst);
  unsigned total = load.accesses + 4000;
  auto list = requests(spec, load, seed, total);
  if (level == DramLevel::Command) {
    sim::CommandChannel channel(spec, mem);
    for (const sim::DramRequest &r : list) {
      channel.access(r);
    }
    channel.advanceTo(warm);
    uint64_t before = channel.counters().busyFs;
    uint64_t want = before + load.accesses * access;
    uint64_t end = warm;
    while (channel.counters().busyFs < want) {
      uint64_t next = channel.nextEventFs();
      if (next == sim::DramChannel::noEvent) {
        break;
      }
      channel.advanceTo(next);
      end = next;
    }
    return 100.0 * double(channel.counters().busyFs - before) /
           spec.pseudoChannels / double(end - warm);
  }
  // The burst level does not say when a write is written; the time of the
  // whole list less that of its first part is the same measure.
  auto run = [&](size_t n) {
    sim::BurstChannel channel(spec, mem);
    for (size_t i = 0; i < n; ++i) {
      channel.accessNow(list[i]);
    }
    uint64_t end = channel.quiesce(0);
    return std::pair<uint64_t, uint64_t>(channel.counters().busyFs, end);
  };
  auto [busy0, end0] = run(list.size() / 10);
  auto [busy1, end1] = run(list.size());
  return 100.0 * double(busy1 - busy0) / spec.pseudoChannels /
         double(end1 - end0);
}

} // namespace chipwright::dramtest

#endif // CHIPWRIGHT_TESTS_UNIT_DRAM_DRAMEFFICIENCY_H
