//===- BurstChannelState.cpp - Set-up, refresh, canonical -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/BurstChannel.h"

#include "sim/dram/StateHash.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace chipwright;
using namespace chipwright::sim;

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c) {
  return std::max(std::max(a, b), c);
}

BurstChannel::BurstChannel(const DramSpec &spec, const MemorySpec &memory)
    : timing(spec), map(spec, memory),
      accessShift(std::countr_zero(spec.accessBytes)),
      accessBytes(spec.accessBytes), numBanks(map.banks()),
      numGroups(spec.bankGroups), numPseudo(spec.pseudoChannels), ecc(spec.ecc),
      allBank(spec.refresh == DramRefresh::AllBank),
      splitBuses(spec.kind == DramKind::Hbm3), readQueue(spec.readQueue),
      writeQueue(spec.writeQueue),
      highAccesses(static_cast<unsigned>(spec.drainHigh * spec.writeQueue)),
      lowAccesses(std::max(1u, static_cast<unsigned>(std::ceil(
                                   spec.drainLow * spec.writeQueue)))),
      controller(static_cast<uint64_t>(std::llround(spec.controllerNs * 1e6))),
      tck(timing.tckFs), burst(timing.toFs(timing.burst)),
      rl(timing.toFs(timing.rl)), wl(timing.toFs(timing.wl)),
      rcdRead(timing.toFs(timing.rcdRead)),
      rcdWrite(timing.toFs(timing.rcdWrite)), rp(timing.toFs(timing.rp)),
      rpAll(timing.toFs(timing.rpAll)), ras(timing.toFs(timing.ras)),
      rtp(timing.toFs(timing.rtp)),
      writeToPre(timing.toFs(timing.writeToPrecharge())),
      ccdLong(timing.toFs(timing.ccdLong)),
      rrdShort(timing.toFs(timing.rrdShort)),
      rrdLong(timing.toFs(timing.rrdLong)), faw(timing.toFs(timing.faw)),
      wtrShort(timing.toFs(timing.wtrShort)),
      wtrLong(timing.toFs(timing.wtrLong)), rtwGap(timing.toFs(timing.rtwGap)),
      refi(timing.toFs(timing.refi)), rfcAll(timing.toFs(timing.rfcAll)),
      rfcBank(timing.toFs(timing.rfcBank)),
      bankRefi(timing.toFs(timing.refi) / map.banks()) {
  banks.resize(numPseudo * numBanks);
  groups.resize(numPseudo * numGroups);
  pseudos.resize(numPseudo);
  held.resize(readQueue + 2 + heldSlide + kMostGranules);
  writeSlots.resize(writeQueue);
  writes.resize(writeQueue);
  reset();
}

void BurstChannel::clearState(uint64_t time) {
  for (unsigned i = 0; i < banks.size(); ++i) {
    unsigned group = i / numBanks * numGroups + map.bankGroupOf(i % numBanks);
    banks[i] = {closed, static_cast<uint16_t>(group),        false, 0, 0,
                0,      time + (i % numBanks + 1) * bankRefi};
  }
  std::fill(groups.begin(), groups.end(), Group{});
  std::fill(pseudos.begin(), pseudos.end(), Pseudo{});
  std::fill(writeSlots.begin(), writeSlots.end(), 0);
  heldBegin = heldEnd = heldAccesses = 0;
  writePos = writeHead = writeCount = writeAccesses = 0;
  writing = false;
  blockedUntil = drainFrom = modeStart = lastReadCas = lastWriteCas = 0;
  columnFree = columnDeferred = rowFree = 0;
  refreshDue = time + refi;
  epoch = time;
}

void BurstChannel::reset() {
  clearState(0);
  count = DramCounters();
}

/// \p seen is a time at or after which the refresh stands in the way; due
/// dates that passed while the channel was idle are counted, only the last of
/// them can still block anything.
void BurstChannel::refreshAll(uint64_t seen) {
  if (seen - refreshDue >= refi) {
    uint64_t missed = (seen - refreshDue) / refi;
    count.refreshes += missed * numPseudo;
    refreshDue += missed * refi;
  }
  uint64_t start = refreshDue;
  for (const Bank &bank : banks) {
    start = max3(start, bank.row == closed ? 0 : bank.preReady + rpAll,
                 bank.actReady);
  }
  // A row open at the due date must be closed first.
  for (Bank &bank : banks) {
    if (bank.row != closed) {
      start = std::max(start, refreshDue + rpAll);
    }
  }
  for (Bank &bank : banks) {
    bank.row = closed;
    bank.actReady = start + rfcAll;
  }
  count.refreshes += numPseudo;
  refreshDue += refi;
}

void BurstChannel::refreshBank(Bank &bank, uint64_t seen) {
  if (seen - bank.refreshDue >= refi) {
    uint64_t missed = (seen - bank.refreshDue) / refi;
    count.refreshes += missed;
    bank.refreshDue += missed * refi;
  }
  uint64_t start = bank.row == closed
                       ? std::max(bank.refreshDue, bank.actReady)
                       : std::max(bank.refreshDue, bank.preReady) + rp;
  bank.row = closed;
  bank.actReady = start + rfcBank;
  ++count.refreshes;
  bank.refreshDue += refi;
}

uint64_t BurstChannel::drain() {
  while (writeCount != 0) {
    serveWrite(std::max(lastReadCas, writes[writeHead].entry), writeQueue);
  }
  uint64_t time = epoch;
  for (const Pseudo &p : pseudos) {
    time = std::max(time, p.bus.end());
  }
  return time;
}

uint64_t BurstChannel::quiesce(uint64_t fs) {
  drain();
  if (writing) {
    toReads(); // puts overtaken reads back
  }
  uint64_t time = std::max(fs, epoch);
  for (const Pseudo &p : pseudos) {
    time = std::max(time, p.bus.end());
  }
  if (allBank && time >= refreshDue) {
    refreshAll(time);
  }
  for (Bank &bank : banks) {
    if (!allBank && time >= bank.refreshDue) {
      refreshBank(bank, time);
    }
    time = max3(time, bank.row == closed ? 0 : bank.preReady, bank.actReady);
  }
  // Precharge all, then the refresh that sets the phase to zero.
  time += rpAll + rfcAll;
  count.refreshes += numPseudo;
  clearState(time);
  return time;
}

uint64_t BurstChannel::digest() const {
  StateHash hash;
  auto time = [&](uint64_t t) { hash.add(t == 0 ? 0 : t - epoch); };
  for (const Bank &bank : banks) {
    hash.add(bank.row);
    hash.add(bank.written);
    time(bank.activated);
    time(bank.preReady);
    time(bank.actReady);
    time(bank.refreshDue);
  }
  for (const Group &group : groups) {
    time(group.actReady);
    time(group.dataReady);
    time(group.writeEnd);
  }
  for (const Pseudo &p : pseudos) {
    time(p.actReady);
    for (unsigned i = 0; i < 4; ++i) {
      time(p.window[(p.windowPos + i) & 3]);
    }
    time(p.bus.end());
    p.bus.forEachGap([&](uint64_t from, uint64_t until) {
      time(from);
      time(until);
    });
    hash.add(p.wrote);
    hash.add(p.deferred);
  }
  for (unsigned i = heldBegin; i < heldEnd; ++i) {
    time(held[i].firstLeave);
    hash.add(held[i].accesses);
  }
  for (unsigned i = 0; i < writeQueue; ++i) {
    time(writeSlots[(writePos + i) % writeQueue]);
  }
  for (unsigned i = 0; i < writeCount; ++i) {
    const Write &write = writes[(writeHead + i) % writeQueue];
    hash.add(write.pseudo);
    hash.add(write.bank);
    hash.add(write.row);
    hash.add(write.accesses);
    time(write.entry);
  }
  hash.add(writing);
  hash.add(columnDeferred);
  for (uint64_t t : {blockedUntil, drainFrom, modeStart, lastReadCas,
                     lastWriteCas, columnFree, rowFree, refreshDue}) {
    time(t);
  }
  return hash.value();
}
