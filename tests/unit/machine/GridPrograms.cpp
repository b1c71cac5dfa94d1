//===- GridPrograms.cpp - Barriers, semaphores, networks ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Programs on the PEs of a 2 x 2 rectangle. Each PE's time counts from its own
// start; PE (r, c) starts controlLatency(r, c) after the control core has sent
// the job, so absolute times are T + controlLatency.
//
//===----------------------------------------------------------------------===//

#include "tests/unit/machine/Microprograms.h"

#include <algorithm>
#include <array>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::divideUp;

namespace {

constexpr unsigned kSide = 2;

Micro onGrid(const ChipSpec &spec) {
  Micro micro(spec);
  micro.rows = micro.cols = kSide;
  return micro;
}

Cycle step(const ChipSpec &spec) { return std::max(1u, spec.cp.launchCycles); }

/// A PE whose harts halt at once.
Cycle idleFinish(const ChipSpec &spec) {
  return HartProgram::prologueCycles(spec) + 1;
}

} // namespace

Micro test::gridBarrier(const ChipSpec &spec) {
  // All harts of the four PEs meet; PE 1,1 comes 50 cycles late. Arrivals
  // travel to the middle of the rectangle, PE 0,0 (rounded down), the release
  // travels back.
  Micro micro = onGrid(spec);
  Cycle hop = spec.control.barrierHopCycles, latest = 0;
  for (unsigned row = 0; row < kSide; ++row) {
    for (unsigned col = 0; col < kSide; ++col) {
      for (unsigned hart = 0; hart < 2; ++hart) {
        HartCode &code = micro.program.on(row, col, hart);
        code.idle(row + col == 2 ? 50 : 0).barrier(1, 3, 3);
        Cycle arrives =
            controlLatency(spec, row, col) + micro.program.reached(code);
        latest = std::max(latest, arrives + (row + col) * hop);
      }
    }
  }
  Cycle released = latest + std::max(1u, spec.control.barrierCycles);
  std::vector<PeFinish> finishes;
  for (unsigned row = 0; row < kSide; ++row) {
    for (unsigned col = 0; col < kSide; ++col) {
      Cycle goesOn = released + (row + col) * hop;
      finishes.push_back(
          {row, col, goesOn - controlLatency(spec, row, col) + 1});
    }
  }
  micro.cycles = kernelCycles(spec, finishes);
  return micro;
}

Micro test::gridSemaphore(const ChipSpec &spec) {
  // PE 0,0 and PE 0,1 post to a semaphore of PE 1,1, which waits for both.
  constexpr unsigned kSemaphore = 3;
  Micro micro = onGrid(spec);
  unsigned target = spec.grid.cols + 1;
  uint64_t address = sim::peWindow(target) + sim::kPeSemaphoreOffset +
                     kSemaphore * sim::kSemaphoreBytes;
  std::array<Cycle, 2> arrives;
  std::vector<PeFinish> finishes = {{1, 0, idleFinish(spec)}};
  for (unsigned col = 0; col < kSide; ++col) {
    HartCode &code = micro.program.on(0, col, 0);
    code.semPost(address, 5);
    Cycle issue = micro.program.reached(code) - step(spec);
    // A post leaves the command processor like a command and travels.
    Cycle leaves = eligible(spec, issue);
    arrives[col] = controlLatency(spec, 0, col) + leaves +
                   std::max<Cycle>(1, wayBetween(spec, 1, 1 - col));
    finishes.push_back(
        {0, col, std::max(leaves, micro.program.reached(code) + 1)});
  }
  std::sort(arrives.begin(), arrives.end());
  HartCode &waiter = micro.program.on(1, 1, 0);
  waiter.semWait(kSemaphore, 10);
  Cycle waits =
      controlLatency(spec, 1, 1) + micro.program.reached(waiter) - step(spec);
  // Updates of a PE's semaphores take cp.atomic_cycles each, one by one.
  Cycle updated = arrives[0] + spec.cp.atomicCycles;
  updated = std::max(updated, arrives[1]) + spec.cp.atomicCycles;
  Cycle goesOn = std::max(waits, updated) + step(spec);
  finishes.push_back({1, 1, goesOn - controlLatency(spec, 1, 1) + 1});
  micro.cycles = kernelCycles(spec, finishes);
  return micro;
}

Micro test::gridReduce(const ChipSpec &spec) {
  // PE 0,0 sends a bank down; PE 1,0 adds its own and sends the sum right;
  // PE 1,1 receives it.
  constexpr unsigned kRows = 16, kCols = 48;
  Micro micro = onGrid(spec);
  Cycle duration =
      std::max<Cycle>(1, divideUp(kRows * kCols * 4, spec.re.linkBytes));
  Cycle head = std::max(1u, spec.re.hopCycles);
  auto reduce = [&](unsigned row, unsigned col, isa::ReduceDirection direction,
                    bool receive, bool forward) {
    HartCode &code = micro.program.on(row, col, 0);
    isa::ReduceCommand command;
    command.rows = kRows;
    command.cols = kCols;
    command.direction = uint32_t(direction);
    command.receive = receive;
    command.forward = forward;
    code.bind(0, command).go(Opcode::Reduce, 0);
    return controlLatency(spec, row, col) +
           eligible(spec, micro.program.reached(code) - step(spec));
  };
  // A direction is of the whole command, so the middle PE receives from above
  // with one and sends to the right with another.
  Cycle sends = reduce(0, 0, isa::ReduceDirection::Down, false, true);
  Cycle receives = reduce(1, 0, isa::ReduceDirection::Down, true, false);
  Cycle forwards = reduce(1, 0, isa::ReduceDirection::Right, false, true);
  Cycle takes = reduce(1, 1, isa::ReduceDirection::Right, true, false);
  // The receiver starts when the head is there and works at the link's rate.
  Cycle sent = sends + duration;
  receives = std::max(receives, sends + head);
  Cycle received = receives + duration;
  forwards = std::max(forwards, received); // same bank, same engine
  Cycle forwarded = forwards + duration;
  takes = std::max(takes, forwards + head);
  Cycle taken = takes + duration;
  micro.cycles =
      kernelCycles(spec, {{0, 0, sent - controlLatency(spec, 0, 0)},
                          {0, 1, idleFinish(spec)},
                          {1, 0, forwarded - controlLatency(spec, 1, 0)},
                          {1, 1, taken - controlLatency(spec, 1, 1)}});
  return micro;
}

//===----------------------------------------------------------------------===//
// Multicast and transfers between PEs
//===----------------------------------------------------------------------===//

/// Issues \p dma on hart 0 of a PE as its last command so far.
/// \returns its absolute E.
static Cycle issueOn(const ChipSpec &spec, Micro &micro, unsigned row,
                     unsigned col, const isa::DmaInCommand &dma,
                     bool setup = true) {
  HartCode &code = micro.program.on(row, col, 0);
  if (setup) {
    code.cbSetup(0, 0, 64 << 10);
  }
  code.bind(0, dma).go(Opcode::DmaIn, 0);
  return controlLatency(spec, row, col) +
         eligible(spec, micro.program.reached(code) - step(spec));
}

static isa::DmaInCommand readOf(uint64_t address, unsigned bytes) {
  isa::DmaInCommand dma;
  dma.addr = address;
  dma.rows = dma.validRows = 1;
  dma.rowBytes = dma.validBytes = bytes;
  return dma;
}

Micro test::gridMulticast(const ChipSpec &spec) {
  // The two PEs of row 0 fetch 2 KiB together, on a chip with one memory unit
  // at the north side (west edge of a mesh).
  constexpr unsigned kBytes = 2048;
  Micro micro = onGrid(spec);
  isa::DmaInCommand dma = readOf(kSramBase, kBytes);
  dma.mcast = uint32_t(isa::McastKind::Row);
  dma.mcastMask = 3;
  std::array<Cycle, kSide> start;
  for (unsigned col = 0; col < kSide; ++col) {
    start[col] = issueOn(spec, micro, 0, col, dma);
  }
  Cycle granule = spec.memory.interleaveBytes, pieces = kBytes / granule;
  Cycle requests = granule / spec.fi.requestBytes;
  Cycle bank = divideUp(granule, spec.sram.bankBytes);
  Cycle link = divideUp(granule, spec.noc.linkBytes);
  Cycle port = divideUp(granule, spec.fi.portBytes);
  Cycle way = wayToUnit(spec, 0, 0, 0);
  Cycle hop = spec.noc.hopCycles;
  std::array<Cycle, kSide> done;
  if (spec.noc.multicast) {
    // The row's master, PE 0,0, starts when the later member's message is
    // there, at least a cycle after its command. One fetch serves both; the
    // copy for PE 0,1 travels one hop further.
    Cycle rendezvous =
        std::max({start[0], start[1] + hop, std::max(start[0], start[1]) + 1});
    if (spec.noc.topology == NocTopology::Mesh) {
      rendezvous = std::max(
          {start[0], start[1] + 2 * hop, std::max(start[0], start[1]) + 1});
    }
    Cycle pace = std::max({requests, bank, link, port});
    for (unsigned col = 0; col < kSide; ++col) {
      done[col] = rendezvous + 2 * way + col * hop + spec.sram.latencyCycles +
                  std::max(link, port) + spec.ls.latencyCycles +
                  (pieces - 1) * pace;
    }
  } else {
    // Each member fetches for itself. On the crossbar the columns have links
    // of their own, so the two share only the bank. Requests that leave in the
    // same cycle are served in the order of arbitration; here the later start
    // of PE 0,1 decides. The bank serves PE 0,0 first as far as it asked
    // before PE 0,1 did.
    std::array<Cycle, kSide> asked = start;
    std::array<Cycle, kSide> linkFree{}, portFree{}, left{pieces, pieces};
    Cycle bankFree = 0;
    while (left[0] + left[1] != 0) {
      // Trains of the whole transfer are asked for in one go.
      unsigned col = left[0] != 0 ? 0 : 1;
      Cycle atBank = std::max(asked[col] + way, bankFree);
      bankFree = atBank + bank;
      Cycle head =
          std::max(atBank + spec.sram.latencyCycles + spec.noc.crossbarCycles,
                   linkFree[col]);
      linkFree[col] = head + link;
      Cycle in = std::max(head + way - spec.noc.crossbarCycles +
                              (link > port ? link - port : 0),
                          portFree[col]);
      portFree[col] = in + port;
      done[col] = portFree[col] + spec.ls.latencyCycles;
      asked[col] += requests;
      --left[col];
    }
  }
  micro.cycles =
      kernelCycles(spec, {{0, 0, done[0] - controlLatency(spec, 0, 0)},
                          {0, 1, done[1] - controlLatency(spec, 0, 1)},
                          {1, 0, idleFinish(spec)},
                          {1, 1, idleFinish(spec)}});
  return micro;
}

Micro test::gridNeighbourRead(const ChipSpec &spec) {
  // PE 0,0 reads 128 bytes of PE 1,1's local memory.
  constexpr unsigned kBytes = 128;
  Micro micro = onGrid(spec);
  unsigned target = spec.grid.cols + 1;
  Cycle start =
      issueOn(spec, micro, 0, 0, readOf(sim::peWindow(target) + 1024, kBytes));
  Cycle link = divideUp(kBytes, spec.noc.linkBytes);
  Cycle port = divideUp(kBytes, spec.fi.portBytes);
  // Request, local memory there, the reply's head, its bytes, local memory.
  Cycle done = start + wayBetween(spec, 1, 1) + spec.ls.latencyCycles +
               wayBetween(spec, 1, 1) + std::max(link, port) +
               spec.ls.latencyCycles;
  micro.cycles = kernelCycles(spec, {{0, 0, done - controlLatency(spec, 0, 0)},
                                     {0, 1, idleFinish(spec)},
                                     {1, 0, idleFinish(spec)},
                                     {1, 1, idleFinish(spec)}});
  return micro;
}

Micro test::gridTrains(const ChipSpec &spec) {
  // PE 0,0 and PE 1,0 read 8 KiB each over the link of column 0, which binds.
  // PE 0,0 then works for long, so that the time at which its transfer ends
  // shows. Trains of the two alternate on the link.
  constexpr unsigned kBytes = 8192;
  Micro micro = onGrid(spec);
  std::array<Cycle, kSide> start;
  for (unsigned row = 0; row < kSide; ++row) {
    start[row] = issueOn(spec, micro, row, 0, readOf(kSramBase, kBytes));
  }
  Cycle granule = spec.memory.interleaveBytes;
  Cycle link = divideUp(granule, spec.noc.linkBytes);
  Cycle port = divideUp(granule, spec.fi.portBytes);
  Cycle bank = divideUp(granule, spec.sram.bankBytes);
  Cycle requests = granule / spec.fi.requestBytes;
  Cycle lookAhead = divideUp(spec.noc.trainBytes, spec.fi.portBytes);
  std::array<Cycle, kSide> next = start, asked = start, portFree{}, done{};
  std::array<uint64_t, kSide> left{kBytes, kBytes};
  Cycle bankFree = 0, linkFree = 0;
  while (left[0] + left[1] != 0) {
    // The PE whose next train is due first; the starts differ by a hop, so
    // trains are never due together unless both wait.
    unsigned row = left[1] == 0 || (left[0] != 0 && next[0] <= next[1]) ? 0 : 1;
    Cycle now = next[row];
    uint64_t budget = spec.noc.trainBytes;
    while (left[row] != 0 && budget != 0 && asked[row] <= now + lookAhead) {
      Cycle at = std::max(asked[row], now);
      Cycle atBank = std::max(at + wayToUnit(spec, 0, row, 0), bankFree);
      bankFree = atBank + bank;
      Cycle head = std::max(
          atBank + spec.sram.latencyCycles + spec.noc.crossbarCycles, linkFree);
      linkFree = head + link;
      Cycle in =
          std::max(head + wayToUnit(spec, 0, row, 0) - spec.noc.crossbarCycles +
                       (link > port ? link - port : 0),
                   portFree[row]);
      portFree[row] = in + port;
      done[row] = portFree[row] + spec.ls.latencyCycles;
      asked[row] = at + requests;
      left[row] -= granule;
      budget -= granule;
    }
    next[row] = std::max(asked[row], now + 1);
  }
  HartCode &code = micro.program.on(0, 0, 0);
  code.fence().idle(1500);
  Cycle finish = done[0] - controlLatency(spec, 0, 0) + 1 + 1500 + 1;
  micro.cycles =
      kernelCycles(spec, {{0, 0, finish},
                          {0, 1, idleFinish(spec)},
                          {1, 0, done[1] - controlLatency(spec, 1, 0)},
                          {1, 1, idleFinish(spec)}});
  return micro;
}

Micro test::gridMulticastCommands(const ChipSpec &spec) {
  // Row 0 fetches eight blocks of one granule, each a multicast of its own.
  // The master keeps multicast_commands of them in flight.
  constexpr unsigned kCommands = 8;
  Micro micro = onGrid(spec);
  unsigned granule = spec.memory.interleaveBytes;
  isa::DmaInCommand dma = readOf(kSramBase, granule);
  dma.mcast = uint32_t(isa::McastKind::Row);
  dma.mcastMask = 3;
  Cycle requests = granule / spec.fi.requestBytes;
  Cycle bank = divideUp(granule, spec.sram.bankBytes);
  Cycle link = divideUp(granule, spec.noc.linkBytes);
  Cycle port = divideUp(granule, spec.fi.portBytes);
  Cycle hop = spec.noc.hopCycles;
  Cycle pace = std::max({bank, link, port});
  std::array<Cycle, kCommands> first{}, last{};
  Cycle asked = 0, service = 0, done0 = 0;
  for (unsigned i = 0; i < kCommands; ++i) {
    std::array<Cycle, kSide> start;
    for (unsigned col = 0; col < kSide; ++col) {
      // The members' fields are bound once; later commands repeat them.
      HartCode &code = micro.program.on(0, col, 0);
      if (i == 0) {
        code.cbSetup(0, 0, 64 << 10);
      }
      if (i == 0 || spec.cp.contexts == 0) {
        code.bind(0, dma);
      }
      code.go(Opcode::DmaIn, 0);
      start[col] = controlLatency(spec, 0, col) +
                   eligible(spec, micro.program.reached(code) - step(spec));
    }
    Cycle rendezvous =
        std::max({start[0], start[1] + hop, std::max(start[0], start[1]) + 1});
    unsigned depth = spec.noc.multicastCommands;
    // A command beyond the depth starts when the last member has the data of
    // the one that makes room.
    if (i >= depth) {
      rendezvous = std::max(rendezvous, last[i - depth]);
    }
    first[i] = std::max(rendezvous, asked);
    asked = first[i] + requests;
    service = std::max(first[i], i == 0 ? 0 : service + pace);
    done0 = service + 2 * wayToUnit(spec, 0, 0, 0) + spec.sram.latencyCycles +
            std::max(link, port) + spec.ls.latencyCycles;
    last[i] = done0 + hop;
  }
  micro.cycles = kernelCycles(
      spec, {{0, 0, done0 - controlLatency(spec, 0, 0)},
             {0, 1, last[kCommands - 1] - controlLatency(spec, 0, 1)},
             {1, 0, idleFinish(spec)},
             {1, 1, idleFinish(spec)}});
  return micro;
}
