//===- MulticastNetwork.cpp -----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/MulticastNetwork.h"

#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

using namespace chipwright;
using namespace chipwright::sim;

MulticastNetwork::MulticastNetwork(PeServices &services) : services(services) {
  const ChipSpec &spec = services.spec;
  const Noc &noc = services.paths.noc();
  double share =
      double(spec.sram.banks) * spec.sram.bankBytes / spec.grid.numPes();
  for (Line line : {Line::Row, Line::Column}) {
    unsigned number = line == Line::Row ? spec.grid.rows : spec.grid.cols;
    for (unsigned index = 0; index < number; ++index) {
      unsigned master = noc.masterOf(line, index);
      // A line's master orders its requests behind those of the PEs; keys are
      // unique because a line has one fetcher.
      unsigned key = spec.grid.numPes() * 4 + lineNumber(line, index);
      LineState state;
      state.line = line;
      state.index = index;
      state.fetcher = std::make_unique<Fetcher>(services, master, share, key);
      lines.push_back(std::move(state));
    }
  }
}

static bool sameBlock(const TransferBlock &a, const TransferBlock &b) {
  return a.address == b.address && a.pitch == b.pitch && a.rows == b.rows &&
         a.rowBytes == b.rowBytes && a.rowAddresses == b.rowAddresses;
}

void MulticastNetwork::join(Pe &pe, uint32_t slot, const Command &command,
                            TransferBlock block, Cycle now) {
  const auto &dma = std::get<isa::DmaInCommand>(command.operands);
  bool isRow = static_cast<isa::McastKind>(dma.mcast) == isa::McastKind::Row;
  Line line = isRow ? Line::Row : Line::Column;
  unsigned index = isRow ? pe.row() : pe.col();
  unsigned member = isRow ? pe.col() : pe.row();
  unsigned number = lineNumber(line, index);
  LineState &state = lines[number];
  Group &group = state.groups[dma.mcastMask];
  group.members.resize(std::bit_width(dma.mcastMask));

  const Noc &noc = services.paths.noc();
  unsigned master = noc.masterOf(line, index);
  Cycle arrival = now + noc.peToPe(pe.number(), master).latency();
  group.members[member].push_back({slot, arrival, std::move(block),
                                   static_cast<CachePolicy>(dma.policy),
                                   command.pc, command.word, command.hart});
  for (uint64_t rest = dma.mcastMask; rest; rest &= rest - 1) {
    if (group.members[std::countr_zero(rest)].empty()) {
      return;
    }
  }
  rendezvous(number, dma.mcastMask, group, now);
}

void MulticastNetwork::rendezvous(unsigned line, uint64_t mask, Group &group,
                                  Cycle now) {
  LineState &state = lines[line];
  unsigned first = static_cast<unsigned>(std::countr_zero(mask));
  const Arrival &reference = group.members[first].front();
  Ready next{now + 1,
             line,
             mask,
             group.rendezvous++,
             reference.block,
             reference.policy,
             std::vector<uint32_t>(group.members.size())};
  for (uint64_t rest = mask; rest; rest &= rest - 1) {
    unsigned member = static_cast<unsigned>(std::countr_zero(rest));
    const Arrival &arrival = group.members[member].front();
    if (!sameBlock(arrival.block, reference.block) ||
        arrival.policy != reference.policy) {
      const Noc &noc = services.paths.noc();
      unsigned one = noc.memberPe(state.line, state.index, first);
      unsigned other = noc.memberPe(state.line, state.index, member);
      unsigned cols = services.spec.grid.cols;
      services.faults.fault(
          FaultKind::MulticastOrder,
          {other, arrival.hart, arrival.pc, arrival.word,
           static_cast<int>(one)},
          fmt::format(
              "multicast {} of {} {} over mask {:#x} asks for {} rows of {} "
              "bytes at {:#x}, but PE {},{} asks for {} rows of {} bytes at "
              "{:#x} as its multicast {} of that mask (pc {:#x}); all members "
              "must issue the same multicasts in the same order",
              group.rendezvous - 1, state.line == Line::Row ? "row" : "column",
              state.index, mask, arrival.block.rows, arrival.block.rowBytes,
              arrival.block.address, one / cols, one % cols,
              reference.block.rows, reference.block.rowBytes,
              reference.block.address, group.rendezvous - 1, reference.pc));
      return;
    }
    next.at = std::max(next.at, arrival.at);
    next.slots[member] = arrival.slot;
  }
  for (uint64_t rest = mask; rest; rest &= rest - 1) {
    group.members[std::countr_zero(rest)].pop_front();
  }
  services.wheel.post(next.at, Phase::Deliver, this, Rendezvous);
  ready.push_back(std::move(next));
}

void MulticastNetwork::fire(Cycle now, uint32_t kind, uint64_t argument) {
  if (kind == Delivered) {
    LineState &line = lines[argument];
    --line.inFlight;
    if (!line.queued.empty()) {
      Ready next = std::move(line.queued.front());
      line.queued.pop_front();
      begin(std::move(next), now);
    }
    return;
  }
  // Rendezvous of one cycle start in an order that does not depend on which
  // PE was evaluated last.
  std::vector<Ready> starting, later;
  for (Ready &entry : ready) {
    (entry.at == now ? starting : later).push_back(std::move(entry));
  }
  ready = std::move(later);
  std::sort(starting.begin(), starting.end(),
            [](const Ready &a, const Ready &b) {
              return std::tie(a.line, a.mask, a.number) <
                     std::tie(b.line, b.mask, b.number);
            });
  for (Ready &entry : starting) {
    LineState &line = lines[entry.line];
    if (line.inFlight == services.spec.noc.multicastCommands) {
      line.queued.push_back(std::move(entry));
    } else {
      begin(std::move(entry), now);
    }
  }
}

void MulticastNetwork::begin(Ready entry, Cycle now) {
  LineState &line = lines[entry.line];
  ++line.inFlight;
  uint32_t token = 0;
  while (token < active.size() && active[token].inUse) {
    ++token;
  }
  if (token == active.size()) {
    active.emplace_back();
  }
  active[token] = {entry.line, entry.mask, std::move(entry.slots), true};
  line.fetcher->start({std::move(entry.block), AccessKind::Read, entry.policy,
                       entry.mask, line.line, static_cast<uint16_t>(line.index),
                       this, token},
                      now);
}

/// Members took their next command when they joined.
void MulticastNetwork::transferIssued(uint32_t, Cycle) {}

void MulticastNetwork::transferDone(uint32_t token, const MemoryReply &done) {
  Active finished = std::move(active[token]);
  active[token].inUse = false;
  const LineState &line = lines[finished.line];
  const Noc &noc = services.paths.noc();
  Cycle last = 0;
  for (uint64_t rest = finished.mask; rest; rest &= rest - 1) {
    unsigned member = static_cast<unsigned>(std::countr_zero(rest));
    last = std::max(last, done.done[member]);
    unsigned pe = noc.memberPe(line.line, line.index, member);
    pes[pe]->fabric().multicastDone(finished.slots[member], done.done[member]);
  }
  // The command is in flight until its last member has the data, which may be
  // known long before.
  services.wheel.post(std::max(last, services.wheel.now() + 1), Phase::Deliver,
                      this, Delivered, finished.line);
}

std::vector<std::string> MulticastNetwork::waits(const PlaceOf &place) const {
  std::vector<std::string> result;
  const Noc &noc = services.paths.noc();
  unsigned cols = services.spec.grid.cols;
  for (const LineState &line : lines) {
    for (const auto &[mask, group] : line.groups) {
      std::string missing, present, from;
      for (uint64_t rest = mask; rest; rest &= rest - 1) {
        unsigned member = static_cast<unsigned>(std::countr_zero(rest));
        unsigned pe = noc.memberPe(line.line, line.index, member);
        bool there =
            member < group.members.size() && !group.members[member].empty();
        std::string &list = there ? present : missing;
        list += fmt::format("{}{},{}", list.empty() ? "" : " and ", pe / cols,
                            pe % cols);
        if (there && from.empty()) {
          const Arrival &arrival = group.members[member].front();
          from = fmt::format("hart {} at {}", arrival.hart, place(arrival.pc));
        }
      }
      if (!present.empty()) {
        result.push_back(fmt::format("multicast {} of {} {} over mask {:#x}: "
                                     "PE {} there, PE {} missing; {}",
                                     group.rendezvous,
                                     line.line == Line::Row ? "row" : "column",
                                     line.index, mask, present, missing, from));
      }
    }
  }
  return result;
}
