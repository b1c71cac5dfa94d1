//===- PeDispatch.cpp - When commands start -------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <algorithm>

using namespace chipwright;
using namespace chipwright::sim;
using isa::Engine;
using isa::Opcode;

bool Pe::inputsThere(const Command &command) const {
  for (unsigned i = 0; i < command.numInputs; ++i) {
    const CbRange &range = command.inputs[i];
    if (cbs[range.cb].writer.effective < range.position + range.bytes) {
      return false;
    }
  }
  return true;
}

bool Pe::outputsFree(const Command &command) const {
  for (unsigned i = 0; i < command.numOutputs; ++i) {
    const CbRange &range = command.outputs[i];
    const CircularBuffer &buffer = cbs[range.cb];
    if (range.position + range.bytes > buffer.reader.effective + buffer.size) {
      return false;
    }
  }
  return true;
}

/// Writers of a CB take effect in program order: one on another engine that
/// was issued earlier must be done. DMA commands of one queue may overlap;
/// their pointer moves are in order by themselves.
bool Pe::writersInOrder(const Command &command) const {
  for (unsigned i = 0; i < command.numOutputs; ++i) {
    const CbRange &range = command.outputs[i];
    for (const auto &writer : cbs[range.cb].openWriters) {
      if (writer.ticket == range.ticket) {
        break;
      }
      if (writer.engine != static_cast<uint8_t>(command.engine)) {
        return false;
      }
    }
  }
  return true;
}

bool Pe::ready(const Command &command, Cycle now, Stall &cause,
               Cycle &known) const {
  known = kNever;
  if (command.eligible > now) {
    cause = Stall::Dispatch;
    known = command.eligible;
    return false;
  }
  if (!inputsThere(command)) {
    cause = Stall::Operands;
    return false;
  }
  if (!outputsFree(command) || !writersInOrder(command)) {
    cause = Stall::Space;
    return false;
  }
  if (command.bank >= 0) {
    const Bank &bank = banks[command.bank];
    cause = Stall::Bank;
    if (bank.started != command.bankTicket) {
      return false;
    }
    // Matrix commands wait inside the DPE, behind the load of their operand.
    if (command.opcode != Opcode::Mml) {
      Cycle free = std::max(bank.productsLanded, bank.accessDone);
      if (free > now) {
        known = free;
        return false;
      }
    }
  }
  if (command.opcode == Opcode::Reduce) {
    const auto &reduce = std::get<isa::ReduceCommand>(command.operands);
    auto direction = static_cast<isa::ReduceDirection>(reduce.direction);
    cause = Stall::Reduction;
    if (reduce.receive) {
      const auto &inbox = services.reduction.inbox(peNumber, direction);
      if (!inbox.full) {
        return false;
      }
      if (inbox.headArrives > now) {
        known = inbox.headArrives;
        return false;
      }
    }
    if (reduce.forward) {
      int next = services.reduction.receiver(peNumber, direction);
      const auto &outbox = services.reduction.inbox(next, direction);
      if (outbox.full) {
        return false;
      }
      if (outbox.freeFrom > now) {
        known = outbox.freeFrom;
        return false;
      }
    }
  }
  return true;
}

bool Pe::dispatch(Cycle now) {
  bool any = false;
  for (unsigned engine = 0; engine < kEngines; ++engine) {
    while (tryStart(engine, now)) {
      any = true;
      if (services.faults.stopped(peNumber)) {
        return false;
      }
    }
  }
  return any;
}

bool Pe::tryStart(unsigned engine, Cycle now) {
  CommandQueue *first = &queues[engine], *second = &queues[kEngines + engine];
  if (first->empty() && second->empty()) {
    return false;
  }
  if (acceptAt[engine] > now) {
    if (acceptAt[engine] != kNever) {
      wakeAt(acceptAt[engine]);
    }
    return false;
  }
  // The older head goes first; a blocked one does not hold the other back.
  if (first->empty() || (!second->empty() &&
                         second->front().eligible < first->front().eligible)) {
    std::swap(first, second);
  }
  for (CommandQueue *queue : {first, second}) {
    if (queue->empty()) {
      continue;
    }
    Stall cause;
    Cycle known;
    Command &command = queue->front();
    if (ready(command, now, cause, known)) {
      start(command, now);
      queue->pop();
      return true;
    }
    if (known != kNever) {
      wakeAt(known);
    }
  }
  return false;
}

Stall Pe::idleCause(unsigned engine) const {
  for (unsigned hart = 0; hart < kHarts; ++hart) {
    const CommandQueue &queue = queues[hart * kEngines + engine];
    if (queue.empty()) {
      continue;
    }
    Stall cause = Stall::Issue;
    Cycle known;
    ready(queue.front(), lastEvaluated, cause, known);
    return cause;
  }
  // Nothing queued: what keeps the harts from issuing?
  bool allHalted = true;
  Stall cause = Stall::Issue;
  for (const HartState &state : harts) {
    switch (state.block) {
    case Block::NotStarted:
      return Stall::Launch;
    case Block::Halted:
      continue;
    case Block::Barrier:
      cause = Stall::Barrier;
      break;
    case Block::SemWait:
    case Block::SemTake:
      cause = Stall::Semaphore;
      break;
    case Block::Fence:
    case Block::Memory:
      cause = Stall::Memory;
      break;
    case Block::CbWait:
      cause = Stall::Operands;
      break;
    case Block::CbReserve:
      cause = Stall::Space;
      break;
    default:
      break;
    }
    allHalted = false;
  }
  return allHalted ? Stall::Finished : cause;
}

//===----------------------------------------------------------------------===//
// What a PE waits for, in words
//===----------------------------------------------------------------------===//

std::string Pe::describe() const {
  std::string text;
  for (unsigned i = 0; i < cbs.size(); ++i) {
    const CircularBuffer &buffer = cbs[i];
    if (!buffer.configured) {
      continue;
    }
    auto moves = [](const PointerSide &side) {
      uint64_t queued = side.logical - side.effective;
      return queued ? fmt::format("{} (+{} queued)", side.effective, queued)
                    : fmt::format("{}", side.effective);
    };
    text +=
        fmt::format("  PE {},{} CB {}: {} of {} bytes at {:#x}, written "
                    "{}, read {}\n",
                    row(), col(), i, buffer.occupied(), buffer.size,
                    buffer.base, moves(buffer.writer), moves(buffer.reader));
  }
  return text;
}

std::string Pe::describeWaits(const PlaceOf &place) const {
  std::string text;
  for (unsigned i = 0; i < kHarts; ++i) {
    const HartState &state = harts[i];
    std::string why;
    switch (state.block) {
    case Block::CbWait:
      why = fmt::format("waits for {} bytes in CB {}, which holds {}",
                        state.blockArgument, state.blockUnit,
                        cbs[state.blockUnit].occupied());
      break;
    case Block::CbReserve:
      why = fmt::format("waits for {} free bytes in CB {}, which has {}",
                        state.blockArgument, state.blockUnit,
                        cbs[state.blockUnit].size -
                            cbs[state.blockUnit].occupied());
      break;
    case Block::QueueFull:
      why = fmt::format("waits for room in its {} queue",
                        isa::toString(isa::Engine(state.blockUnit)));
      break;
    case Block::PointerFull:
      why = fmt::format("waits for pushes or pops of CB {} to take effect",
                        state.blockUnit);
      break;
    case Block::SemWait:
    case Block::SemTake:
      why = fmt::format("waits for semaphore {} to reach {}, it is {}",
                        state.blockUnit, state.blockArgument,
                        semaphores[state.blockUnit]);
      break;
    case Block::Barrier:
      why = fmt::format("waits at barrier {}", state.blockUnit);
      break;
    case Block::Fence:
      why = fmt::format("waits at a fence for {} commands", state.outstanding);
      break;
    case Block::Memory:
    case Block::Counter:
      why = "waits for an answer from memory";
      break;
    case Block::Halted:
      text += fmt::format("  PE {},{} hart {} has halted{}\n", row(), col(), i,
                          state.outstanding
                              ? fmt::format(", {} of its commands are not done",
                                            state.outstanding)
                              : "");
      break;
    case Block::None:
    case Block::NotStarted:
      break;
    }
    if (!why.empty()) {
      text += fmt::format("  PE {},{} hart {} {}, at {}\n", row(), col(), i,
                          why, place(state.hart->pc()));
    }
    for (unsigned engine = 0; engine < kEngines; ++engine) {
      const CommandQueue &queue = queues[i * kEngines + engine];
      if (queue.empty()) {
        continue;
      }
      const Command &command = queue.front();
      Stall cause = Stall::Issue;
      Cycle known;
      bool could = ready(command, lastEvaluated, cause, known);
      std::string detail;
      for (unsigned k = 0; k < command.numInputs; ++k) {
        const CbRange &range = command.inputs[k];
        if (cbs[range.cb].writer.effective < range.position + range.bytes) {
          detail += fmt::format(", CB {} needs {} more bytes", range.cb,
                                range.position + range.bytes -
                                    cbs[range.cb].writer.effective);
        }
      }
      for (unsigned k = 0; k < command.numOutputs; ++k) {
        const CbRange &range = command.outputs[k];
        uint64_t limit = cbs[range.cb].reader.effective + cbs[range.cb].size;
        if (range.position + range.bytes > limit) {
          detail += fmt::format(", CB {} lacks {} free bytes", range.cb,
                                range.position + range.bytes - limit);
        }
      }
      text += fmt::format(
          "  PE {},{} hart {} {} waits for {}{}, at {}\n", row(), col(), i,
          isa::instInfo(command.opcode).mnemonic,
          could ? "its engine" : stallName(cause), detail, place(command.pc));
    }
    if (state.pointerMoves) {
      text += fmt::format("  PE {},{} hart {} has {} pushes or pops without "
                          "effect\n",
                          row(), col(), i, state.pointerMoves);
    }
  }
  return text;
}
