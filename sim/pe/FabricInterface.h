//===- FabricInterface.h - DMA of one PE ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Transfers between local memory and everything else. A DMA command is cut
// into trains (at most `noc.train_bytes`), a train into pieces that lie in one
// interleave granule. Requests leave at one a cycle, at most
// `fi.outstanding_requests` of them unanswered, and not faster than the leaky
// bucket of source shaping lets them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_FABRICINTERFACE_H
#define CHIPWRIGHT_SIM_PE_FABRICINTERFACE_H

#include "sim/memory/MemorySystem.h"
#include "sim/noc/TrainArbiter.h"
#include "sim/pe/Command.h"
#include "sim/pe/PeServices.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

/// A rectangular or indexed block of memory that a DMA command names.
struct TransferBlock {
  uint64_t address;
  int64_t pitch;
  uint32_t rows;                      // really transferred
  uint32_t rowBytes;                  // really transferred
  std::vector<uint64_t> rowAddresses; // indexed transfers
  uint64_t addressOfRow(uint32_t row) const {
    return rowAddresses.empty() ? address + uint64_t(pitch) * row
                                : rowAddresses[row];
  }
  uint64_t bytes() const { return uint64_t(rows) * rowBytes; }
  /// First and last byte of a block without index list.
  uint64_t lowest() const {
    return pitch < 0 && rows ? addressOfRow(rows - 1) : address;
  }
  uint64_t span() const {
    uint64_t step = uint64_t(pitch < 0 ? -pitch : pitch);
    return rows ? step * (rows - 1) + rowBytes : 0;
  }
};

/// Told about the progress of a transfer.
class TransferOwner {
public:
  virtual ~TransferOwner() = default;
  /// All requests are handed on; the next transfer may follow at \p at.
  virtual void transferIssued(uint32_t token, Cycle at) = 0;
  /// All data is there (or acknowledged): per line member for a multicast,
  /// else done[0].
  virtual void transferDone(uint32_t token, const MemoryReply &done) = 0;
};

/// Paces the requests of transfers, one transfer after the other.
class Fetcher final : public TrainSource, public MemoryClient {
public:
  /// \p share: bytes per cycle that source shaping grants, 0 for no limit.
  Fetcher(PeServices &services, unsigned pe, double share, unsigned orderKey);

  struct Transfer {
    TransferBlock block;
    AccessKind kind;
    CachePolicy policy;
    uint64_t members = 0; // multicast
    Line line = Line::Row;
    uint16_t lineIndex = 0;
    TransferOwner *owner;
    uint32_t token;
  };

  /// Queues \p transfer; its first request leaves at \p from or later.
  void start(Transfer transfer, Cycle from);

  /// Cycles in which a request was held back by the outstanding limit and by
  /// source shaping.
  Cycle windowStalls() const { return stalledByWindow; }
  Cycle shapingStalls() const { return stalledByShaping; }
  bool idle() const { return active.empty(); }
  /// Times at which requests were handed on, up to a train each.
  uint64_t trains() const { return numTrains; }

  // TrainSource
  void issueTrain(Cycle now) override;
  unsigned orderKey() const override { return key; }
  // MemoryClient
  void memoryReply(Cycle now, uint32_t token,
                   const MemoryReply &reply) override;

private:
  struct Active {
    Transfer transfer;
    uint32_t row = 0, offset = 0; // next byte to request
    uint32_t openPieces = 0;      // without answer
    bool issued = false;
    bool inUse = false;
    Cycle latest = 0;                     // unicast: last byte so far
    std::unique_ptr<MemoryReply> members; // multicast: the same by member
  };
  /// Requests that were handed on together and are answered together.
  struct Piece {
    uint32_t transfer; // index into active
    uint32_t requests;
    Cycle answered; // kNever before the answer
  };

  void scheduleTrain(Cycle at);
  void finishIfDone(uint32_t index);
  Piece &pieceOf(uint32_t number) {
    return pieces[number & (pieces.size() - 1)];
  }
  void growPieces();
  bool issuePiece(Active &transfer, uint32_t index, Cycle now,
                  uint64_t &budget);

  PeServices &services;
  const unsigned pe, key;
  const Divisor requestBytes;
  const unsigned window;
  const uint64_t trainBytes;
  const Cycle trainCycles;
  // Leaky bucket, in 1/1024 cycles.
  const uint64_t cyclesPerByte1024, burst1024;
  uint64_t theoreticalArrival1024 = 0;

  std::vector<Active> active; // slots
  std::deque<uint32_t> order; // still issuing
  // The window: pieces in order of issue, and the requests that could still
  // leave. Pieces are numbered, which gives their token and their place in a
  // ring; it is no larger than it has had to be, since all of it passes
  // through the cache of the host.
  std::vector<Piece> pieces;
  uint32_t oldestPiece = 0, numPieces = 0;
  uint32_t freeRequests;
  Cycle blockedSince = kNever; // a request waits for room in the window
  Cycle nextIssue = 0;
  Cycle trainAt = kNever;
  bool waitsForAnswer = false;
  Cycle stalledByWindow = 0, stalledByShaping = 0;
  uint64_t numTrains = 0;
};

/// The two directions of a PE's fabric interface and its DMA commands.
class FabricInterface final : public TransferOwner {
public:
  FabricInterface(PeServices &services, Pe &pe);

  /// Starts a dispatched DMA command. Addresses were checked.
  void startIn(const Command &command, TransferBlock block, Cycle now);
  void startOut(const Command &command, TransferBlock block, Cycle now);
  void startPrefetch(const Command &command, TransferBlock block, Cycle now);

  /// Whether another command may be dispatched to this direction.
  bool accepts(bool outbound) const { return outbound ? outFree : inFree; }
  bool idle() const { return openCommands == 0; }

  /// A multicast in which this PE takes part has delivered at \p at.
  void multicastDone(uint32_t slot, Cycle at);

  void transferIssued(uint32_t token, Cycle at) override;
  void transferDone(uint32_t token, const MemoryReply &done) override;

  const Fetcher &fetcher(bool outbound) const { return outbound ? out : in; }
  /// Cycles during which at least one transfer of the direction was under way.
  Cycle activeCycles(bool outbound) const { return activeTime[outbound]; }

private:
  struct Slot {
    Command command;
    bool inUse = false;
    Cycle started = 0;
  };
  uint32_t newSlot(const Command &command, Cycle now);
  void complete(uint32_t slot, Cycle at);

  PeServices &services;
  Pe &pe;
  Fetcher in, out;
  std::deque<Slot> slots; // stable addresses
  bool inFree = true, outFree = true;
  unsigned openCommands = 0;
  Cycle activeTime[2] = {0, 0}, activeUntil[2] = {0, 0};
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_FABRICINTERFACE_H
