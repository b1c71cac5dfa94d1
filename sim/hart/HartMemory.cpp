//===- HartMemory.cpp - Memory accesses off the fast path -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Hart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace chipwright::sim {

unsigned atomicBytes(Op op) {
  return op >= Op::LrW && op <= Op::AmomaxuW ? 4 : 8;
}

uint64_t applyAtomic(Op op, uint64_t old, uint64_t operand) {
  bool word = atomicBytes(op) == 4;
  if (word) {
    operand = uint64_t(int64_t(int32_t(operand)));
  }
  // Sign extension keeps both orders: unsigned comparison of extended words
  // agrees with that of the words.
  switch (op) {
  case Op::AmoaddW:
  case Op::AmoaddD:
    return old + operand;
  case Op::AmoxorW:
  case Op::AmoxorD:
    return old ^ operand;
  case Op::AmoandW:
  case Op::AmoandD:
    return old & operand;
  case Op::AmoorW:
  case Op::AmoorD:
    return old | operand;
  case Op::AmominW:
  case Op::AmominD:
    return int64_t(old) < int64_t(operand) ? old : operand;
  case Op::AmomaxW:
  case Op::AmomaxD:
    return int64_t(old) > int64_t(operand) ? old : operand;
  case Op::AmominuW:
  case Op::AmominuD:
    return std::min(old, operand);
  case Op::AmomaxuW:
  case Op::AmomaxuD:
    return std::max(old, operand);
  default:
    return operand;
  }
}

const HartWindow *Hart::windowOf(uint64_t address, unsigned size) const {
  for (unsigned i = 0; i < numWindows; ++i) {
    const HartWindow &window = windows[i];
    uint64_t offset = address - window.base;
    if (offset < window.size && window.size - offset >= size) {
      return &window;
    }
  }
  return nullptr;
}

Hart::Access Hart::statusOf(EnvStatus status) {
  switch (status) {
  case EnvStatus::Done:
  case EnvStatus::Halt:
    return Access::Done;
  case EnvStatus::BlockComplete:
    pendingComplete = true;
    return Access::Blocked;
  case EnvStatus::BlockRetry:
    return Access::Blocked;
  case EnvStatus::Error:
    break;
  }
  fail(HartErrorKind::Environment,
       fmt::format("Hart {} at pc {:#x}: the machine refused '{}'.", hartId,
                   pc(), disassemble(image->ops()[index].word, pc())));
  return Access::Fault;
}

Hart::Access Hart::loadSlow(const DecodedOp &op, uint64_t address,
                            unsigned size, uint64_t &value, bool &tainted,
                            uint64_t &readyAt) {
  if (const HartWindow *window = windowOf(address, size)) {
    std::memcpy(&value, window->data + (address - window->base), size);
    if (window->taint) {
      const uint8_t *marks = window->taint + (address - window->base);
      tainted = std::any_of(marks, marks + size, [](uint8_t m) { return m; });
    }
    readyAt = localCycle + spec.loadCycles;
    return Access::Done;
  }
  const bool cached = dcache.enabled() && env.cacheable(address);
  unsigned lines = 0;
  readyAt = localCycle + spec.loadCycles;
  if (cached) {
    uint64_t lastLine = dcache.lineOf(address + size - 1);
    for (uint64_t line = dcache.lineOf(address);; line += dcache.lineBytes()) {
      ++lines;
      CacheTags::Line *tag = dcache.find(line);
      if (!tag) {
        MemResult fill =
            env.fillLine(*this, line, dcache.lineBytes(), false, localCycle);
        Access access = statusOf(fill.status);
        if (access != Access::Done) {
          return access;
        }
        ++missesOfLoad;
        tag =
            &dcache.insert(line, env.lineVersion(*this, line), fill.readyCycle);
      }
      if (tag->version != env.lineVersion(*this, line)) {
        raise(op, HartErrorKind::StaleLine, address,
              fmt::format(
                  "Hart {} at pc {:#x}: '{}' reads {:#x} from a cache line "
                  "filled before somebody else changed it; invalidate the "
                  "range before reading it.",
                  hartId, pc(), disassemble(op.word, pc()), address));
        return Access::Fault;
      }
      // A hit on a line that is still on its way waits for it.
      readyAt = std::max(readyAt, tag->readyCycle);
      if (line == lastLine) {
        break;
      }
    }
  }
  MemResult read = env.load(*this, address, size, localCycle, cached);
  Access access = statusOf(read.status);
  value = read.value;
  tainted = read.tainted;
  if (!cached) {
    readyAt = std::max(localCycle + 1, read.readyCycle);
  } else if (access == Access::Done) {
    stats.dcacheMisses += missesOfLoad;
    stats.dcacheHits += lines > missesOfLoad ? lines - missesOfLoad : 0;
    missesOfLoad = 0;
  }
  return access;
}

Hart::Access Hart::storeSlow(const DecodedOp &op, uint64_t address,
                             unsigned size, uint64_t value, bool tainted,
                             uint64_t &next) {
  if (const HartWindow *window = windowOf(address, size)) {
    if (!window->writable) {
      trapValue = address;
      raise(op, HartErrorKind::BadAccess, address,
            fmt::format("Hart {} at pc {:#x}: '{}' writes {:#x} in read-only "
                        "memory {:#x}..{:#x}; keep variables out of the "
                        "program's image.",
                        hartId, pc(), disassemble(op.word, pc()), address,
                        window->base, window->base + window->size));
      return Access::Fault;
    }
    std::memcpy(window->data + (address - window->base), &value, size);
    if (window->taint) {
      std::memset(window->taint + (address - window->base), tainted, size);
    }
    window->markWritten(address - window->base, size);
    return Access::Done;
  }
  MemResult written =
      env.store(*this, address, size, value, tainted, localCycle);
  next = std::max(next, written.readyCycle);
  return statusOf(written.status);
}

Hart::Access Hart::atomic(const DecodedOp &op, uint64_t &value, bool &tainted,
                          uint64_t &readyAt) {
  const uint64_t address = regs[op.rs1];
  const unsigned size = atomicBytes(op.op);
  const bool load = op.op == Op::LrW || op.op == Op::LrD;
  const bool conditional = op.op == Op::ScW || op.op == Op::ScD;
  const bool operandTainted = taint[op.rs2];
  if (address & (size - 1)) {
    raise(op, HartErrorKind::MisalignedAccess, address,
          fmt::format("Hart {} at pc {:#x}: '{}' needs an address that is a "
                      "multiple of {}, not {:#x}.",
                      hartId, pc(), disassemble(op.word, pc()), size, address));
    return Access::Fault;
  }
  const HartWindow *window = windowOf(address, size);
  if (!window) {
    // The environment keeps the reservations of its own memory.
    MemResult answer = env.atomic(*this, op.op, address, regs[op.rs2],
                                  operandTainted, localCycle);
    value = size == 4 && !conditional ? uint64_t(int64_t(int32_t(answer.value)))
                                      : answer.value;
    tainted = answer.tainted;
    readyAt = std::max(localCycle + 1, answer.readyCycle);
    return statusOf(answer.status);
  }
  if (!load && !window->writable) {
    return storeSlow(op, address, size, 0, false, readyAt);
  }
  uint8_t *data = window->data + (address - window->base);
  uint8_t *marks =
      window->taint ? window->taint + (address - window->base) : nullptr;
  uint64_t old = 0;
  std::memcpy(&old, data, size);
  if (size == 4) {
    old = uint64_t(int64_t(int32_t(old)));
  }
  bool oldTainted =
      marks && std::any_of(marks, marks + size, [](uint8_t m) { return m; });
  readyAt = localCycle + spec.loadCycles;
  if (load) {
    reservationValid = true;
    reservationAddress = address;
    reservationValue = old;
    value = old;
    tainted = oldTainted;
    return Access::Done;
  }
  bool stores = true;
  uint64_t written = applyAtomic(op.op, old, regs[op.rs2]);
  bool writtenTainted = operandTainted;
  if (conditional) {
    // Whether bulk data changed must not decide: only the address does there.
    stores = reservationValid && reservationAddress == address &&
             (oldTainted || reservationValue == old);
    reservationValid = false;
    value = !stores;
    tainted = false;
  } else {
    value = old;
    tainted = oldTainted;
    bool swap = op.op == Op::AmoswapW || op.op == Op::AmoswapD;
    writtenTainted |= oldTainted && !swap;
  }
  if (stores) {
    std::memcpy(data, &written, size);
    if (marks) {
      std::memset(marks, writtenTainted, size);
    }
    window->markWritten(address - window->base, size);
  }
  return Access::Done;
}

Hart::Access Hart::fetchLines(const DecodedOp &op) {
  uint64_t first = icache.lineOf(pc());
  uint64_t last = icache.lineOf(pc() + op.length - 2);
  for (uint64_t line = first;; line += icache.lineBytes()) {
    if (!icache.find(line)) {
      MemResult fill =
          env.fillLine(*this, line, icache.lineBytes(), true, localCycle);
      Access access = statusOf(fill.status);
      if (access != Access::Done) {
        return access;
      }
      ++stats.icacheMisses;
      icache.insert(line, 0);
      if (fill.readyCycle > localCycle) {
        stats.icacheStalls += fill.readyCycle - localCycle;
        localCycle = fill.readyCycle;
      }
    }
    if (line == last) {
      break;
    }
  }
  fetchLine = last;
  return Access::Done;
}

void Hart::invalidateData(uint64_t address, uint64_t length) {
  dcache.invalidate(address, length);
}

void Hart::invalidateInstructions() {
  icache.clear();
  fetchMask = icache.enabled() ? ~uint64_t(icache.lineBytes() - 1) : 0;
  fetchLine = 1;
}

} // namespace chipwright::sim
