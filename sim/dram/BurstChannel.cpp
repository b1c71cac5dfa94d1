//===- BurstChannel.cpp - DRAM channel by arithmetic ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/BurstChannel.h"

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c) {
  return std::max(std::max(a, b), c);
}

/// Makes room for \p n accesses in the read queue. \returns when the first of
/// them can enter.
uint64_t BurstChannel::readSlot(unsigned n) {
  uint64_t entry = 0;
  if (heldAccesses + n > readQueue) {
    if (heldAccesses >= readQueue) {
      entry = held[heldBegin].firstLeave;
    }
    unsigned need = std::min(heldAccesses + n - readQueue, heldAccesses);
    heldAccesses -= need;
    for (Held *oldest = &held[heldBegin]; need != 0; ++oldest) {
      if (need < oldest->accesses) {
        oldest->accesses -= need;
        oldest->firstLeave += need * burst;
        break;
      }
      need -= oldest->accesses;
      ++heldBegin;
    }
  }
  return entry;
}

/// Puts the list of held slots back to the front once in a while.
void BurstChannel::slideHeld() {
  if (heldBegin >= heldSlide) {
    std::copy(held.begin() + heldBegin, held.begin() + heldEnd, held.begin());
    heldEnd -= heldBegin;
    heldBegin = 0;
  }
}

/// Keeps slots of the read queue taken by \p n accesses to \p row of \p bank.
void BurstChannel::holdSlots(unsigned bank, uint32_t row, uint64_t firstLeave,
                             unsigned n) {
  n = std::min(n, readQueue - heldAccesses);
  slideHeld();
  // A run that was late (its bank was busy) is overtaken by later ones.
  Held *const begin = held.data() + heldBegin;
  Held *at = held.data() + heldEnd++;
  for (; at != begin && at[-1].firstLeave > firstLeave; --at) {
    *at = at[-1];
  }
  *at = {firstLeave, row, static_cast<uint16_t>(n),
         static_cast<uint16_t>(bank)};
  heldAccesses += n;
}

/// \returns the time of the last column command of the run.
template <bool IsWrite>
[[gnu::always_inline]] inline uint64_t
BurstChannel::serve(uint32_t pseudo, uint32_t bankIndex, uint32_t row,
                    unsigned n, uint64_t entry) {
  Pseudo &p = pseudos[pseudo];
  Bank &bank = banks[pseudo * numBanks + bankIndex];
  Group &group = groups[bank.group];
  const uint64_t latency = IsWrite ? wl : rl;
  const uint64_t rcd = IsWrite ? rcdWrite : rcdRead;
  while (true) {
    const bool hit = bank.row == row;
    uint64_t activated = bank.activated, grant = 0;
    uint64_t columns = std::max(columnFree, entry), rows = rowFree;
    columns += n * tck;
    if (!hit) {
      uint64_t ready = std::max(entry, bank.actReady);
      if (bank.row != closed) {
        uint64_t precharge = IsWrite ? writePrecharge(bank) : bank.preReady;
        ready = max3(ready, precharge + rp, entry + rp);
      }
      grant = max3(entry, p.actReady, p.window[p.windowPos]);
      grant = std::max(grant, group.actReady);
      activated = std::max(ready, grant);
      // Precharge and activate; the two-part activate shares the one bus.
      if (splitBuses) {
        rows = std::max(rows, entry) + 2 * tck;
        activated = std::max(activated, rows - tck);
      } else {
        columns += 3 * tck;
      }
    }
    uint64_t dataReady = std::max(activated + rcd, entry) + latency;
    dataReady = std::max(dataReady, columns - n * tck + latency);
    // A run whose bank is late books its group where the bus stands now, so
    // that it does not hold back runs that overtake it. That is not busFree:
    // a run that waits for a refresh leaves the bus idle meanwhile.
    uint64_t groupStart = group.dataReady;
    if (groupStart < dataReady) {
      groupStart =
          std::max(groupStart, std::min(dataReady, p.bus.start(entry, burst)));
    }
    uint64_t groupEnd =
        std::max(dataReady, groupStart) + (n - 1) * ccdLong + burst;
    uint64_t busReady = std::max(dataReady, groupStart);
    const uint64_t due = allBank ? refreshDue : bank.refreshDue;
    // Gaps in the bus matter only to a run that might come before the refresh.
    if (std::max(p.bus.end(), busReady) - latency >= due &&
        p.bus.start(busReady, burst) - latency >= due) {
      if (allBank) {
        refreshAll(std::max(entry, due));
      } else {
        refreshBank(bank, std::max(entry, due));
      }
      continue;
    }
    uint64_t busEnd = p.bus.reserve(busReady, n * burst, burst);
    uint64_t end = std::max(busEnd, groupEnd);
    uint64_t lastCas = end - burst - latency;
    columnFree = columns;
    if (!hit) {
      rowFree = rows;
      p.actReady = grant + rrdShort;
      p.window[p.windowPos] = grant + faw;
      p.windowPos = (p.windowPos + 1) & 3;
      group.actReady = grant + rrdLong;
      bank.row = row;
      bank.activated = activated;
      ++count.activates;
      ++count.rowMisses;
      count.rowHits += n - 1;
    } else {
      count.rowHits += n;
    }
    group.dataReady = groupStart + n * ccdLong;
    bank.preReady =
        std::max(activated + ras, lastCas + (IsWrite ? writeToPre : rtp));
    bank.written = IsWrite;
    if (IsWrite) {
      group.writeEnd = end;
      p.wrote = true;
      // The batch is over when its bus time is: what a bank group still holds
      // back then is written with the next one.
      lastWriteCas = std::max(lastWriteCas, busEnd - burst - latency);
    }
    count.busyFs += n * burst;
    return lastCas;
  }
}

/// Changes to writing at \p time. Reads whose commands were to come later are
/// overtaken: their bus time is taken off now and put back behind the batch.
void BurstChannel::toWrites(uint64_t time) {
  writing = true;
  modeStart = time;
  count.turnarounds += lastReadCas != 0;
  columnDeferred = columnFree - std::min(columnFree, time);
  columnFree -= columnDeferred;
  const uint64_t free = time + rl + burst;
  for (Pseudo &p : pseudos) {
    p.deferred = 0;
    uint64_t busFree = p.bus.end();
    if (busFree > free) {
      p.deferred = busFree - free - p.bus.freeAfter(free);
      busFree = free;
    }
    p.bus.freeOnlyFrom(busFree == 0 ? 0 : busFree + rtwGap);
    p.wrote = false;
  }
  // Only column commands of one direction are spaced by bank group.
  for (Group &group : groups) {
    group.dataReady = 0;
  }
}

void BurstChannel::toReads() {
  const uint64_t overtaken = modeStart;
  writing = false;
  modeStart = lastWriteCas;
  ++count.turnarounds;
  for (unsigned i = 0; i < numPseudo; ++i) {
    Pseudo &p = pseudos[i];
    p.bus.freeOnlyFrom(p.bus.end());
    p.resume = lastWriteCas + tck + rl;
    if (p.wrote) {
      p.resume = std::max(p.resume, p.bus.end() + wtrShort + rl);
    }
    for (unsigned g = 0; g < numGroups; ++g) {
      Group &group = groups[i * numGroups + g];
      group.dataReady = group.writeEnd == 0 ? 0 : group.writeEnd + wtrLong + rl;
    }
    p.reopened = ~uint64_t(0);
  }
  for (unsigned i = heldBegin; i < heldEnd; ++i) {
    const Held &run = held[i];
    if (run.firstLeave > overtaken) {
      reopen(run);
    }
  }
  for (Pseudo &p : pseudos) {
    uint64_t busFree = std::max(p.bus.end(), p.resume);
    if (p.deferred != 0) {
      if (p.reopened != ~uint64_t(0)) {
        busFree = std::max(busFree, p.reopened);
      }
      busFree += p.deferred;
      lastReadCas = std::max(lastReadCas, busFree - burst - rl);
    }
    p.bus.freeOnlyFrom(busFree);
    p.delay = p.resume - std::min(p.resume, overtaken + rl);
  }
  columnFree = std::max(columnFree, lastWriteCas) + columnDeferred;
  // The overtaken reads leave the queue later by the length of the batch.
  for (unsigned i = heldBegin; i < heldEnd; ++i) {
    Held &run = held[i];
    const Pseudo &p = pseudos[run.bank / numBanks];
    if (run.firstLeave > overtaken) {
      // A run that waits for its bank rather than for the bus waits on.
      uint64_t inTurn = std::min(run.firstLeave, overtaken + p.deferred);
      run.firstLeave = std::max(run.firstLeave, inTurn + p.delay);
    }
  }
  for (Pseudo &p : pseudos) {
    p.deferred = 0;
  }
}

/// Opens the row of an overtaken read again if the batch has closed it.
void BurstChannel::reopen(const Held &run) {
  Pseudo &p = pseudos[run.bank / numBanks];
  Bank &bank = banks[run.bank];
  if (bank.row == run.row) {
    p.reopened = std::min(p.reopened,
                          std::max(bank.activated + rcdRead, modeStart) + rl);
    return;
  }
  if (bank.activated >= modeStart) {
    return; // behind the row of an older read
  }
  Group &group = groups[bank.group];
  uint64_t grant = std::max(max3(modeStart, p.actReady, p.window[p.windowPos]),
                            group.actReady);
  uint64_t ready = std::max(bank.actReady, modeStart);
  if (bank.row != closed) {
    ready = max3(ready, bank.preReady + rp, modeStart + rp);
  }
  bank.row = run.row;
  bank.written = false;
  bank.activated = std::max(ready, grant);
  bank.preReady = bank.activated + std::max(ras, rcdRead + rtp);
  p.actReady = grant + rrdShort;
  p.window[p.windowPos] = grant + faw;
  p.windowPos = (p.windowPos + 1) & 3;
  group.actReady = grant + rrdLong;
  p.reopened = std::min(p.reopened, bank.activated + rcdRead + rl);
  ++count.activates;
}

/// When a write can close the row of \p bank. A row held open by reads that
/// the present batch overtakes can be closed earlier than they asked for.
uint64_t BurstChannel::writePrecharge(const Bank &bank) const {
  if (bank.written || bank.preReady <= modeStart) {
    return bank.preReady;
  }
  return bank.activated < modeStart ? std::max(modeStart, bank.activated + ras)
                                    : modeStart;
}

/// Moves the write that can use the bus first to the head of the queue, the
/// oldest of those that need not wait (first-ready, first-come).
void BurstChannel::chooseWrite() {
  uint64_t best = ~uint64_t(0);
  unsigned chosen = 0;
  for (unsigned i = 0; i < writeCount; ++i) {
    const Write &write = writes[wrap(writeHead + i)];
    const Bank &bank = banks[write.pseudo * numBanks + write.bank];
    uint64_t row = bank.activated;
    if (bank.row != write.row) {
      row = std::max(bank.actReady, modeStart);
      if (bank.row != closed) {
        row = std::max(row, writePrecharge(bank) + rp);
      }
    }
    const uint64_t bus = pseudos[write.pseudo].bus.end();
    uint64_t ready = max3(row + rcdWrite, write.entry, bus - std::min(bus, wl));
    if (!allBank && ready >= bank.refreshDue) {
      ready = std::max(ready, bank.refreshDue + rp + rfcBank + rcdWrite);
    }
    if (ready < best) {
      best = ready;
      chosen = i;
    }
  }
  if (chosen != 0) {
    const Write write = writes[wrap(writeHead + chosen)];
    for (unsigned i = chosen; i != 0; --i) {
      writes[wrap(writeHead + i)] = writes[wrap(writeHead + i - 1)];
    }
    writes[writeHead] = write;
  }
}

/// Writes at most \p limit accesses of the oldest run that is ready; if the
/// channel was reading, it changes at \p time.
void BurstChannel::serveWrite(uint64_t time, unsigned limit) {
  if (!writing) {
    toWrites(time);
  }
  if (writeCount > 1) {
    chooseWrite();
  }
  Write &head = writes[writeHead];
  const Write write = head;
  const unsigned n = std::min(write.accesses, limit);
  uint64_t cas = serve<true>(write.pseudo, write.bank, write.row, n,
                             std::max(write.entry, modeStart));
  unsigned pos = wrap(writePos + writeQueue - writeAccesses);
  for (unsigned i = 0; i < n; ++i) {
    writeSlots[pos] = cas - std::min(cas, (n - 1 - i) * burst);
    pos = wrap(pos + 1);
  }
  writeAccesses -= n;
  head.accesses -= n;
  if (head.accesses == 0) {
    --writeCount;
    writeHead = wrap(writeHead + 1);
  }
}

/// Writes from \p time on until fewer than \p level accesses are left. Reads
/// that end before that time leave the bus to writes that came earlier.
void BurstChannel::drainTo(uint64_t time, unsigned level) {
  if (drainFrom != 0) {
    time = drainFrom;
    drainFrom = 0;
  }
  time = std::min(time, std::max(lastReadCas, writes[writeHead].entry));
  while (writeAccesses >= level) {
    serveWrite(time, writeAccesses - level + 1);
  }
}

/// Writes that find no read waiting before \p until. Once writing, the channel
/// goes on to the low watermark even if a read comes meanwhile.
void BurstChannel::drainIdle(uint64_t until) {
  while (writeCount != 0) {
    const Write &write = writes[writeHead];
    uint64_t start = std::max(lastReadCas, write.entry);
    if (writing) {
      const Pseudo &p = pseudos[write.pseudo];
      start = std::max(write.entry, p.bus.end() - std::min(p.bus.end(), wl));
    }
    if (start >= until && !(writing && writeAccesses >= lowAccesses)) {
      return;
    }
    serveWrite(start, writeQueue);
  }
}

[[gnu::always_inline]] inline uint64_t
BurstChannel::readRun(const DramLocation &place, unsigned n, uint64_t arrival) {
  uint64_t slot = readSlot(n);
  if (slot > arrival) {
    blockedUntil = std::max(blockedUntil, slot);
  }
  uint64_t entry = std::max(arrival, blockedUntil);
  if (drainFrom != 0) {
    drainTo(drainFrom, lowAccesses);
  }
  if (writeCount != 0 && lastReadCas < entry) {
    drainIdle(entry);
  }
  if (writing) {
    toReads();
  }
  uint64_t cas = serve<false>(place.pseudoChannel, place.bank, place.row, n,
                              std::max(entry, modeStart));
  lastReadCas = std::max(lastReadCas, cas);
  holdSlots(place.pseudoChannel * numBanks + place.bank, place.row,
            cas - (n - 1) * burst, n);
  return cas + rl + burst;
}

/// \returns the time at which the write queue has taken the run.
uint64_t BurstChannel::writeRun(const DramLocation &place, unsigned n,
                                uint64_t arrival) {
  uint64_t taken = std::max(arrival, blockedUntil);
  while (n != 0) {
    unsigned part = std::min(n, writeQueue);
    while (writeAccesses + part > writeQueue) {
      drainTo(taken, std::max(lowAccesses, part));
    }
    uint64_t slot = 0;
    for (unsigned i = 0; i < part; ++i) {
      slot = std::max(slot, writeSlots[writePos]);
      writePos = writePos + 1 == writeQueue ? 0 : writePos + 1;
    }
    if (slot > taken) {
      taken = slot;
      blockedUntil = std::max(blockedUntil, slot);
    }
    writes[(writeHead + writeCount) % writeQueue] = {
        place.pseudoChannel, place.bank, place.row, part, taken};
    ++writeCount;
    writeAccesses += part;
    n -= part;
    if (writeAccesses > highAccesses && drainFrom == 0) {
      // Writes that follow at once still join the batch; the next read finds
      // the channel writing.
      drainFrom = taken;
    }
  }
  return taken;
}

/// Calls \p run for the part of \p request in each granule: its place, first
/// byte, bytes and column accesses.
template <typename Run>
[[gnu::always_inline]] inline void
BurstChannel::forEachRun(const DramRequest &request, Run run) {
  const unsigned granule = map.granuleBytes();
  uint64_t offset = request.channelOffset;
  uint64_t left = request.bytes;
  if (left == 0) {
    return;
  }
  DramLocation place = map.locate(offset);
  while (true) {
    const unsigned inGranule = static_cast<unsigned>(offset) & (granule - 1);
    const unsigned bytes =
        static_cast<unsigned>(std::min<uint64_t>(left, granule - inGranule));
    const unsigned n = ((inGranule + bytes - 1) >> accessShift) -
                       (inGranule >> accessShift) + 1;
    run(place, inGranule, bytes, n);
    offset += bytes;
    left -= bytes;
    if (left == 0) {
      return;
    }
    if (!map.toNextLane(place)) {
      place = map.locate(offset);
    }
  }
}

/// Whether \p request is one for readGranules(): without writes, no read
/// changes the direction.
bool BurstChannel::readsOn(const DramRequest &request) const {
  const unsigned granule = map.granuleBytes();
  return !writing && writeCount == 0 && drainFrom == 0 &&
         ((request.channelOffset | request.bytes) & (granule - 1)) == 0 &&
         request.bytes - 1 < kMostGranules * granule && !eachRunApart;
}

uint64_t BurstChannel::accessNow(const DramRequest &request) {
  if (request.write) {
    return writeNow(request);
  }
  if (readsOn(request)) {
    return readGranules(request);
  }
  const uint64_t arrival = request.timeFs + controller;
  uint64_t done = arrival;
  forEachRun(request,
             [&](const DramLocation &place, unsigned, unsigned, unsigned n) {
               count.readBytes += uint64_t(n) << accessShift;
               count.eccBytes += ecc ? accessBytes : 0;
               done = std::max(done, readRun(place, n + ecc, arrival));
             });
  return done;
}

uint64_t BurstChannel::writeNow(const DramRequest &request) {
  const uint64_t arrival = request.timeFs + controller;
  uint64_t done = arrival;
  forEachRun(request, [&](const DramLocation &place, unsigned inGranule,
                          unsigned bytes, unsigned n) {
    uint64_t ready = arrival;
    if (ecc && bytes != map.granuleBytes()) {
      // Code of words that this write leaves alone, and data accesses that it
      // covers in part, must be read before they can be written.
      unsigned edges = partialAccesses(inGranule, bytes, accessBytes);
      count.eccBytes += accessBytes;
      count.readBytes += uint64_t(edges) << accessShift;
      ready = readRun(place, 1 + edges, arrival);
    }
    count.writeBytes += uint64_t(n) << accessShift;
    count.eccBytes += ecc ? accessBytes : 0;
    done = std::max(done, writeRun(place, n + ecc, ready));
  });
  return done;
}

void BurstChannel::access(const DramRequest &request) {
  uint64_t done = accessNow(request);
  if (listener) {
    listener->dramDone(request.tag, done);
  }
}
