//===- MulticastNetwork.h - Rendezvous of multicast reads -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// All members of a row or column mask issue the same multicast DMA commands in
// the same order. The PE on the grid's diagonal keeps the rendezvous: once the
// last member has room, it fetches once, and routers replicate the replies.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_MULTICASTNETWORK_H
#define CHIPWRIGHT_SIM_PE_MULTICASTNETWORK_H

#include "sim/pe/FabricInterface.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::sim {

class MulticastNetwork final : public TransferOwner, public WheelClient {
public:
  explicit MulticastNetwork(PeServices &services);

  /// Registers the PEs, in order of their numbers.
  void connect(std::vector<Pe *> members) { pes = std::move(members); }

  /// Member \p pe has room for \p command, which occupies \p slot of its
  /// fabric interface.
  void join(Pe &pe, uint32_t slot, const Command &command, TransferBlock block,
            Cycle now);

  /// Rendezvous that lack members, one line each.
  std::vector<std::string> waits(const PlaceOf &place) const;

  const Fetcher &master(Line line, unsigned index) const {
    return *lines[lineNumber(line, index)].fetcher;
  }

  void transferIssued(uint32_t token, Cycle at) override;
  void transferDone(uint32_t token, const MemoryReply &done) override;
  void fire(Cycle now, uint32_t kind, uint64_t argument) override;

private:
  /// Wheel event kinds.
  enum Event : uint32_t {
    Rendezvous, // the last member's message is at the master
    Delivered,  // argument: line; the last member has a command's data
  };

  struct Arrival {
    uint32_t slot;
    Cycle at; // at the master
    TransferBlock block;
    CachePolicy policy;
    uint64_t pc;
    uint32_t word;
    uint8_t hart;
  };
  /// Members of one mask, each with its commands in order.
  struct Group {
    std::vector<std::deque<Arrival>> members;
    uint64_t rendezvous = 0; // number completed
  };
  struct Active {
    unsigned line;
    uint64_t mask;
    std::vector<uint32_t> slots; // by member
    bool inUse = false;
  };
  struct Ready {
    Cycle at;
    unsigned line;
    uint64_t mask;
    uint64_t number;
    TransferBlock block;
    CachePolicy policy;
    std::vector<uint32_t> slots;
  };
  struct LineState {
    Line line;
    unsigned index;
    std::unique_ptr<Fetcher> fetcher;
    std::map<uint64_t, Group> groups;
    std::deque<Ready> queued; // beyond the commands in flight
    unsigned inFlight = 0;
  };

  unsigned lineNumber(Line line, unsigned index) const {
    return line == Line::Row ? index : services.spec.grid.rows + index;
  }
  void begin(Ready ready, Cycle now);
  void rendezvous(unsigned line, uint64_t mask, Group &group, Cycle now);

  PeServices &services;
  std::vector<Pe *> pes;
  std::vector<LineState> lines;
  std::deque<Active> active;
  std::vector<Ready> ready;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_MULTICASTNETWORK_H
