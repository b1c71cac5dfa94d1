//===- MemorySystem.cpp ---------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/MemorySystem.h"

#include "sim/dram/BurstChannel.h"

#include <algorithm>
#include <bit>
#include <string>

using namespace chipwright;
using namespace chipwright::sim;

/// Tag of DRAM accesses whose completion nobody waits for.
static constexpr uint64_t kNoTag = ~uint64_t(0);

MemorySystem::MemorySystem(const ChipSpec &spec, TimingWheel &wheel)
    : domain(spec.periodFs()), wheel(wheel), network(Noc::create(spec)),
      map(spec), bankBytes(spec.sram.bankBytes), portBytes(spec.fi.portBytes),
      sramLatency(spec.sram.latencyCycles), lsLatency(spec.ls.latencyCycles),
      granuleShift(
          static_cast<unsigned>(std::countr_zero(spec.memory.interleaveBytes))),
      banksPerChannel(std::max(1u, spec.sram.banks / spec.dram.channels)),
      channelsPerBank(std::max(1u, spec.dram.channels / spec.sram.banks)),
      hasLlc(spec.sram.bytes > spec.sram.llsBytes), banks(spec.sram.banks),
      portsIn(spec.grid.numPes()), portsOut(spec.grid.numPes()),
      hostPayload(spec.host.payloadBytes),
      hostOverhead(spec.host.overheadBytes) {
  uint64_t llcLines =
      (spec.sram.bytes - spec.sram.llsBytes) / spec.memory.interleaveBytes;
  slices.assign(spec.sram.banks,
                LlcSlice(llcLines / spec.sram.banks, spec.sram.llcWays));
  double cyclesPerSecond = spec.clockGhz * 1e9;
  hostBytesPerCycle = spec.host.bytesPerSecond / cyclesPerSecond;
  hostLatency = domain.atOrAfterFs(uint64_t(spec.host.roundTripNs / 2 * 1e6));
  for (unsigned i = 0; i < spec.dram.channels; ++i) {
    std::string error; // validated with the chip
    channels.push_back(makeDramChannel(spec.dram, spec.memory, this, error));
    if (auto *fast = dynamic_cast<BurstChannel *>(channels.back().get())) {
      burst.push_back(fast);
    }
  }
  channelWake.assign(channels.size(), kNever);
}

MemorySystem::~MemorySystem() = default;

//===----------------------------------------------------------------------===//
// Paths
//===----------------------------------------------------------------------===//

bool MemorySystem::access(const MemoryAccess &request, MemoryReply &reply,
                          MemoryClient *client, uint32_t token) {
  network->advanceTo(wheel.now());
  switch (spaceOf(request.address)) {
  case Space::Sram:
    return accessSram(request, reply);
  case Space::Dram:
    return accessDram(request, reply, client, token);
  case Space::Pe:
    return accessPeWindow(request, reply);
  default:
    return accessHost(request, reply);
  }
}

Cycle MemorySystem::reserveBank(unsigned unit, Cycle at, uint64_t bytes,
                                bool write) {
  (write ? count.sramWriteBytes : count.sramReadBytes) += bytes;
  return banks[unit].reserve(wheel.now(), at, divideUp(bytes, bankBytes));
}

/// When the request (reads: its packet, writes: the last byte) is at the unit.
Cycle MemorySystem::arriveAtUnit(const MemoryAccess &request, unsigned unit) {
  if (request.kind != AccessKind::Write) {
    network->prefetchUnitToPe(unit, request.pe);
    return request.at + network->requestLatency(request.pe, unit);
  }
  const Route &route = network->peToUnit(request.pe, unit);
  Cycle duration = divideUp(request.bytes, portBytes);
  Cycle start = portsOut[request.pe].reserve(wheel.now(), request.at, duration);
  Cycle head = network->send(route, start, request.bytes);
  return head + std::max(duration, network->transferCycles(request.bytes));
}

/// A port narrower than the link delays the tail, a wider one waits for it.
Cycle MemorySystem::intoPort(GapTimeline &port, Cycle head, uint64_t bytes) {
  Cycle duration = divideUp(bytes, portBytes);
  Cycle transfer = network->transferCycles(bytes);
  Cycle earliest = transfer > duration ? head + transfer - duration : head;
  return port.reserve(wheel.now(), earliest, duration) + duration + lsLatency;
}

void MemorySystem::deliver(const MemoryAccess &request, unsigned unit,
                           Cycle ready, MemoryReply &reply) {
  if (request.kind == AccessKind::Prefetch) {
    reply.done[0] = ready + network->unitToPe(unit, request.pe).latency();
    return;
  }
  if (request.members == 0) {
    Cycle head = network->send(network->unitToPe(unit, request.pe), ready,
                               request.bytes);
    reply.done[0] = intoPort(portsIn[request.pe], head, request.bytes);
    return;
  }
  network->sendMulticast(
      network->multicast(unit, request.line, request.lineIndex),
      request.members, ready, request.bytes, reply.done.data());
  for (uint64_t rest = request.members; rest; rest &= rest - 1) {
    unsigned member = static_cast<unsigned>(std::countr_zero(rest));
    // Member and line index name the PE.
    unsigned pe = network->memberPe(request.line, request.lineIndex, member);
    reply.done[member] =
        intoPort(portsIn[pe], reply.done[member], request.bytes);
  }
}

bool MemorySystem::accessSram(const MemoryAccess &request, MemoryReply &reply) {
  UnitAddress place = map.sram(offsetOf(request.address));
  Cycle atUnit = arriveAtUnit(request, place.unit);
  bool write = request.kind == AccessKind::Write;
  Cycle start = reserveBank(place.unit, atUnit, request.bytes, write);
  Cycle ready = start + sramLatency;
  if (write) {
    reply.done[0] = ready + network->unitToPe(place.unit, request.pe).latency();
    return true;
  }
  deliver(request, place.unit, ready, reply);
  return true;
}

bool MemorySystem::accessPeWindow(const MemoryAccess &request,
                                  MemoryReply &reply) {
  unsigned target =
      static_cast<unsigned>(offsetOf(request.address) / kPeWindowBytes);
  count.peWindowBytes += request.bytes;
  const Route &there = network->peToPe(request.pe, target);
  const Route &back = network->peToPe(target, request.pe);
  if (request.kind == AccessKind::Write) {
    Cycle duration = divideUp(request.bytes, portBytes);
    Cycle start =
        portsOut[request.pe].reserve(wheel.now(), request.at, duration);
    Cycle head = network->send(there, start, request.bytes);
    reply.done[0] =
        intoPort(portsIn[target], head, request.bytes) + back.latency();
    return true;
  }
  Cycle duration = divideUp(request.bytes, portBytes);
  Cycle start = portsOut[target].reserve(
      wheel.now(), request.at + there.latency() + lsLatency, duration);
  Cycle head = network->send(back, start, request.bytes);
  reply.done[0] = intoPort(portsIn[request.pe], head, request.bytes);
  return true;
}

bool MemorySystem::accessHost(const MemoryAccess &request, MemoryReply &reply) {
  count.hostBytes += request.bytes;
  uint64_t wire =
      request.bytes + divideUp(request.bytes, hostPayload) * hostOverhead;
  Cycle duration = static_cast<Cycle>(double(wire) / hostBytesPerCycle) + 1;
  Cycle onChip = network->controlLatency(request.pe);
  if (request.kind == AccessKind::Write) {
    Cycle port = divideUp(request.bytes, portBytes);
    Cycle start = portsOut[request.pe].reserve(wheel.now(), request.at, port);
    Cycle sent = hostOut.reserve(wheel.now(), start + port + onChip, duration) +
                 duration;
    reply.done[0] = sent + 2 * hostLatency + onChip;
    return true;
  }
  Cycle sent = hostIn.reserve(wheel.now(),
                              request.at + onChip + 2 * hostLatency, duration);
  reply.done[0] =
      intoPort(portsIn[request.pe], sent + duration + onChip, request.bytes);
  return true;
}

//===----------------------------------------------------------------------===//
// DRAM behind the LLC
//===----------------------------------------------------------------------===//

/// A slice numbers the lines of its channels consecutively.
uint64_t MemorySystem::lineOf(const UnitAddress &place) const {
  if (banksPerChannel == 1 && channelsPerBank == 1) {
    return place.offset >> granuleShift;
  }
  return (place.offset >> granuleShift) / banksPerChannel * channelsPerBank +
         place.channel % channelsPerBank;
}

void MemorySystem::evict(unsigned unit, unsigned channel, uint64_t line,
                         Cycle at) {
  ++count.llcWriteBacks;
  // Inverse of lineOf.
  uint64_t bytes = uint64_t(1) << granuleShift;
  uint64_t granule =
      line / channelsPerBank * banksPerChannel + unit % banksPerChannel;
  channel +=
      static_cast<unsigned>(line % channelsPerBank) - channel % channelsPerBank;
  Cycle start = reserveBank(unit, at, bytes, /*write=*/false);
  Cycle done;
  dramAccess(channel, granule << granuleShift, bytes, /*write=*/true,
             start + sramLatency, kNoTag, done);
}

bool MemorySystem::accessDram(const MemoryAccess &request, MemoryReply &reply,
                              MemoryClient *client, uint32_t token) {
  UnitAddress place = map.dram(offsetOf(request.address));
  Cycle atUnit = arriveAtUnit(request, place.unit);
  if (request.kind == AccessKind::Write && atUnit > wheel.now()) {
    uint32_t index = newTransaction({request, client, token, place, 0, false});
    arrivalKeys.resize(transactions.size());
    arrivalKeys[index] = nextArrival++;
    wheel.post(atUnit, Phase::Deliver, this, Arrival, index);
    return false;
  }
  return reachDram(request, place, atUnit, reply, client, token);
}

bool MemorySystem::reachDram(const MemoryAccess &request,
                             const UnitAddress &place, Cycle atUnit,
                             MemoryReply &reply, MemoryClient *client,
                             uint32_t token) {
  unsigned unit = place.unit;
  bool write = request.kind == AccessKind::Write;
  uint64_t granule = uint64_t(1) << granuleShift;
  uint64_t line = lineOf(place);
  Cycle *ready = nullptr;
  bool fillsLine = false;

  if (hasLlc) {
    bool allocate = request.policy != CachePolicy::Stream &&
                    (!write || request.bytes == granule);
    bool dirty = write && request.policy != CachePolicy::NeverWriteBack;
    LlcResult tags = slices[unit].access(line, allocate, dirty);
    ready = tags.ready;
    if (tags.evictsDirty) {
      evict(unit, place.channel, tags.evictedLine, atUnit);
    }
    ++(tags.hit ? count.llcHits : count.llcMisses);
    if (tags.hit && *ready == kNever) {
      uint32_t index =
          newTransaction({request, client, token, place, line, false});
      fillWaiters[{unit, line}].push_back(index);
      return false;
    }
    if (tags.hit || (write && tags.allocated)) {
      Cycle start = tags.hit ? std::max(atUnit, *ready) : atUnit;
      Cycle done = reserveBank(unit, start, request.bytes, write) + sramLatency;
      if (write) {
        *ready = std::max(*ready, done);
        reply.done[0] = done + network->unitToPe(unit, request.pe).latency();
      } else {
        deliver(request, unit, done, reply);
      }
      return true;
    }
    fillsLine = tags.allocated;
    atUnit += sramLatency; // the tags were looked up first
  }

  uint64_t offset = fillsLine ? place.offset & ~(granule - 1) : place.offset;
  uint64_t bytes = fillsLine ? granule : request.bytes;
  uint64_t tag = kNoTag;
  if (burst.empty()) {
    tag = newTransaction({request, client, token, place, line, fillsLine,
                          uint32_t(bytes), atUnit});
  }
  if (fillsLine) {
    *ready = kNever;
  }
  Cycle done;
  if (!dramAccess(place.channel, offset, bytes, write, atUnit, tag, done)) {
    return false;
  }
  if (fillsLine) {
    *ready = done;
  }
  finish(request, unit, fillsLine, done, reply);
  return true;
}

void MemorySystem::finish(const MemoryAccess &request, unsigned unit,
                          bool fillsLine, Cycle at, MemoryReply &reply) {
  if (fillsLine) {
    reserveBank(unit, at, uint64_t(1) << granuleShift, /*write=*/true);
  }
  if (request.kind == AccessKind::Write) {
    reply.done[0] = at + network->unitToPe(unit, request.pe).latency();
    return;
  }
  deliver(request, unit, at, reply);
}

bool MemorySystem::dramAccess(unsigned channel, uint64_t offset, uint64_t bytes,
                              bool write, Cycle at, uint64_t tag, Cycle &done) {
  DramRequest request{domain.toFs(at), offset, static_cast<unsigned>(bytes),
                      write, tag};
  if (!burst.empty()) {
    done = domain.atOrAfterFs(burst[channel]->accessNow(request));
    if (observer) {
      observer(observerContext, channel, at, done, bytes, write);
    }
    return true;
  }
  if (observer && tag == kNoTag) {
    observer(observerContext, channel, at, at, bytes, write);
  }
  channels[channel]->access(request);
  scheduleChannel(channel);
  return false;
}

//===----------------------------------------------------------------------===//
// Writes under way and command-level DRAM: answers come later
//===----------------------------------------------------------------------===//

uint32_t MemorySystem::newTransaction(const Transaction &transaction) {
  ++numPending;
  if (freeTransactions.empty()) {
    transactions.push_back(transaction);
    return static_cast<uint32_t>(transactions.size() - 1);
  }
  uint32_t index = freeTransactions.back();
  freeTransactions.pop_back();
  transactions[index] = transaction;
  return index;
}

void MemorySystem::scheduleChannel(unsigned channel) {
  uint64_t next = channels[channel]->nextEventFs();
  if (next == DramChannel::noEvent) {
    return;
  }
  Cycle wake = std::max(domain.atOrAfterFs(next), wheel.now() + 1);
  if (wake < channelWake[channel]) {
    channelWake[channel] = wake;
    wheel.post(wake, Phase::Deliver, this, ChannelWake, channel);
  }
}

void MemorySystem::fire(Cycle now, uint32_t kind, uint64_t argument) {
  network->advanceTo(now);
  uint32_t index = static_cast<uint32_t>(argument);
  if (kind != Serve) {
    if (kind == ChannelWake && channelWake[index] != now) {
      return; // an earlier wake-up replaced this one
    }
    // Events of a phase come in any order: all are gathered, then served.
    if (due.empty()) {
      wheel.post(now, Phase::Deliver, this, Serve);
    }
    due.push_back({kind == Arrival ? arrivalKeys[index] : index, index});
    return;
  }
  std::sort(due.begin(), due.end());
  for (Due entry : due) {
    if (entry.key >= kFirstArrival) {
      arrive(entry.index, now);
      continue;
    }
    if (channelWake[entry.index] != now) {
      continue; // the same wake-up was posted twice
    }
    channelWake[entry.index] = kNever;
    channels[entry.index]->advanceTo(domain.toFs(now));
    scheduleChannel(entry.index);
  }
  due.clear();
}

void MemorySystem::arrive(uint32_t index, Cycle now) {
  Transaction piece = transactions[index];
  freeTransactions.push_back(index);
  --numPending;
  MemoryReply reply;
  if (reachDram(piece.request, piece.place, now, reply, piece.client,
                piece.token)) {
    piece.client->memoryReply(now, piece.token, reply);
  }
}

void MemorySystem::dramDone(uint64_t tag, uint64_t timeFs) {
  if (tag == kNoTag) {
    return;
  }
  complete(static_cast<uint32_t>(tag),
           std::max(domain.atOrAfterFs(timeFs), wheel.now()));
}

void MemorySystem::complete(uint32_t index, Cycle at) {
  Transaction done = transactions[index];
  freeTransactions.push_back(index);
  --numPending;
  if (observer) {
    observer(observerContext, done.place.channel, done.arrived,
             std::max(done.arrived, at), done.dramBytes,
             done.request.kind == AccessKind::Write);
  }
  MemoryReply reply;
  finish(done.request, done.place.unit, done.fillsLine, at, reply);
  done.client->memoryReply(wheel.now(), done.token, reply);
  if (!done.fillsLine) {
    return;
  }
  if (Cycle *ready = slices[done.place.unit].readyTime(done.line)) {
    *ready = at;
  }
  auto waiting = fillWaiters.find({done.place.unit, done.line});
  if (waiting == fillWaiters.end()) {
    return;
  }
  std::vector<uint32_t> indices = std::move(waiting->second);
  fillWaiters.erase(waiting);
  for (uint32_t waiter : indices) {
    Transaction late = transactions[waiter];
    freeTransactions.push_back(waiter);
    --numPending;
    bool write = late.request.kind == AccessKind::Write;
    Cycle taken = reserveBank(late.place.unit, at, late.request.bytes, write) +
                  sramLatency;
    MemoryReply answer;
    finish(late.request, late.place.unit, /*fillsLine=*/false, taken, answer);
    late.client->memoryReply(wheel.now(), late.token, answer);
  }
}

//===----------------------------------------------------------------------===//
// Whole-chip operations
//===----------------------------------------------------------------------===//

Cycle MemorySystem::writeBackAll(Cycle now) {
  // The slices in front of a channel empty themselves side by side in order of
  // address, so that a DRAM row is written while it is open, however many
  // slices share it.
  std::vector<uint64_t> lines;
  std::vector<std::pair<uint64_t, unsigned>> dirty; // line, unit
  for (unsigned first = 0; first < slices.size(); first += banksPerChannel) {
    dirty.clear();
    for (unsigned unit = first; unit < first + banksPerChannel; ++unit) {
      lines.clear();
      slices[unit].flush(lines);
      for (uint64_t line : lines) {
        dirty.emplace_back(line, unit);
      }
    }
    std::sort(dirty.begin(), dirty.end());
    unsigned channel = first / banksPerChannel * channelsPerBank;
    for (auto [line, unit] : dirty) {
      evict(unit, channel, line, now);
    }
  }
  Cycle last = now;
  for (const GapTimeline &bank : banks) {
    last = std::max(last, bank.end() + sramLatency);
  }
  uint64_t drained = domain.toFs(last);
  for (auto &channel : channels) {
    drained = std::max(drained, channel->drain());
  }
  return domain.atOrAfterFs(drained);
}

DramCounters MemorySystem::dramCounters() const {
  DramCounters sum;
  for (const auto &channel : channels) {
    const DramCounters &one = channel->counters();
    sum.readBytes += one.readBytes;
    sum.writeBytes += one.writeBytes;
    sum.eccBytes += one.eccBytes;
    sum.activates += one.activates;
    sum.rowHits += one.rowHits;
    sum.rowMisses += one.rowMisses;
    sum.refreshes += one.refreshes;
    sum.turnarounds += one.turnarounds;
    sum.busyFs += one.busyFs;
  }
  return sum;
}

Cycle MemorySystem::bankBusyCycles() const {
  Cycle sum = 0;
  for (const GapTimeline &bank : banks) {
    sum += bank.busyCycles();
  }
  return sum;
}

uint64_t MemorySystem::digest() const {
  uint64_t hash = 0xcbf29ce484222325;
  auto mix = [&](uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
  for (const LlcSlice &slice : slices) {
    mix(slice.digest());
  }
  for (const auto &channel : channels) {
    mix(channel->digest());
  }
  return hash;
}
