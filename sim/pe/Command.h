//===- Command.h - A queued command of a PE ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_SIM_PE_COMMAND_H
#define CHIPWRIGHT_SIM_PE_COMMAND_H

#include "dialects/isa/Xpe.h"
#include "sim/core/Time.h"

#include <array>
#include <variant>
#include <vector>

namespace chipwright::sim {

/// Bytes of a CB that a command reads or writes.
struct CbRange {
  uint64_t position; // absolute, see CircularBuffer.h
  uint32_t bytes;
  uint32_t epoch;
  uint32_t ticket; // outputs: order among the CB's writers
  uint8_t cb;
};

using CommandOperands =
    std::variant<isa::MmlCommand, isa::DmaInCommand, isa::DmaOutCommand,
                 isa::DmaPrefetchCommand, isa::BankInitCommand,
                 isa::ReduceCommand, isa::SeCommand, isa::RowTopkCommand,
                 isa::MluCommand>;

struct Command {
  isa::Opcode opcode;
  isa::Engine engine;
  uint8_t hart;
  uint8_t numInputs, numOutputs;
  int16_t bank;        // accumulator bank, or -1
  uint32_t bankTicket; // order among the bank's commands
  uint32_t word;       // instruction
  uint64_t pc;
  uint64_t number; // of this hart, in program order
  Cycle eligible;  // end of check-and-dispatch
  std::array<CbRange, 5> inputs;
  std::array<CbRange, 2> outputs;
  CommandOperands operands;
};

/// Commands of one hart for one engine, in order.
class CommandQueue {
public:
  explicit CommandQueue(unsigned capacity) : ring(capacity) {}

  bool empty() const { return count == 0; }
  bool full() const { return count == ring.size(); }
  unsigned size() const { return count; }
  Command &front() { return ring[first]; }
  const Command &front() const { return ring[first]; }
  /// \returns a free entry at the back to be filled in.
  Command &push() {
    unsigned at = first + count++;
    return ring[at < ring.size() ? at : at - ring.size()];
  }
  /// Undoes the last push().
  void dropBack() { --count; }
  void pop() {
    first = first + 1 == ring.size() ? 0 : first + 1;
    --count;
  }

private:
  std::vector<Command> ring;
  unsigned first = 0, count = 0;
};

} // namespace chipwright::sim

#endif // CHIPWRIGHT_SIM_PE_COMMAND_H
