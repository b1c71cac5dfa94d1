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

/// The first place in the list of free times that has room for an access at or
/// after \p ready. Gaps end in order, and none is too short.
unsigned BurstChannel::busPlace(const Pseudo &p, uint64_t ready) const {
  uint64_t before = 0; // counted without branches, which nothing predicts
  for (unsigned i = 0; i < maxGaps; ++i) {
    before += (p.freeUntil[i] - (ready + burst)) >> 63;
  }
  return static_cast<unsigned>(before);
}

/// First time at or after \p ready at which the bus has room for an access.
uint64_t BurstChannel::busStart(const Pseudo &p, uint64_t ready) const {
  return std::max(p.freeFrom[busPlace(p, ready)], ready);
}

/// Makes room for \p n accesses in the read queue. \returns when the first of
/// them can enter.
uint64_t BurstChannel::readSlot(unsigned n) {
  uint64_t entry = 0;
  if (heldAccesses + n > readQueue) {
    if (heldAccesses >= readQueue) {
      entry = held[heldHead].firstLeave;
    }
    unsigned need = std::min(heldAccesses + n - readQueue, heldAccesses);
    heldAccesses -= need;
    while (need != 0) {
      Held &oldest = held[heldHead];
      unsigned take = std::min(need, oldest.accesses);
      oldest.accesses -= take;
      oldest.firstLeave += take * burst;
      need -= take;
      if (oldest.accesses == 0) {
        heldHead = (heldHead + 1) & heldMask;
        --heldCount;
      }
    }
  }
  return entry;
}

void BurstChannel::holdSlots(const DramLocation &place, uint64_t firstLeave,
                             unsigned n) {
  n = std::min(n, readQueue - heldAccesses);
  unsigned at = heldCount++;
  // A run that was late (its bank was busy) is overtaken by later ones.
  while (at != 0) {
    const Held &before = held[(heldHead + at - 1) & heldMask];
    if (before.firstLeave <= firstLeave) {
      break;
    }
    held[(heldHead + at) & heldMask] = before;
    --at;
  }
  held[(heldHead + at) & heldMask] = {firstLeave, n, place.pseudoChannel,
                                      place.bank, place.row};
  heldAccesses += n;
}

/// Takes \p n access times on the bus from \p ready on, in idle times left
/// behind and then at the end. \returns the end of the last one.
uint64_t BurstChannel::reserveBus(Pseudo &p, unsigned n, uint64_t ready) {
  uint64_t need = n * burst;
  unsigned at = busPlace(p, ready);
  while (true) {
    const uint64_t from = p.freeFrom[at], until = p.freeUntil[at];
    const uint64_t start = std::max(from, ready);
    const uint64_t room = until - start;
    const uint64_t take = room >= need ? need : room / burst * burst;
    const uint64_t end = start + take;
    // What is left on either side is there for runs that are ready sooner or
    // come later.
    const unsigned head = from + burst <= start;
    const unsigned tail = end + burst <= until;
    using Block = std::array<uint64_t, maxGaps>;
    Block laterFrom, laterUntil;
    std::copy_n(p.freeFrom.begin() + at + 1, maxGaps, laterFrom.begin());
    std::copy_n(p.freeUntil.begin() + at + 1, maxGaps, laterUntil.begin());
    p.freeUntil[at] = start;
    p.freeFrom[at + head] = end;
    p.freeUntil[at + head] = until;
    at += head + tail;
    std::copy_n(laterFrom.begin(), maxGaps, p.freeFrom.begin() + at);
    std::copy_n(laterUntil.begin(), maxGaps, p.freeUntil.begin() + at);
    p.numGaps += head + tail - 1;
    if (p.numGaps > maxGaps) {
      // The oldest gap makes room.
      std::copy(p.freeFrom.begin() + 1, p.freeFrom.begin() + maxGaps + 2,
                p.freeFrom.begin());
      std::copy(p.freeUntil.begin() + 1, p.freeUntil.begin() + maxGaps + 2,
                p.freeUntil.begin());
      --p.numGaps;
      --at;
    }
    need -= take;
    if (need == 0) {
      return end;
    }
  }
}

/// \returns the time of the last column command of the run.
template <bool IsWrite>
uint64_t BurstChannel::serve(uint32_t pseudo, uint32_t bankIndex, uint32_t row,
                             unsigned n, uint64_t entry) {
  Pseudo &p = pseudos[pseudo];
  Bank &bank = banks[pseudo * numBanks + bankIndex];
  Group &group = groups[pseudo * numGroups + groupOf[bankIndex]];
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
          std::max(groupStart, std::min(dataReady, busStart(p, entry)));
    }
    uint64_t groupEnd =
        std::max(dataReady, groupStart) + (n - 1) * ccdLong + burst;
    uint64_t busReady = std::max(dataReady, groupStart);
    const uint64_t due = allBank ? refreshDue : bank.refreshDue;
    // Gaps in the bus matter only to a run that might come before the refresh.
    if (std::max(p.busFree(), busReady) - latency >= due &&
        busStart(p, busReady) - latency >= due) {
      if (allBank) {
        refreshAll(std::max(entry, due));
      } else {
        refreshBank(bank, std::max(entry, due));
      }
      continue;
    }
    uint64_t busEnd = reserveBus(p, n, busReady);
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
    p.lastCas = std::max(p.lastCas, lastCas);
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
    uint64_t busFree = p.busFree();
    if (busFree > free) {
      p.deferred = busFree - free;
      for (unsigned i = 0; i < p.numGaps; ++i) {
        if (p.freeUntil[i] > free) {
          p.deferred -= p.freeUntil[i] - std::max(p.freeFrom[i], free);
        }
      }
      busFree = free;
    }
    p.freeOnlyFrom(busFree == 0 ? 0 : busFree + rtwGap);
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
    p.freeOnlyFrom(p.busFree());
    p.resume = lastWriteCas + tck + rl;
    if (p.wrote) {
      p.resume = std::max(p.resume, p.busFree() + wtrShort + rl);
    }
    for (unsigned g = 0; g < numGroups; ++g) {
      Group &group = groups[i * numGroups + g];
      group.dataReady = group.writeEnd == 0 ? 0 : group.writeEnd + wtrLong + rl;
    }
    p.reopened = ~uint64_t(0);
  }
  for (unsigned i = 0; i < heldCount; ++i) {
    const Held &run = held[(heldHead + i) & heldMask];
    if (run.firstLeave > overtaken) {
      reopen(run);
    }
  }
  for (Pseudo &p : pseudos) {
    uint64_t busFree = std::max(p.busFree(), p.resume);
    if (p.deferred != 0) {
      if (p.reopened != ~uint64_t(0)) {
        busFree = std::max(busFree, p.reopened);
      }
      busFree += p.deferred;
      lastReadCas = std::max(lastReadCas, busFree - burst - rl);
    }
    p.freeOnlyFrom(busFree);
    p.delay = p.resume - std::min(p.resume, overtaken + rl);
  }
  columnFree = std::max(columnFree, lastWriteCas) + columnDeferred;
  // The overtaken reads leave the queue later by the length of the batch.
  for (unsigned i = 0; i < heldCount; ++i) {
    Held &run = held[(heldHead + i) & heldMask];
    const Pseudo &p = pseudos[run.pseudo];
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
  Pseudo &p = pseudos[run.pseudo];
  Bank &bank = banks[run.pseudo * numBanks + run.bank];
  if (bank.row == run.row) {
    p.reopened = std::min(p.reopened,
                          std::max(bank.activated + rcdRead, modeStart) + rl);
    return;
  }
  if (bank.activated >= modeStart) {
    return; // behind the row of an older read
  }
  Group &group = groups[run.pseudo * numGroups + groupOf[run.bank]];
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
    const uint64_t bus = pseudos[write.pseudo].busFree();
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
      start = std::max(write.entry, p.busFree() - std::min(p.busFree(), wl));
    }
    if (start >= until && !(writing && writeAccesses >= lowAccesses)) {
      return;
    }
    serveWrite(start, writeQueue);
  }
}

uint64_t BurstChannel::readRun(const DramLocation &place, unsigned n,
                               uint64_t arrival) {
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
  holdSlots(place, cas - (n - 1) * burst, n);
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

uint64_t BurstChannel::accessNow(const DramRequest &request) {
  const uint64_t arrival = request.timeFs + controller;
  const unsigned granule = map.granuleBytes();
  uint64_t offset = request.channelOffset;
  uint64_t left = request.bytes;
  uint64_t done = arrival;
  while (left != 0) {
    const DramLocation place = map.locate(offset);
    const unsigned inGranule = static_cast<unsigned>(offset) & (granule - 1);
    const unsigned bytes =
        static_cast<unsigned>(std::min<uint64_t>(left, granule - inGranule));
    const unsigned n = ((inGranule + bytes - 1) >> accessShift) -
                       (inGranule >> accessShift) + 1;
    if (!request.write) {
      count.readBytes += uint64_t(n) << accessShift;
      count.eccBytes += ecc ? accessBytes : 0;
      done = std::max(done, readRun(place, n + ecc, arrival));
    } else {
      uint64_t ready = arrival;
      if (ecc && bytes != granule) {
        // Code of words that this write leaves alone, and data accesses that
        // it covers in part, must be read before they can be written.
        unsigned edges = partialAccesses(inGranule, bytes, accessBytes);
        count.eccBytes += accessBytes;
        count.readBytes += uint64_t(edges) << accessShift;
        ready = readRun(place, 1 + edges, arrival);
      }
      count.writeBytes += uint64_t(n) << accessShift;
      count.eccBytes += ecc ? accessBytes : 0;
      done = std::max(done, writeRun(place, n + ecc, ready));
    }
    offset += bytes;
    left -= bytes;
  }
  return done;
}

void BurstChannel::access(const DramRequest &request) {
  uint64_t done = accessNow(request);
  if (listener) {
    listener->dramDone(request.tag, done);
  }
}
