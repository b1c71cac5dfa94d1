//===- CommandChannel.h - DRAM channel, command by command ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The reference level: a controller that issues each command of one channel at
// a clock at which CommandTimer calls it legal.
//
//  - Requests are cut into column accesses, which enter the read or the write
//    queue in order of arrival; the first that finds its queue full holds back
//    all behind it.
//  - One queue is served at a time. Writes are served while the write queue
//    is above the high watermark and then until it is below the low one, and
//    when no read waits.
//  - Within the queue: the oldest column command to an open row that is legal
//    now; else the oldest row command. A bank is precharged only when no
//    access of the queue being served hits its open row.
//  - A refresh that is due stops new activates and column commands to its
//    bank(s), which are precharged and refreshed as soon as is legal.
//  - A read of data that still waits in the write queue is timed as any other
//    read.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_DRAM_COMMANDCHANNEL_H
#define CHIPWRIGHT_SIM_DRAM_COMMANDCHANNEL_H

#include "sim/dram/CommandTimer.h"
#include "sim/dram/DramAddressMap.h"
#include "sim/dram/DramChannel.h"

#include <deque>
#include <map>
#include <queue>
#include <vector>

namespace chipwright::sim {

class CommandChannel final : public DramChannel {
public:
  /// \p spec must pass DramTiming::check().
  CommandChannel(const DramSpec &spec, const MemorySpec &memory);

  void access(const DramRequest &request) override;
  /// Refreshes of an idle channel are no events: advanceTo() catches up.
  uint64_t nextEventFs() const override;
  void advanceTo(uint64_t fs) override;
  uint64_t drain() override;
  uint64_t quiesce(uint64_t fs) override;
  void reset() override;
  uint64_t digest() const override;
  const DramCounters &counters() const override { return count; }
  uint64_t dataBytes() const override { return map.dataBytes(); }

  /// Appends each command issued from now on to \p stream (null: stop).
  void record(std::vector<IssuedCommand> *stream) { timer.record(stream); }

private:
  /// One column access of a request, before it is in a queue.
  struct Part {
    uint32_t pseudo, bank, row;
    bool write;
  };
  /// A request whose accesses are not all done.
  struct Job {
    DramRequest request;
    std::vector<Part> parts; // reads of a read-modify-write come first
    size_t cursor;           // parts that have entered a queue
    size_t firstWrite;       // parts[firstWrite...] need the data of the reads
    size_t readsLeft;        // reads without data yet
    uint64_t doneClock;
  };
  struct Access {
    uint32_t pseudo, bank, row;
    uint32_t job;
    bool activated; // a row was opened for it
  };
  struct Done {
    uint64_t clock, sequence, tag;
    bool operator>(const Done &o) const {
      return clock != o.clock ? clock > o.clock : sequence > o.sequence;
    }
  };
  /// What a queue asks of each bank, gathered in one pass over it.
  struct BankWork {
    int hit = -1, miss = -1; // oldest access to the open / to another row
  };

  void expand(Job &job);
  void admit();
  bool admitJob(uint32_t index);
  void complete(uint32_t index);
  /// Issues what is legal at `now`; \returns the next clock with work.
  uint64_t step();
  bool issueColumn(uint64_t &next);
  bool issueRow(uint64_t &next);
  bool issueRefresh(uint64_t &next);
  bool refreshBlocks(uint32_t pseudo, uint32_t bank) const;
  void gather();
  void skipRest(uint64_t limit);
  bool idle() const;
  void clearState(uint64_t clock);

  const DramAddressMap map;
  CommandTimer timer;
  const DramTiming timing;
  const unsigned accessBytes, numBanks, numPseudo, readQueue, writeQueue;
  const double high, low; // watermarks in accesses
  const bool ecc, allBank, oneBus;
  const uint64_t controllerFs;

  std::vector<Access> reads, writes; // oldest first
  std::vector<Job> jobs;             // pool
  std::vector<uint32_t> freeJobs;
  std::multimap<uint64_t, uint32_t> arrivals; // by clock, then call order
  std::deque<uint32_t> readyWrites; // read-modify-writes, their reads done
  std::multimap<uint64_t, uint32_t> readBack; // reads of those under way
  std::priority_queue<Done, std::vector<Done>, std::greater<Done>> done;
  std::vector<BankWork> work;
  std::vector<uint64_t> refreshDue; // [pseudo] or [pseudo][bank], clocks
  uint64_t now, wake, sequence, epochClock;
  uint64_t lastDataEnd;  // of any column command so far
  uint64_t nextRefresh;  // earliest of refreshDue
  uint32_t setupRow = 0; // of the activate between its two parts
  bool writing, setupPassed, lastWasWrite, anyColumn;
  DramCounters count;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_DRAM_COMMANDCHANNEL_H
