//===- CommandChannel.cpp - DRAM channel, command by command --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/dram/CommandChannel.h"

#include "sim/dram/StateHash.h"

#include <algorithm>
#include <cmath>

using namespace chipwright;
using namespace chipwright::sim;

static constexpr uint64_t never = CommandTimer::never;

CommandChannel::CommandChannel(const DramSpec &spec, const MemorySpec &memory)
    : map(spec, memory), timer(spec), timing(spec),
      accessBytes(spec.accessBytes), numBanks(map.banks()),
      numPseudo(spec.pseudoChannels), readQueue(spec.readQueue),
      writeQueue(spec.writeQueue), high(spec.drainHigh * spec.writeQueue),
      low(spec.drainLow * spec.writeQueue), ecc(spec.ecc),
      allBank(spec.refresh == DramRefresh::AllBank),
      oneBus(spec.kind == DramKind::Lpddr5),
      controllerFs(
          static_cast<uint64_t>(std::llround(spec.controllerNs * 1e6))),
      work(numPseudo * numBanks),
      refreshDue(allBank ? numPseudo : numPseudo * numBanks) {
  reads.reserve(readQueue);
  writes.reserve(writeQueue);
  reset();
}

void CommandChannel::clearState(uint64_t clock) {
  timer.reset();
  for (unsigned i = 0; i < refreshDue.size(); ++i) {
    refreshDue[i] = clock + (allBank ? timing.refi
                                     : uint64_t(timing.refi) *
                                           (i % numBanks + 1) / numBanks);
  }
  nextRefresh = *std::min_element(refreshDue.begin(), refreshDue.end());
  now = epochClock = lastDataEnd = clock;
  wake = nextRefresh;
  writing = setupPassed = lastWasWrite = anyColumn = false;
}

void CommandChannel::reset() {
  reads.clear();
  writes.clear();
  jobs.clear();
  freeJobs.clear();
  arrivals.clear();
  readyWrites.clear();
  readBack.clear();
  done = {};
  sequence = 0;
  clearState(0);
  count = DramCounters();
}

/// Cuts the request into column accesses.
void CommandChannel::expand(Job &job) {
  const DramRequest &request = job.request;
  const unsigned granule = map.granuleBytes();
  // The first pass finds what must be read before it can be written.
  for (bool modify : {true, false}) {
    if (modify && !(request.write && ecc)) {
      continue;
    }
    uint64_t offset = request.channelOffset, left = request.bytes;
    while (left != 0) {
      const unsigned start = static_cast<unsigned>(offset & (granule - 1));
      const unsigned bytes =
          static_cast<unsigned>(std::min<uint64_t>(left, granule - start));
      const DramLocation place = map.locate(offset);
      unsigned n = (start + bytes - 1) / accessBytes - start / accessBytes + 1;
      unsigned code = ecc;
      if (modify) {
        code = bytes != granule;
        n = code ? partialAccesses(start, bytes, accessBytes) : 0;
      }
      bool write = request.write && !modify;
      job.parts.insert(job.parts.end(), n + code,
                       {place.pseudoChannel, place.bank, place.row, write});
      (write ? count.writeBytes : count.readBytes) += uint64_t(n) * accessBytes;
      count.eccBytes += uint64_t(code) * accessBytes;
      offset += bytes;
      left -= bytes;
    }
    if (modify) {
      job.firstWrite = job.readsLeft = job.parts.size();
    }
  }
  if (!request.write) {
    job.firstWrite = job.readsLeft = job.parts.size();
  }
}

void CommandChannel::access(const DramRequest &request) {
  uint32_t index;
  if (freeJobs.empty()) {
    index = static_cast<uint32_t>(jobs.size());
    jobs.emplace_back();
  } else {
    index = freeJobs.back();
    freeJobs.pop_back();
  }
  Job &job = jobs[index];
  job.request = request;
  job.parts.clear();
  job.cursor = job.firstWrite = job.readsLeft = 0;
  uint64_t clock = std::max(timing.toClock(request.timeFs + controllerFs), now);
  job.doneClock = clock;
  expand(job);
  if (job.parts.empty()) {
    complete(index);
    return;
  }
  arrivals.emplace(clock, index);
  wake = std::min(wake, clock);
}

void CommandChannel::complete(uint32_t index) {
  const Job &job = jobs[index];
  done.push({job.doneClock, sequence++, job.request.tag});
  freeJobs.push_back(index);
}

/// Moves accesses of a job into the queues. \returns false if one is full;
/// true if the job needs nothing more from the arrival list.
bool CommandChannel::admitJob(uint32_t index) {
  Job &job = jobs[index];
  while (job.cursor != job.parts.size()) {
    const Part &part = job.parts[job.cursor];
    if (job.cursor == job.firstWrite && job.readsLeft != 0) {
      return true; // comes back through readBack
    }
    std::vector<Access> &queue = part.write ? writes : reads;
    if (queue.size() == (part.write ? writeQueue : readQueue)) {
      return false;
    }
    queue.push_back({part.pseudo, part.bank, part.row, index, false});
    ++job.cursor;
  }
  if (job.request.write) {
    job.doneClock = std::max(job.doneClock, now);
    complete(index);
  }
  return true;
}

void CommandChannel::admit() {
  while (!readBack.empty() && readBack.begin()->first <= now) {
    readyWrites.push_back(readBack.begin()->second);
    readBack.erase(readBack.begin());
  }
  while (!readyWrites.empty()) {
    if (!admitJob(readyWrites.front())) {
      return;
    }
    readyWrites.pop_front();
  }
  while (!arrivals.empty() && arrivals.begin()->first <= now) {
    if (!admitJob(arrivals.begin()->second)) {
      return;
    }
    arrivals.erase(arrivals.begin());
  }
}

bool CommandChannel::refreshBlocks(uint32_t pseudo, uint32_t bank) const {
  return now >= refreshDue[allBank ? pseudo : pseudo * numBanks + bank];
}

/// Finds for each bank the oldest access of the served queue that hits its
/// open row and the oldest that does not.
void CommandChannel::gather() {
  std::fill(work.begin(), work.end(), BankWork());
  const std::vector<Access> &queue = writing ? writes : reads;
  for (unsigned i = 0; i < queue.size(); ++i) {
    const Access &access = queue[i];
    BankWork &bank = work[access.pseudo * numBanks + access.bank];
    bool hit = timer.openRow(access.pseudo, access.bank) == access.row;
    int &oldest = hit ? bank.hit : bank.miss;
    if (oldest < 0) {
      oldest = static_cast<int>(i);
    }
  }
}

/// Issues the oldest column command that is legal now.
bool CommandChannel::issueColumn(uint64_t &next) {
  std::vector<Access> &queue = writing ? writes : reads;
  const DramCommand command = writing ? DramCommand::Write : DramCommand::Read;
  int best = -1;
  for (unsigned i = 0; i < work.size(); ++i) {
    int hit = work[i].hit;
    if (hit < 0 || refreshBlocks(i / numBanks, i % numBanks)) {
      continue;
    }
    uint64_t clock = timer.earliest(command, i / numBanks, i % numBanks);
    if (clock > now) {
      next = std::min(next, clock);
    } else if (best < 0 || hit < best) {
      best = hit;
    }
  }
  if (best < 0) {
    return false;
  }
  const Access access = queue[best];
  queue.erase(queue.begin() + best);
  timer.issued(command, access.pseudo, access.bank, access.row, now);
  ++(access.activated ? count.rowMisses : count.rowHits);
  count.busyFs += timing.toFs(timing.burst);
  lastDataEnd = now + (writing ? timing.wl : timing.rl) + timing.burst;
  count.turnarounds += anyColumn && lastWasWrite != writing;
  anyColumn = true;
  lastWasWrite = writing;
  if (!writing) {
    Job &job = jobs[access.job];
    job.doneClock = std::max(job.doneClock, now + timing.rl + timing.burst);
    if (--job.readsLeft == 0) {
      if (job.request.write) {
        readBack.emplace(job.doneClock, access.job);
      } else {
        complete(access.job);
      }
    }
  }
  return true;
}

/// A due refresh: closes its bank(s), then refreshes.
bool CommandChannel::issueRefresh(uint64_t &next) {
  if (now < nextRefresh) {
    next = std::min(next, nextRefresh);
    return false;
  }
  bool issued = false;
  for (unsigned i = 0; i < refreshDue.size() && !issued; ++i) {
    if (now < refreshDue[i]) {
      continue;
    }
    unsigned pseudo = allBank ? i : i / numBanks;
    unsigned bank = allBank ? 0 : i % numBanks;
    bool open = allBank ? timer.anyOpen(pseudo)
                        : timer.openRow(pseudo, bank) != CommandTimer::closed;
    DramCommand command =
        allBank ? (open ? DramCommand::PrechargeAll : DramCommand::RefreshAll)
                : (open ? DramCommand::Precharge : DramCommand::RefreshBank);
    uint64_t clock = timer.earliest(command, pseudo, bank);
    if (clock > now) {
      next = std::min(next, clock);
      continue;
    }
    timer.issued(command, pseudo, bank, 0, now);
    if (!open) {
      refreshDue[i] += timing.refi;
      ++count.refreshes;
    }
    issued = true;
  }
  nextRefresh = *std::min_element(refreshDue.begin(), refreshDue.end());
  next = std::min(next, std::max(nextRefresh, now + 1));
  return issued;
}

/// Issues one row command: the second part of an activate, a refresh, or the
/// oldest activate or precharge that is legal now.
bool CommandChannel::issueRow(uint64_t &next) {
  std::vector<Access> &queue = writing ? writes : reads;
  for (unsigned p = 0; p < numPseudo; ++p) {
    uint32_t bank = timer.setupBank(p);
    if (bank == CommandTimer::closed) {
      continue;
    }
    uint64_t clock = timer.earliest(DramCommand::Activate, p, bank);
    if (clock <= now) {
      timer.issued(DramCommand::Activate, p, bank, setupRow, now);
      ++count.activates;
      setupPassed = false;
      return true;
    }
    next = std::min(next, clock);
  }
  if (issueRefresh(next)) {
    return true;
  }
  int best = -1;
  for (unsigned i = 0; i < work.size(); ++i) {
    unsigned pseudo = i / numBanks, bank = i % numBanks;
    if (work[i].miss < 0 || refreshBlocks(pseudo, bank)) {
      continue;
    }
    DramCommand command =
        oneBus ? DramCommand::ActivateSetup : DramCommand::Activate;
    if (timer.openRow(pseudo, bank) != CommandTimer::closed) {
      if (work[i].hit >= 0) {
        continue;
      }
      command = DramCommand::Precharge;
    }
    uint64_t clock = timer.earliest(command, pseudo, bank);
    if (clock > now) {
      next = std::min(next, clock);
    } else if (best < 0 || work[i].miss < best) {
      best = work[i].miss;
    }
  }
  if (best < 0) {
    return false;
  }
  Access &access = queue[best];
  if (timer.openRow(access.pseudo, access.bank) != CommandTimer::closed) {
    timer.issued(DramCommand::Precharge, access.pseudo, access.bank, 0, now);
  } else {
    access.activated = true;
    setupRow = access.row;
    count.activates += !oneBus;
    timer.issued(oneBus ? DramCommand::ActivateSetup : DramCommand::Activate,
                 access.pseudo, access.bank, access.row, now);
  }
  return true;
}

uint64_t CommandChannel::step() {
  admit();
  if (!writing) {
    writing = writes.size() > high || (reads.empty() && !writes.empty());
  } else if (!reads.empty()) {
    writing = !writes.empty() && writes.size() >= low;
  }
  gather();
  uint64_t next = never;
  bool column = false, row = false;
  // A column command goes before the second part of an activate, but only
  // once: a stream of them cannot hold the activate back.
  bool setup =
      oneBus && timer.setupBank(0) != CommandTimer::closed &&
      timer.earliest(DramCommand::Activate, 0, timer.setupBank(0)) <= now;
  if (!setup || !setupPassed) {
    column = issueColumn(next);
    setupPassed = setup && column;
  }
  if (!column || !oneBus) {
    if (column) {
      gather(); // the queue has moved up
    }
    row = issueRow(next);
  }
  if (column || row) {
    next = now + 1;
  }
  if (!arrivals.empty() && arrivals.begin()->first > now) {
    next = std::min(next, arrivals.begin()->first);
  }
  if (!readBack.empty()) {
    next = std::min(next, std::max(readBack.begin()->first, now + 1));
  }
  return next;
}

bool CommandChannel::idle() const {
  return reads.empty() && writes.empty() && arrivals.empty() &&
         readyWrites.empty() && readBack.empty();
}

uint64_t CommandChannel::nextEventFs() const {
  uint64_t clock = idle() ? never : wake;
  if (!done.empty()) {
    clock = std::min(clock, done.top().clock);
  }
  return clock == never ? noEvent : timing.toFs(clock);
}

/// Refreshes of a long rest with every bank closed differ in nothing but time:
/// all but the last few are counted, not issued (nor recorded).
void CommandChannel::skipRest(uint64_t limit) {
  if (!idle() || limit - wake < 4 * uint64_t(timing.refi)) {
    return;
  }
  for (unsigned p = 0; p < numPseudo; ++p) {
    if (timer.anyOpen(p)) {
      return;
    }
  }
  const uint64_t intervals = (limit - wake) / timing.refi - 2;
  for (uint64_t &due : refreshDue) {
    due += intervals * timing.refi;
  }
  nextRefresh += intervals * timing.refi;
  wake += intervals * timing.refi;
  count.refreshes += intervals * refreshDue.size();
}

void CommandChannel::advanceTo(uint64_t fs) {
  const uint64_t limit = fs / timing.tckFs;
  while (true) {
    if (!done.empty() && done.top().clock <= std::min(wake, limit)) {
      Done first = done.top();
      done.pop();
      if (listener) {
        listener->dramDone(first.tag, timing.toFs(first.clock));
      }
    } else if (wake <= limit) {
      skipRest(limit);
      now = wake;
      wake = step();
    } else {
      break;
    }
  }
  now = std::max(now, limit);
}

uint64_t CommandChannel::drain() {
  for (uint64_t next = nextEventFs(); next != noEvent; next = nextEventFs()) {
    advanceTo(next);
  }
  return timing.toFs(lastDataEnd);
}

uint64_t CommandChannel::quiesce(uint64_t fs) {
  drain();
  advanceTo(std::max(fs, timing.toFs(now)));
  uint64_t start = std::max(now, timing.toClock(fs));
  uint64_t end = start;
  for (unsigned p = 0; p < numPseudo; ++p) {
    if (timer.anyOpen(p)) {
      uint64_t clock =
          std::max(start, timer.earliest(DramCommand::PrechargeAll, p, 0));
      timer.issued(DramCommand::PrechargeAll, p, 0, 0, clock);
    }
    uint64_t clock =
        std::max(start, timer.earliest(DramCommand::RefreshAll, p, 0));
    timer.issued(DramCommand::RefreshAll, p, 0, 0, clock);
    ++count.refreshes;
    end = std::max(end, clock + timing.rfcAll);
  }
  sequence = 0;
  jobs.clear();
  freeJobs.clear();
  clearState(end);
  return timing.toFs(end);
}

uint64_t CommandChannel::digest() const {
  StateHash hash;
  timer.hash(hash, epochClock);
  for (const std::vector<Access> *queue : {&reads, &writes}) {
    hash.add(queue->size());
    for (const Access &access : *queue) {
      hash.add(access.pseudo);
      hash.add(access.bank);
      hash.add(access.row);
    }
  }
  for (const auto &[clock, index] : arrivals) {
    hash.add(clock - epochClock);
    hash.add(jobs[index].request.channelOffset);
    hash.add(jobs[index].request.bytes);
    hash.add(jobs[index].request.write);
    hash.add(jobs[index].cursor);
  }
  hash.add(readyWrites.size());
  hash.add(readBack.size());
  hash.add(done.size());
  for (uint64_t due : refreshDue) {
    hash.add(due - epochClock);
  }
  hash.add(writing);
  hash.add(setupPassed);
  hash.add(anyColumn && lastWasWrite);
  hash.add(now - epochClock);
  return hash.value();
}
