//===- StallAccount.h - Where the cycles of an engine went ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Every cycle of an engine is either busy or lost for exactly one cause, so
// that the causes and the busy time sum to the whole. Causes are decided when
// the PE is evaluated and hold until the next evaluation, since nothing
// changes in between.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_STALLACCOUNT_H
#define CHIPWRIGHT_SIM_PE_STALLACCOUNT_H

#include "sim/core/Time.h"

#include <algorithm>
#include <array>

namespace chipwright::sim {

enum class Stall : uint8_t {
  Launch,     // harts not started yet
  Issue,      // no command queued: the hart is computing or writing fields
  Dispatch,   // a command is in check-and-dispatch
  Operands,   // input elements not there
  Space,      // no room for outputs
  Bank,       // accumulator bank in use
  Load,       // cached operand of the DPE being loaded
  Reduction,  // reduction network: sender or receiver not ready
  Rendezvous, // multicast partner missing
  Barrier,    // harts at a barrier
  Semaphore,  // harts at a semaphore
  Memory,     // hart waits for a load or for its writes
  Finished,   // harts have halted, others have not
};
inline constexpr unsigned numStalls = 13;

const char *stallName(Stall stall);

class StallAccount {
public:
  /// The engine works on [begin, end); \p begin is not before the end of
  /// earlier work. [now, begin), if it exists, is lost for \p cause.
  void work(Cycle now, Cycle begin, Cycle end, Stall cause) {
    Cycle idle = std::max(now, idleFrom);
    if (begin > idle) {
      lostCycles[static_cast<unsigned>(cause)] += begin - idle;
    }
    busyCycles += end - begin;
    idleFrom = end;
  }

  /// For an engine with several commands under way: one starts at \p now.
  void open(Cycle now) {
    if (openCommands++ == 0) {
      openBegin = std::max(now, idleFrom);
      openEnd = openBegin;
      idleFrom = kNever;
    }
  }
  /// One that was opened ends at \p at.
  void close(Cycle at) {
    openEnd = std::max(openEnd, at);
    if (--openCommands == 0) {
      busyCycles += openEnd - openBegin;
      idleFrom = openEnd;
    }
  }

  /// Charges the time since \p last, as far as idle, to the present cause.
  void charge(Cycle last, Cycle now) {
    Cycle from = std::max(last, idleFrom);
    if (now > from) {
      lostCycles[static_cast<unsigned>(present)] += now - from;
    }
  }

  void setCause(Stall cause) { present = cause; }
  Stall cause() const { return present; }
  Cycle busyUntil() const { return idleFrom; }

  Cycle busy() const { return busyCycles; }
  Cycle lost(Stall stall) const {
    return lostCycles[static_cast<unsigned>(stall)];
  }

private:
  std::array<Cycle, numStalls> lostCycles{};
  Cycle busyCycles = 0;
  Cycle idleFrom = 0;
  Cycle openBegin = 0, openEnd = 0;
  unsigned openCommands = 0;
  Stall present = Stall::Launch;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_STALLACCOUNT_H
