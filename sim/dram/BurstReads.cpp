//===- BurstReads.cpp - Reads of whole granules ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The times of readRun() for what long streams consist of: whole granules,
// read from a channel that has no writes. What changes from run to run stays
// in registers, lengths of a run are worked out once, and there are no branches
// on what only the state of the banks knows.
//
//===----------------------------------------------------------------------===//

#include "sim/dram/BurstChannel.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c) {
  return std::max(std::max(a, b), c);
}

/// \p a where \p mask is set, else \p b.
static uint64_t pick(uint64_t mask, uint64_t a, uint64_t b) {
  return b ^ ((a ^ b) & mask);
}

/// \returns the time of the last column command. readRun() and serve() say what
/// each step is for.
[[gnu::always_inline]] inline uint64_t
BurstChannel::readOn(Reads &r, const RunTimes &run, unsigned pseudo,
                     unsigned bankIndex, uint32_t row, uint64_t arrival) {
  // Queue slots.
  uint64_t slot;
  unsigned hold = run.accesses;
  const Held *const oldest = r.heldBegin;
  if (r.heldAccesses == readQueue && oldest->accesses == run.accesses)
      [[likely]] {
    slot = oldest->firstLeave;
    ++r.heldBegin;
  } else {
    slot = readSlot(r, hold);
    hold = std::min(hold, readQueue - r.heldAccesses);
    r.heldAccesses += hold;
  }
  r.blockedUntil = std::max(r.blockedUntil, slot > arrival ? slot : 0);
  const uint64_t entry = max3(arrival, r.blockedUntil, modeStart);

  Pseudo &p = pseudos[pseudo];
  Bank &bank = banks[bankIndex];
  Group &group = groups[bank.group];
  uint64_t lastCas;
  while (true) {
    // Whether the row is open is nothing that a predictor of the host could
    // know: both cases are computed.
    const uint64_t miss = bank.row == row ? 0 : ~uint64_t(0);
    uint64_t &window = p.window[p.windowPos];
    const uint64_t grant =
        std::max(max3(entry, p.actReady, window), group.actReady);
    uint64_t activated = std::max(bank.actReady, grant);
    if (bank.row != closed) [[likely]] {
      activated = std::max(activated, std::max(bank.preReady, entry) + rp);
    }
    uint64_t column = std::max(r.columnFree, entry), rows = r.rowFree;
    if (splitBuses) {
      rows = std::max(rows, entry) + 2 * tck;
      activated = std::max(activated, rows - tck);
    } else {
      column += miss & (3 * tck);
    }
    activated = pick(miss, activated, bank.activated);
    const uint64_t dataReady = std::max(activated + rcdRead, column) + rl;
    const uint64_t groupStart = std::max(
        group.dataReady, std::min(dataReady, p.bus.start(entry, burst)));
    const uint64_t busReady = std::max(dataReady, group.dataReady);
    const uint64_t due = allBank ? refreshDue : bank.refreshDue;
    if (std::max(p.bus.end(), busReady) - rl >= due &&
        p.bus.start(busReady, burst) - rl >= due) [[unlikely]] {
      if (allBank) {
        refreshAll(std::max(entry, due));
      } else {
        refreshBank(bank, std::max(entry, due));
      }
      continue;
    }
    const uint64_t busEnd = p.bus.reserve(busReady, run.bus, burst);
    const uint64_t end = std::max(busEnd, busReady + run.inGroup);
    lastCas = end - burst - rl;
    r.columnFree = column + run.columns;
    r.rowFree = pick(miss, rows, r.rowFree);
    p.actReady = pick(miss, grant + rrdShort, p.actReady);
    window = pick(miss, grant + faw, window);
    p.windowPos = (p.windowPos - static_cast<unsigned>(miss)) & 3;
    group.actReady = pick(miss, grant + rrdLong, group.actReady);
    group.dataReady = groupStart + run.group;
    bank.row = row;
    bank.written = false;
    bank.activated = activated;
    bank.preReady = std::max(activated + ras, lastCas + rtp);
    r.activates -= miss;
    break;
  }

  // A run that was late (its bank was busy) is overtaken by later ones.
  const uint64_t firstLeave = lastCas - run.beforeLast;
  Held *at = r.heldEnd++;
  for (; at != r.heldBegin && at[-1].firstLeave > firstLeave; --at) {
    *at = at[-1];
  }
  *at = {firstLeave, row, static_cast<uint16_t>(hold),
         static_cast<uint16_t>(bankIndex)};
  r.lastReadCas = std::max(r.lastReadCas, lastCas);
  return lastCas;
}

uint64_t BurstChannel::readSlot(Reads &r, unsigned n) {
  heldBegin = static_cast<unsigned>(r.heldBegin - held.data());
  heldAccesses = r.heldAccesses;
  const uint64_t slot = readSlot(n);
  r.heldBegin = held.data() + heldBegin;
  r.heldAccesses = heldAccesses;
  return slot;
}

uint64_t BurstChannel::readGranules(const DramRequest &request) {
  const uint64_t arrival = request.timeFs + controller;
  slideHeld();
  Reads r{blockedUntil,
          columnFree,
          rowFree,
          lastReadCas,
          held.data() + heldBegin,
          held.data() + heldEnd,
          heldAccesses,
          0};
  const unsigned granule = map.granuleBytes();
  const RunTimes run(*this, ((granule - 1) >> accessShift) + 1 + ecc);
  const unsigned runs = request.bytes / granule;
  DramLocation place = map.locate(request.channelOffset);
  uint64_t last = 0;
  for (unsigned i = 1;; ++i) {
    const unsigned bank = place.pseudoChannel * numBanks + place.bank;
    last = std::max(
        last, readOn(r, run, place.pseudoChannel, bank, place.row, arrival));
    if (i == runs) {
      break;
    }
    if (!map.toNextLane(place)) [[unlikely]] {
      place = map.locate(request.channelOffset + uint64_t(i) * granule);
    }
  }
  blockedUntil = r.blockedUntil;
  columnFree = r.columnFree;
  rowFree = r.rowFree;
  lastReadCas = r.lastReadCas;
  heldBegin = static_cast<unsigned>(r.heldBegin - held.data());
  heldEnd = static_cast<unsigned>(r.heldEnd - held.data());
  heldAccesses = r.heldAccesses;
  count.readBytes += uint64_t(runs) * (run.accesses - ecc) << accessShift;
  count.eccBytes += ecc ? runs * accessBytes : 0;
  count.activates += r.activates;
  count.rowMisses += r.activates;
  count.rowHits += uint64_t(runs) * run.accesses - r.activates;
  count.busyFs += runs * run.bus;
  return last + rl + burst;
}
