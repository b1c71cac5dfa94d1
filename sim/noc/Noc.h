//===- Noc.h - Network on chip: routes and link reservation -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A transfer crosses a fixed list of links. Each link is reserved for
// ceil(bytes / link width) cycles; the head of the transfer reaches link i+1
// a fixed latency after it entered link i (cut-through), later if that link is
// taken. Requests, acknowledgements and semaphore updates are single control
// packets that overtake data at packet boundaries: they cost latency only.
//
// Memory units (SRAM banks with the DRAM channel behind them) and PEs are the
// end points. The two topologies differ in their tables of routes only.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_NOC_NOC_H
#define CHIPWRIGHT_SIM_NOC_NOC_H

#include "chips/ChipSpec.h"
#include "sim/core/Timeline.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chipwright::sim {

/// A link on a route and the latency from the previous link (or the source)
/// to it.
struct RouteLeg {
  uint16_t link;
  uint16_t latency;
};

/// Links of a route while it is built.
struct Path {
  std::vector<RouteLeg> legs;
  uint16_t tailLatency = 0; // from the last link to the destination
  uint16_t hops = 0;        // routers passed, for energy
};

/// A finished route; its legs lie in the network's pool.
struct Route {
  uint32_t firstLeg = 0;
  uint16_t numLegs = 0;
  uint16_t tailLatency = 0;
  uint16_t hops = 0;
  uint32_t headLatency = 0;

  /// Head latency of an uncontended transfer.
  Cycle latency() const { return headLatency; }
};

/// A tree: one trunk to the line's master, then branches whose members leave
/// after some of the branch's links.
struct MulticastRoute {
  struct Exit {
    uint16_t member;  // index within the line
    uint16_t leg;     // number of branch links passed before leaving
    uint16_t latency; // from the last passed link (or trunk end) to the PE
    uint16_t hops;    // routers passed since the trunk's end
  };
  struct Branch {
    std::vector<RouteLeg> legs;
    std::vector<Exit> exits;
  };
  Path trunk;
  std::vector<Branch> branches;
  uint16_t hops = 0; // trunk and whole branches
};

enum class Line { Row, Column };

/// Names, routes and link state of one chip's network.
class Noc {
public:
  virtual ~Noc() = default;

  /// Creates the network that \p spec describes.
  static std::unique_ptr<Noc> create(const ChipSpec &spec);

  unsigned numUnits() const { return units; }
  unsigned numLinks() const { return static_cast<unsigned>(links.size()); }
  const std::string &linkName(unsigned link) const { return names[link]; }
  const GapTimeline &linkState(unsigned link) const { return links[link]; }

  const Route &unitToPe(unsigned unit, unsigned pe) const {
    return toPe[entryOf[unit] * pes + pe];
  }
  const Route &peToUnit(unsigned pe, unsigned unit) const {
    return toUnit[entryOf[unit] * pes + pe];
  }
  /// Latency of a request from \p pe: that of peToUnit(), from a table that is
  /// small enough to stay in the cache of the host.
  Cycle requestLatency(unsigned pe, unsigned unit) const {
    return toUnitLatency[entryOf[unit] * pes + pe];
  }
  /// Brings the links of unitToPe() into the cache of the host.
  void prefetchUnitToPe(unsigned unit, unsigned pe) const {
    __builtin_prefetch(pool.data() + unitToPe(unit, pe).firstLeg);
  }
  const Route &peToPe(unsigned from, unsigned to) const {
    return betweenPes[from * pes + to];
  }
  const MulticastRoute &multicast(unsigned unit, Line line,
                                  unsigned index) const {
    return line == Line::Row ? toRow[entryOf[unit] * rows + index]
                             : toColumn[entryOf[unit] * cols + index];
  }
  /// PE at which the rendezvous of a line is kept (on the grid's diagonal).
  unsigned masterOf(Line line, unsigned index) const {
    return line == Line::Row ? index * cols + index % cols
                             : (index % rows) * cols + index;
  }
  /// PE number of a line's member.
  unsigned memberPe(Line line, unsigned index, unsigned member) const {
    return line == Line::Row ? index * cols + member : member * cols + index;
  }
  std::span<const RouteLeg> legs(const Route &route) const {
    return {&pool[route.firstLeg], route.numLegs};
  }
  /// Latency between the control core and a PE.
  Cycle controlLatency(unsigned pe) const { return control[pe]; }

  /// No later transfer will be ready before \p now.
  void advanceTo(Cycle cycle) { now = cycle; }

  /// Sends \p bytes whose head is ready at \p ready along \p route.
  /// \returns the arrival of the head; the tail follows transferCycles() later
  /// at the earliest.
  Cycle send(const Route &route, Cycle ready, uint64_t bytes);

  /// Sends \p bytes to the members in \p mask. \p arrivals[i] receives the
  /// arrival of the head at member i.
  void sendMulticast(const MulticastRoute &route, uint64_t mask, Cycle ready,
                     uint64_t bytes, Cycle *arrivals);

  Cycle transferCycles(uint64_t bytes) const {
    return divideUp(bytes, linkBytes);
  }

  /// Sum over transfers of bytes times hops; a multicast counts the part of
  /// its tree that reaches members.
  uint64_t hopBytes() const { return hopByteCount; }
  /// Called for each reservation when tracing: link, begin, end, bytes.
  using LinkObserver = void (*)(void *, unsigned, Cycle, Cycle, uint64_t);
  void observe(LinkObserver function, void *context) {
    observer = function;
    observerContext = context;
  }
  void reset();

protected:
  explicit Noc(const ChipSpec &spec);
  unsigned addLink(std::string name);
  Route addRoute(const Path &path);
  /// Sizes the tables for \p count places at which units meet the network.
  void setEntries(unsigned count);

  unsigned rows, cols, pes, units;
  Divisor linkBytes;
  bool contention;
  std::vector<uint32_t> entryOf;   // unit -> place where it meets the network
  std::vector<Route> toPe, toUnit; // by entry and PE
  std::vector<Route> betweenPes;
  std::vector<MulticastRoute> toRow, toColumn;
  std::vector<Cycle> control;

private:
  Cycle reserveLink(unsigned link, Cycle at, Cycle duration, uint64_t bytes);

  std::vector<GapTimeline> links;
  std::vector<RouteLeg> pool;
  std::vector<uint32_t> toUnitLatency; // as toUnit
  std::vector<std::string> names;
  uint64_t hopByteCount = 0;
  Cycle now = 0;
  LinkObserver observer = nullptr;
  void *observerContext = nullptr;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_NOC_NOC_H
