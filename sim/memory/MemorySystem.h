//===- MemorySystem.h - Paths between PEs and memory ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Times one piece (at most an interleave granule) of a transfer at a time:
//
//   read    request packet, bank or DRAM channel, data over the NoC, FI port;
//   write   FI port, data over the NoC, bank or DRAM channel, acknowledgement.
//
// Pieces are asked for in the Arbitrate phase only, in the fixed order that
// TrainArbiter sets, and book links, ports and banks ahead of time at once.
// DRAM behind its cache has a history that cannot be booked out of order, so a
// write is looked at when its data has arrived, which may be long after it was
// asked for; it is answered through MemoryClient. Reads pass the LLC and
// burst-level DRAM when they are asked for (a request meets no queue on its
// way) and are answered at once; command-level DRAM answers later.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_MEMORY_MEMORYSYSTEM_H
#define CHIPWRIGHT_SIM_MEMORY_MEMORYSYSTEM_H

#include "chips/ChipSpec.h"
#include "sim/core/Timeline.h"
#include "sim/core/TimingWheel.h"
#include "sim/dram/DramChannel.h"
#include "sim/memory/AddressMap.h"
#include "sim/memory/Llc.h"
#include "sim/noc/Noc.h"

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace chipwright::sim {

class BurstChannel;

/// What a DMA command says about the LLC. Encoding of slice `policy`.
enum class CachePolicy : uint8_t {
  Allocate = 0,      // reads and whole-line writes leave the line in the LLC
  Stream = 1,        // no allocation; lines that are there are used
  NeverWriteBack = 2 // write-allocate, but the line may be dropped when dirty
};

enum class AccessKind : uint8_t { Read, Write, Prefetch };

struct MemoryAccess {
  uint64_t address;
  uint32_t bytes; // must not cross a granule
  AccessKind kind;
  CachePolicy policy = CachePolicy::Allocate;
  /// Reads: the request leaves the PE. Writes: the data is at its FI.
  Cycle at;
  uint16_t pe; // the requester, or the master of a multicast line
  /// Multicast read: members of a row or column; 0 for unicast.
  uint64_t members = 0;
  Line line = Line::Row;
  uint16_t lineIndex = 0;
};

/// Read: arrival of the last byte in local memory (per line member for a
/// multicast). Write and prefetch: arrival of the acknowledgement in done[0].
struct MemoryReply {
  std::array<Cycle, 64> done;
};

/// Receives answers that access() could not give at once.
class MemoryClient {
public:
  virtual ~MemoryClient() = default;
  virtual void memoryReply(Cycle now, uint32_t token,
                           const MemoryReply &reply) = 0;
};

struct MemoryCounters {
  uint64_t sramReadBytes = 0, sramWriteBytes = 0;
  uint64_t llcHits = 0, llcMisses = 0, llcWriteBacks = 0;
  uint64_t hostBytes = 0;
  uint64_t peWindowBytes = 0;
};

class MemorySystem final : public WheelClient, public DramListener {
public:
  /// \p spec must have been validated.
  MemorySystem(const ChipSpec &spec, TimingWheel &wheel);
  ~MemorySystem() override;

  /// \returns true and fills \p reply if the answer is known now; otherwise
  /// \p client gets it later under \p token.
  bool access(const MemoryAccess &request, MemoryReply &reply,
              MemoryClient *client, uint32_t token);

  /// Writes every dirty LLC line back and drains the DRAM write queues.
  /// \returns the cycle at which the last byte is in the array. Nothing else
  /// may be in flight.
  Cycle writeBackAll(Cycle now);

  Noc &noc() { return *network; }
  const Noc &noc() const { return *network; }
  const Interleave &interleave() const { return map; }
  const MemoryCounters &counters() const { return count; }
  DramCounters dramCounters() const;
  unsigned numChannels() const {
    return static_cast<unsigned>(channels.size());
  }
  const DramCounters &channelCounters(unsigned channel) const {
    return channels[channel]->counters();
  }
  Cycle bankBusyCycles() const;
  const ClockDomain &clock() const { return domain; }
  /// Pieces without answer.
  unsigned pending() const { return numPending; }

  /// Called for each DRAM access when tracing: channel, begin, end, bytes,
  /// write.
  using DramObserver = void (*)(void *, unsigned, Cycle, Cycle, uint64_t, bool);
  void observe(DramObserver function, void *context) {
    observer = function;
    observerContext = context;
  }

  uint64_t digest() const;

  void fire(Cycle now, uint32_t kind, uint64_t argument) override;
  void dramDone(uint64_t tag, uint64_t timeFs) override;

private:
  /// A piece on its way to a memory unit, or one that waits for command-level
  /// DRAM.
  struct Transaction {
    MemoryAccess request;
    MemoryClient *client;
    uint32_t token;
    UnitAddress place;
    uint64_t line; // LLC line that the access fills, if any
    bool fillsLine;
    // DRAM access, for the observer.
    uint32_t dramBytes = 0;
    Cycle arrived = 0;
  };
  enum Event : uint32_t { Serve, Arrival, ChannelWake };
  /// What happens in the current cycle: channel wake-ups by number, then
  /// arrivals in the order in which they were asked for.
  struct Due {
    uint64_t key;
    uint32_t index;
    bool operator<(const Due &other) const { return key < other.key; }
  };
  static constexpr uint64_t kFirstArrival = uint64_t(1) << 32;

  bool accessSram(const MemoryAccess &request, MemoryReply &reply);
  bool accessDram(const MemoryAccess &request, MemoryReply &reply,
                  MemoryClient *client, uint32_t token);
  /// An access to DRAM that is at its unit at \p atUnit.
  bool reachDram(const MemoryAccess &request, const UnitAddress &place,
                 Cycle atUnit, MemoryReply &reply, MemoryClient *client,
                 uint32_t token);
  void arrive(uint32_t index, Cycle now);
  bool accessPeWindow(const MemoryAccess &request, MemoryReply &reply);
  bool accessHost(const MemoryAccess &request, MemoryReply &reply);

  Cycle reserveBank(unsigned unit, Cycle at, uint64_t bytes, bool write);
  Cycle arriveAtUnit(const MemoryAccess &request, unsigned unit);
  void deliver(const MemoryAccess &request, unsigned unit, Cycle ready,
               MemoryReply &reply);
  Cycle intoPort(GapTimeline &port, Cycle head, uint64_t bytes);
  void evict(unsigned unit, unsigned channel, uint64_t line, Cycle at);
  /// \returns true and \p done if the channel answers at once.
  bool dramAccess(unsigned channel, uint64_t offset, uint64_t bytes, bool write,
                  Cycle at, uint64_t tag, Cycle &done);
  /// Takes the data that DRAM delivered (or accepted) at \p at onwards.
  void finish(const MemoryAccess &request, unsigned unit, bool fillsLine,
              Cycle at, MemoryReply &reply);
  uint32_t newTransaction(const Transaction &transaction);
  void complete(uint32_t index, Cycle at);
  void scheduleChannel(unsigned channel);
  uint64_t lineOf(const UnitAddress &place) const;

  const ClockDomain domain;
  TimingWheel &wheel;
  std::unique_ptr<Noc> network;
  Interleave map;

  const Divisor bankBytes, portBytes;
  const unsigned sramLatency, lsLatency;
  const unsigned granuleShift;
  const unsigned banksPerChannel, channelsPerBank;
  const bool hasLlc;

  std::vector<GapTimeline> banks;
  std::vector<LlcSlice> slices;
  std::vector<GapTimeline> portsIn, portsOut; // FI ports, by PE
  GapTimeline hostIn, hostOut;
  double hostBytesPerCycle;
  unsigned hostPayload, hostOverhead;
  Cycle hostLatency;

  std::vector<std::unique_ptr<DramChannel>> channels;
  std::vector<BurstChannel *> burst; // same channels, or empty
  std::vector<Cycle> channelWake;
  std::vector<Transaction> transactions;
  std::vector<uint32_t> freeTransactions;
  unsigned numPending = 0;
  uint64_t nextArrival = kFirstArrival;
  std::vector<uint64_t> arrivalKeys; // by transaction
  std::vector<Due> due;
  /// Transactions that hit a line whose fill is under way, by unit and line.
  std::map<std::pair<unsigned, uint64_t>, std::vector<uint32_t>> fillWaiters;

  MemoryCounters count;
  DramObserver observer = nullptr;
  void *observerContext = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_MEMORY_MEMORYSYSTEM_H
