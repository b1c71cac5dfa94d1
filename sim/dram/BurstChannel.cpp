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

/// First time at or after \p ready at which the bus has room for an access.
uint64_t BurstChannel::busStart(const Pseudo &p, uint64_t ready) const {
  // Gaps are in order of time; most lie before `ready` for good.
  if (p.numGaps != 0 && ready + burst <= p.gaps[p.numGaps - 1].end) {
    for (unsigned i = 0; i < p.numGaps; ++i) {
      uint64_t start = std::max(p.gaps[i].start, ready);
      if (start + burst <= p.gaps[i].end) {
        return start;
      }
    }
  }
  return std::max(p.busFree, ready);
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

void BurstChannel::holdSlots(uint32_t pseudo, uint64_t firstLeave, unsigned n) {
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
  held[(heldHead + at) & heldMask] = {firstLeave, n, pseudo};
  heldAccesses += n;
}

/// Adds \p gap at place \p at of the list; the oldest gap makes room for it.
void BurstChannel::addGap(Pseudo &p, unsigned at, Gap gap) {
  if (p.numGaps == maxGaps) {
    std::copy(p.gaps.begin() + 1, p.gaps.begin() + at, p.gaps.begin());
    p.gaps[at - 1] = gap;
    return;
  }
  std::copy_backward(p.gaps.begin() + at, p.gaps.begin() + p.numGaps,
                     p.gaps.begin() + p.numGaps + 1);
  p.gaps[at] = gap;
  ++p.numGaps;
}

/// Takes \p n access times on the bus from \p ready on, in idle times left
/// behind and then at the end. \returns the end of the last one.
uint64_t BurstChannel::reserveBus(Pseudo &p, unsigned n, uint64_t ready) {
  uint64_t need = n * burst;
  if (p.numGaps != 0 && ready + burst <= p.gaps[p.numGaps - 1].end) {
    for (unsigned i = 0; i < p.numGaps;) {
      Gap &gap = p.gaps[i];
      const uint64_t start = std::max(gap.start, ready);
      if (start + burst > gap.end) {
        ++i;
        continue;
      }
      const uint64_t room = gap.end - start;
      const uint64_t take = room >= need ? need : room / burst * burst;
      const uint64_t end = start + take;
      // What is left on either side is there for runs that are ready sooner
      // or come later.
      const bool head = gap.start + burst <= start;
      const bool tail = end + burst <= gap.end;
      if (head && tail) {
        const Gap rest{end, gap.end};
        gap.end = start;
        addGap(p, i + 1, rest);
      } else if (head) {
        gap.end = start;
        ++i;
      } else if (tail) {
        gap.start = end;
      } else {
        std::copy(p.gaps.begin() + i + 1, p.gaps.begin() + p.numGaps,
                  p.gaps.begin() + i);
        --p.numGaps;
      }
      need -= take;
      if (need == 0) {
        return end;
      }
    }
  }
  const uint64_t start = std::max(p.busFree, ready);
  if (start >= p.busFree + burst) {
    addGap(p, p.numGaps, {p.busFree, start});
  }
  p.busFree = start + need;
  return p.busFree;
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
    uint64_t groupStart =
        std::max(group.dataReady, std::min(dataReady, busStart(p, entry)));
    uint64_t groupEnd =
        std::max(dataReady, groupStart) + (n - 1) * ccdLong + burst;
    uint64_t busReady = std::max(dataReady, groupStart);
    uint64_t firstCas = busStart(p, busReady) - latency;
    if (allBank) {
      if (firstCas >= refreshDue) {
        refreshAll(std::max(entry, refreshDue));
        continue;
      }
    } else if (firstCas >= bank.refreshDue) {
      refreshBank(bank, std::max(entry, bank.refreshDue));
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
    if (p.busFree > free) {
      p.deferred = p.busFree - free;
      for (unsigned i = 0; i < p.numGaps; ++i) {
        if (p.gaps[i].end > free) {
          p.deferred -= p.gaps[i].end - std::max(p.gaps[i].start, free);
        }
      }
      p.busFree = free;
    }
    p.busFree += p.busFree == 0 ? 0 : rtwGap;
    p.numGaps = 0;
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
    p.numGaps = 0;
    uint64_t first = lastWriteCas + tck + rl;
    if (p.wrote) {
      first = std::max(first, p.busFree + wtrShort + rl);
    }
    for (unsigned g = 0; g < numGroups; ++g) {
      Group &group = groups[i * numGroups + g];
      group.dataReady = group.writeEnd == 0 ? 0 : group.writeEnd + wtrLong + rl;
    }
    p.busFree = std::max(p.busFree, first) + p.deferred;
    if (p.deferred != 0) {
      lastReadCas = std::max(lastReadCas, p.busFree - burst - rl);
    }
    p.delay = first - std::min(first, overtaken + rl);
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
      row = bank.row == closed ? bank.actReady : writePrecharge(bank) + rp;
      row = std::max(row, modeStart);
    }
    if (!allBank && row + rcdWrite >= bank.refreshDue) {
      row = std::max(row, bank.refreshDue + rp + rfcBank);
    }
    uint64_t ready = std::max(row + rcdWrite, write.entry) + wl;
    ready = std::max(ready, pseudos[write.pseudo].busFree);
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
      start = std::max(write.entry, p.busFree - std::min(p.busFree, wl));
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
  holdSlots(place.pseudoChannel, cas - (n - 1) * burst, n);
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
