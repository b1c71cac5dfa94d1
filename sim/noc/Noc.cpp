//===- Noc.cpp - Link reservation -----------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/noc/Noc.h"

#include "sim/noc/CrossbarNoc.h"
#include "sim/noc/MeshNoc.h"

#include <utility>

using namespace chipwright;
using namespace chipwright::sim;

std::unique_ptr<Noc> Noc::create(const ChipSpec &spec) {
  std::unique_ptr<Noc> noc;
  if (spec.noc.topology == NocTopology::Mesh) {
    noc = std::make_unique<MeshNoc>(spec);
  } else {
    noc = std::make_unique<CrossbarNoc>(spec);
  }
  for (const Route &route : noc->toUnit) {
    noc->toUnitLatency.push_back(route.headLatency);
  }
  return noc;
}

Noc::Noc(const ChipSpec &spec)
    : rows(spec.grid.rows), cols(spec.grid.cols), pes(spec.grid.numPes()),
      units(spec.sram.banks), linkBytes(spec.noc.linkBytes),
      contention(spec.noc.contention) {
  entryOf.resize(units);
  betweenPes.resize(size_t(pes) * pes);
  control.resize(pes);
}

void Noc::setEntries(unsigned count) {
  toPe.resize(size_t(count) * pes);
  toUnit.resize(size_t(count) * pes);
  toRow.resize(size_t(count) * rows);
  toColumn.resize(size_t(count) * cols);
}

Route Noc::addRoute(const Path &path) {
  Route route;
  route.firstLeg = static_cast<uint32_t>(pool.size());
  route.numLegs = static_cast<uint16_t>(path.legs.size());
  route.tailLatency = path.tailLatency;
  route.hops = path.hops;
  route.headLatency = path.tailLatency;
  for (RouteLeg leg : path.legs) {
    route.headLatency += leg.latency;
    pool.push_back(leg);
  }
  return route;
}

unsigned Noc::addLink(std::string name) {
  links.emplace_back();
  names.push_back(std::move(name));
  return static_cast<unsigned>(links.size() - 1);
}

Cycle Noc::reserveLink(unsigned link, Cycle at, Cycle duration,
                       uint64_t bytes) {
  if (!contention) {
    return at;
  }
  Cycle start = links[link].reserve(now, at, duration);
  if (observer) {
    observer(observerContext, link, start, start + duration, bytes);
  }
  return start;
}

Cycle Noc::send(const Route &route, Cycle ready, uint64_t bytes) {
  Cycle duration = transferCycles(bytes);
  hopByteCount += bytes * route.hops;
  if (!contention) {
    return ready + route.headLatency;
  }
  Cycle at = ready;
  const RouteLeg *leg = pool.data() + route.firstLeg;
  const RouteLeg *end = leg + route.numLegs;
  if (observer) {
    for (; leg != end; ++leg) {
      at = reserveLink(leg->link, at + leg->latency, duration, bytes);
    }
    return at + route.tailLatency;
  }
  GapTimeline *const state = links.data();
  for (; leg != end; ++leg) {
    at = state[leg->link].reserve(now, at + leg->latency, duration);
  }
  return at + route.tailLatency;
}

void Noc::sendMulticast(const MulticastRoute &route, uint64_t mask, Cycle ready,
                        uint64_t bytes, Cycle *arrivals) {
  Cycle duration = transferCycles(bytes);
  Cycle at = ready;
  for (RouteLeg leg : route.trunk.legs) {
    at = reserveLink(leg.link, at + leg.latency, duration, bytes);
  }
  uint64_t hops = route.trunk.hops;
  Cycle trunkEnd = at + route.trunk.tailLatency;
  for (const MulticastRoute::Branch &branch : route.branches) {
    // A branch is reserved only as far as its last member in the mask.
    unsigned needed = 0, branchHops = 0;
    bool used = false;
    for (const MulticastRoute::Exit &exit : branch.exits) {
      if (mask >> exit.member & 1) {
        needed = std::max<unsigned>(needed, exit.leg);
        branchHops = std::max<unsigned>(branchHops, exit.hops);
        used = true;
      }
    }
    if (!used) {
      continue;
    }
    hops += branchHops;
    at = trunkEnd;
    unsigned passed = 0;
    for (const MulticastRoute::Exit &exit : branch.exits) {
      while (passed < exit.leg && passed < needed) {
        RouteLeg leg = branch.legs[passed++];
        at = reserveLink(leg.link, at + leg.latency, duration, bytes);
      }
      if (mask >> exit.member & 1) {
        arrivals[exit.member] = at + exit.latency;
      }
    }
  }
  hopByteCount += bytes * hops;
}

void Noc::reset() {
  for (GapTimeline &link : links) {
    link.reset();
  }
  hopByteCount = 0;
  now = 0;
}
