//===- PeHarts.cpp - What instructions of the harts do --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/memory/AddressMap.h"
#include "sim/pe/BarrierNetwork.h"
#include "sim/pe/Pe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;
using isa::Opcode;

unsigned Pe::hartIndex(const Hart &hart) const { return hart.id() % kHarts; }

FaultSite Pe::siteOf(unsigned hart) const {
  return {peNumber, hart, harts[hart].hart->pc(), 0};
}

FaultSite Pe::siteOf(const Command &command) const {
  return {peNumber, command.hart, command.pc, command.word};
}

CustomResult Pe::fail(unsigned hart, FaultKind kind, std::string text) {
  services.faults.fault(kind, siteOf(hart), std::move(text));
  harts[hart].hart->fail(HartErrorKind::Environment, faultName(kind));
  return CustomResult::error();
}

MemResult Pe::failMemory(unsigned hart, FaultKind kind, std::string text) {
  fail(hart, kind, std::move(text));
  return MemResult::error();
}

CustomResult Pe::block(unsigned hart, Block why, unsigned unit,
                       uint64_t argument, bool complete) {
  HartState &state = harts[hart];
  state.block = why;
  state.blockUnit = unit;
  state.blockArgument = argument;
  return complete ? CustomResult::blockComplete() : CustomResult::blockRetry();
}

//===----------------------------------------------------------------------===//
// Custom instructions
//===----------------------------------------------------------------------===//

CustomResult Pe::custom(Hart &hart, uint32_t word, uint64_t rs1, uint64_t rs2,
                        uint64_t cycle) {
  unsigned index = hartIndex(hart);
  std::optional<isa::DecodedXpe> inst = isa::decode(word);
  if (!inst) {
    return fail(index, FaultKind::IllegalInstruction,
                fmt::format("{:#010x} is no instruction of the extension; "
                            "`chipwright show isa` lists them, xpe.h has a "
                            "function for each",
                            word));
  }
  if (isa::instInfo(inst->opcode).isCommand) {
    return issue(index, *inst, word, rs1, cycle);
  }
  switch (inst->opcode) {
  case Opcode::Set:
    return setField(index, *inst, rs1, cycle);
  case Opcode::CbWait:
  case Opcode::CbReserve:
  case Opcode::CbPush:
  case Opcode::CbPop:
  case Opcode::CbSetup:
    return cbInstruction(index, *inst, rs1, cycle);
  case Opcode::SemPost:
  case Opcode::SemWait:
  case Opcode::SemTake:
    return semaphoreInstruction(index, *inst, rs1, rs2, cycle);
  case Opcode::Barrier:
  case Opcode::BarrierHart:
    return barrier(index, *inst, rs1, cycle);
  case Opcode::Fence: {
    HartState &state = harts[index];
    if (state.outstanding != 0 || state.storesDone > cycle) {
      return block(index, Block::Fence);
    }
    return CustomResult::done(cycle + 1);
  }
  case Opcode::Inval:
    hart.invalidateData(rs1, rs2);
    return CustomResult::done(cycle + 1);
  case Opcode::Info:
    return CustomResult::done(cycle + 1, info(index, inst->which));
  case Opcode::Counter: {
    // What the counter says at this cycle is known when the machine gets
    // there.
    HartState &state = harts[index];
    if (cycle > lastEvaluated) {
      services.wheel.post(cycle, Phase::Deliver, this, HartWake, index);
      return block(index, Block::Counter);
    }
    auto which = static_cast<isa::CounterItem>(inst->which);
    uint64_t value = 0;
    if (which == isa::CounterItem::Cycle) {
      value = cycle;
    } else if (which == isa::CounterItem::Commands) {
      value = state.commands;
    } else {
      unsigned engine = counterEngine(which);
      if (engine == kEngines) {
        return fail(index, FaultKind::IllegalInstruction,
                    fmt::format("there is no counter {}", inst->which));
      }
      value = stalls[engine].busy();
    }
    return CustomResult::done(cycle + 1, value);
  }
  case Opcode::Halt:
    return CustomResult::halt();
  default:
    return fail(index, FaultKind::IllegalInstruction,
                isa::disassemble(word) + " has no meaning here");
  }
}

unsigned Pe::counterEngine(isa::CounterItem item) {
  switch (item) {
  case isa::CounterItem::DpeBusy:
    return static_cast<unsigned>(isa::Engine::Dpe);
  case isa::CounterItem::ReBusy:
    return static_cast<unsigned>(isa::Engine::Re);
  case isa::CounterItem::SeBusy:
    return static_cast<unsigned>(isa::Engine::Se);
  case isa::CounterItem::MluBusy:
    return static_cast<unsigned>(isa::Engine::Mlu);
  case isa::CounterItem::FiInBusy:
    return static_cast<unsigned>(isa::Engine::FiIn);
  case isa::CounterItem::FiOutBusy:
    return static_cast<unsigned>(isa::Engine::FiOut);
  default:
    return kEngines;
  }
}

CustomResult Pe::setField(unsigned hart, const isa::DecodedXpe &inst,
                          uint64_t value, Cycle cycle) {
  unsigned contexts = services.spec.cp.contexts;
  if (inst.ctx >= std::max(1u, contexts)) {
    return fail(hart, FaultKind::IllegalInstruction,
                fmt::format("context {} does not exist, the chip has {} "
                            "(cp.contexts); recompile the kernel for it",
                            inst.ctx, contexts));
  }
  if (inst.field >= isa::fieldCount) {
    return fail(hart, FaultKind::IllegalInstruction,
                fmt::format("field {} does not exist, a context has {}; use "
                            "the functions of xpe.h",
                            inst.field, isa::fieldCount));
  }
  harts[hart].contexts[inst.ctx][inst.field] = value;
  return CustomResult::done(cycle + services.spec.cp.writeCycles);
}

CustomResult Pe::cbInstruction(unsigned hart, const isa::DecodedXpe &inst,
                               uint64_t value, Cycle cycle) {
  HartState &state = harts[hart];
  const CpSpec &cp = services.spec.cp;
  if (inst.opcode == Opcode::CbSetup) {
    if (inst.cb >= cbs.size()) {
      return fail(hart, FaultKind::CbMisuse,
                  fmt::format("CB {} does not exist, the chip has {} "
                              "(cp.cbs); use CB 0 to {}",
                              inst.cb, cbs.size(), cbs.size() - 1));
    }
    uint64_t base = value & 0xffffffff, size = value >> 32;
    if (size == 0 || base + size > local.size()) {
      return fail(hart, FaultKind::CbMisuse,
                  fmt::format("CB {} is set up at {} with {} bytes, expected 1 "
                              "byte or more that end within the {} bytes of "
                              "local memory (ls.bytes); make it smaller or "
                              "place it lower",
                              inst.cb, base, size, local.size()));
    }
    CircularBuffer &buffer = cbs[inst.cb];
    if (buffer.configured &&
        (buffer.occupied() != 0 || buffer.writer.hasMove() ||
         buffer.reader.hasMove())) {
      return fail(hart, FaultKind::CbMisuse,
                  fmt::format("CB {} is set up again while {} bytes are in it "
                              "or pointer moves are under way; set a CB up at "
                              "a barrier, when it is empty",
                              inst.cb, buffer.occupied()));
    }
    // Positions in the ring count from zero again.
    for (CachedKey *key : {&cachedKey, &dataKey}) {
      *key = key->cb == inst.cb ? CachedKey() : *key;
    }
    buffer = CircularBuffer();
    buffer.configured = true;
    buffer.base = static_cast<uint32_t>(base);
    buffer.size = static_cast<uint32_t>(size);
    return CustomResult::done(cycle + cp.launchCycles);
  }

  bool write =
      inst.opcode == Opcode::CbReserve || inst.opcode == Opcode::CbPush;
  const char *what = isa::instInfo(inst.opcode).mnemonic;
  if (!checkCb(hart, inst.cb, write, what)) {
    return CustomResult::error();
  }
  CircularBuffer &buffer = cbs[inst.cb];
  PointerSide &side = write ? buffer.writer : buffer.reader;
  if (value > buffer.size) {
    return fail(hart, write ? FaultKind::CbOverflow : FaultKind::CbUnderflow,
                fmt::format("{} of {} bytes, but CB {} holds {}; set it up "
                            "with at least {} bytes, or {} less at a time",
                            what, value, inst.cb, buffer.size, value,
                            inst.opcode == Opcode::CbPush      ? "push"
                            : inst.opcode == Opcode::CbPop     ? "pop"
                            : inst.opcode == Opcode::CbReserve ? "reserve"
                                                               : "wait for"));
  }
  bool pointerMove =
      inst.opcode == Opcode::CbPush || inst.opcode == Opcode::CbPop;
  if (pointerMove) {
    if (state.pointerMoves >= cp.queueCommands) {
      return block(hart, Block::PointerFull, inst.cb);
    }
    // A pop of bytes that this hart itself has not pushed never ends.
    if (!write && buffer.writer.hart == int8_t(hart) &&
        buffer.reader.logical + value > buffer.writer.logical) {
      return fail(hart, FaultKind::CbUnderflow,
                  fmt::format("pop of {} bytes from CB {}, but this hart, its "
                              "producer too, has pushed {} and popped {} "
                              "before; pop at most {}",
                              value, inst.cb, buffer.writer.logical,
                              buffer.reader.logical,
                              buffer.writer.logical - buffer.reader.logical));
    }
    ++state.pointerMoves;
    ++state.outstanding;
    ++state.commands;
    ++count.commands[static_cast<unsigned>(inst.opcode)];
    Cycle from = cycle + cp.launchCycles + cp.dispatchCycles;
    side.close(static_cast<uint32_t>(value), from, /*counted=*/true);
    if (from <= lastEvaluated) {
      // Issue and dispatch take no time: due in this very evaluation.
      dirtySides |= uint64_t(1) << inst.cb;
    } else {
      dueMoves.push_back({from, inst.cb});
      std::push_heap(dueMoves.begin(), dueMoves.end(), std::greater<>());
      wakeAt(from);
    }
    return CustomResult::done(cycle + cp.launchCycles);
  }
  // wait and reserve: a contiguous place, answered when the CP knows.
  if (!checkRange(hart, inst.cb, side.logical, value, write, what)) {
    return CustomResult::error();
  }
  bool there =
      write ? side.logical + value <= buffer.reader.effective + buffer.size
            : buffer.writer.effective >= side.logical + value;
  if (!there) {
    return block(hart, write ? Block::CbReserve : Block::CbWait, inst.cb,
                 value);
  }
  return CustomResult::done(cycle + cp.launchCycles,
                            kLocalBase + buffer.place(side.logical));
}

CustomResult Pe::semaphoreInstruction(unsigned hart,
                                      const isa::DecodedXpe &inst, uint64_t rs1,
                                      uint64_t rs2, Cycle cycle) {
  HartState &state = harts[hart];
  if (inst.opcode == Opcode::SemPost) {
    uint64_t offset = offsetOf(rs1);
    uint64_t inWindow = offset % kPeWindowBytes;
    uint64_t semaphore = (inWindow - kPeSemaphoreOffset) / kSemaphoreBytes;
    if (spaceOf(rs1) != Space::Pe || chipOf(rs1) != 0 ||
        offset / kPeWindowBytes >= services.spec.grid.numPes() ||
        inWindow < kPeSemaphoreOffset || semaphore >= semaphores.size() ||
        inWindow % kSemaphoreBytes != 0) {
      return fail(hart, FaultKind::BadAccess,
                  fmt::format("{:#x} is not the address of a semaphore; "
                              "semaphore s of PE p is at {:#x} + p * {:#x} + s "
                              "* {}, with s below {} and p below {}",
                              rs1, peWindow(0) + kPeSemaphoreOffset,
                              kPeWindowBytes, kSemaphoreBytes,
                              semaphores.size(), services.spec.grid.numPes()));
    }
    if (rs2 >> 32) {
      return fail(hart, FaultKind::BadCommand,
                  fmt::format("a semaphore is incremented by {}, at most "
                              "4294967295 at a time",
                              rs2));
    }
    ++state.outstanding;
    ++count.commands[static_cast<unsigned>(inst.opcode)];
    Cycle from =
        cycle + services.spec.cp.launchCycles + services.spec.cp.dispatchCycles;
    posts.push_back({rs1, rs2, from, state.writesIssued, hart});
    wakeAt(from);
    return CustomResult::done(cycle + services.spec.cp.launchCycles);
  }
  if (inst.sem >= semaphores.size()) {
    return fail(hart, FaultKind::BadAccess,
                fmt::format("semaphore {} does not exist, a PE has {} "
                            "(cp.semaphores); use 0 to {}",
                            inst.sem, semaphores.size(),
                            semaphores.size() - 1));
  }
  uint64_t &value = semaphores[inst.sem];
  bool take = inst.opcode == Opcode::SemTake;
  if (value < rs1) {
    return block(hart, take ? Block::SemTake : Block::SemWait, inst.sem, rs1);
  }
  value -= take ? rs1 : 0;
  return CustomResult::done(cycle + services.spec.cp.launchCycles);
}

CustomResult Pe::barrier(unsigned hart, const isa::DecodedXpe &inst,
                         uint64_t mask, Cycle cycle) {
  auto rows = static_cast<uint32_t>(mask);
  auto cols = static_cast<uint32_t>(mask >> 32);
  bool onlyThis = inst.opcode == Opcode::BarrierHart;
  if (!services.barriers.arrive(peNumber, hart, inst.id, rows, cols, onlyThis,
                                cycle)) {
    return fail(hart, FaultKind::BadCommand,
                fmt::format("barrier over rows {:#x} and columns {:#x} on PE "
                            "{},{}: the mask must hold this PE and no PE "
                            "outside the {}x{} grid",
                            rows, cols, row(), col(), services.spec.grid.rows,
                            services.spec.grid.cols));
  }
  return block(hart, Block::Barrier, inst.id, 0, /*complete=*/true);
}

uint64_t Pe::info(unsigned hart, unsigned which) const {
  switch (static_cast<isa::InfoItem>(which)) {
  case isa::InfoItem::Row:
    return row();
  case isa::InfoItem::Col:
    return col();
  case isa::InfoItem::Rows:
    return services.spec.grid.rows;
  case isa::InfoItem::Cols:
    return services.spec.grid.cols;
  case isa::InfoItem::Hart:
    return hart;
  case isa::InfoItem::Pe:
    return peNumber;
  case isa::InfoItem::LsBytes:
    return local.size();
  case isa::InfoItem::LsBase:
    return peWindow(peNumber);
  case isa::InfoItem::SemBase:
    return peWindow(peNumber) + kPeSemaphoreOffset;
  case isa::InfoItem::PeStride:
    return kPeWindowBytes;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Memory outside the PE
//===----------------------------------------------------------------------===//

bool Pe::cacheable(uint64_t address) const {
  Space space = spaceOf(address);
  return space == Space::Dram || space == Space::Sram;
}

uint32_t Pe::lineVersion(const Hart &, uint64_t address) const {
  return services.memory.lineVersion(address);
}

std::string Pe::outside(const char *what, uint64_t address,
                        unsigned size) const {
  if (spaceOf(address) == Space::Local) {
    return fmt::format("{} of {} bytes at {:#x}; local memory of a PE is "
                       "{:#x} to {:#x}, buffers lie at the addresses that the "
                       "kernel gets as arguments",
                       what, size, address, kLocalBase,
                       kLocalBase + local.size());
  }
  return fmt::format("{} of {} bytes at {:#x} ({}) does not lie in one "
                     "declared buffer; {}",
                     what, size, address, spaceName(spaceOf(address)),
                     services.memory.describeNearest(address));
}

MemResult Pe::load(Hart &hart, uint64_t address, unsigned size, uint64_t cycle,
                   bool cached) {
  unsigned index = hartIndex(hart);
  Buffer *buffer = services.memory.find(address, size);
  if (!buffer) {
    return failMemory(index, FaultKind::BadAccess,
                      outside("load", address, size));
  }
  uint64_t value = 0;
  if (buffer->kind == BufferKind::Control) {
    std::memcpy(&value, buffer->data() + (address - buffer->base), size);
  }
  bool tainted = buffer->kind == BufferKind::Bulk;
  if (!cached) {
    return failMemory(index, FaultKind::BadAccess,
                      outside("uncached load", address, size));
  }
  if (tainted && buffer->data()) {
    std::memcpy(&value, buffer->data() + (address - buffer->base), size);
  }
  return MemResult::done(value, cycle, tainted);
}

MemResult Pe::store(Hart &hart, uint64_t address, unsigned size, uint64_t value,
                    bool tainted, uint64_t cycle) {
  unsigned index = hartIndex(hart);
  HartState &state = harts[index];
  Buffer *buffer = services.memory.find(address, size);
  if (!buffer) {
    return failMemory(index, FaultKind::BadAccess,
                      outside("store", address, size));
  }
  if (buffer->kind == BufferKind::Control && tainted && !buffer->preset) {
    return failMemory(
        index, FaultKind::TaintedControl,
        fmt::format("a value that depends on bulk data is stored to control "
                    "buffer '{}' at {:#x}, whose contents timing may depend "
                    "on; store it to a bulk buffer",
                    buffer->name, address));
  }
  if (buffer->data() && !(buffer->preset && !services.memory.isFunctional())) {
    std::memcpy(buffer->data() + (address - buffer->base), &value, size);
  }
  services.memory.touch(*buffer, address, size);
  // The store buffer takes it; the packet leaves when the machine gets there.
  hartAccesses.push_back({index, address, size, cycle, /*write=*/true});
  ++state.outstanding;
  services.wheel.post(std::max<Cycle>(cycle, lastEvaluated + 1),
                      Phase::Evaluate, this, HartAccess);
  return MemResult::done(0, cycle + 1);
}

MemResult Pe::atomic(Hart &hart, Op, uint64_t address, uint64_t, bool,
                     uint64_t) {
  return failMemory(
      hartIndex(hart), FaultKind::BadAccess,
      fmt::format("atomic access at {:#x}: memory outside the PE has no "
                  "atomics, use a semaphore",
                  address));
}

MemResult Pe::fillLine(Hart &hart, uint64_t address, unsigned bytes,
                       bool instruction, uint64_t cycle) {
  unsigned index = hartIndex(hart);
  HartState &state = harts[index];
  if (instruction) {
    // The resident image lies in the PE; a line of it is read as local memory
    // is, by a port of its own.
    const LsSpec &ls = services.spec.ls;
    return MemResult::done(0, cycle + ls.latencyCycles +
                                  divideUp(bytes, ls.bankBytes));
  }
  if (state.lineFilled == address) {
    state.lineFilled = kNever;
    return MemResult::done(0, cycle);
  }
  if (!services.memory.find(address, 1) &&
      !services.memory.find(address + bytes - 1, 1)) {
    return failMemory(index, FaultKind::BadAccess,
                      outside("load of a cache line", address, bytes));
  }
  hartAccesses.push_back({index, address, bytes, cycle, /*write=*/false});
  services.wheel.post(std::max<Cycle>(cycle, lastEvaluated + 1),
                      Phase::Evaluate, this, HartAccess);
  block(index, Block::Memory);
  state.lineAsked = address;
  return MemResult::blockRetry();
}

/// Hands the harts' accesses of this cycle to the memory system.
void Pe::issueTrain(Cycle now) {
  for (size_t i = 0; i < hartAccesses.size();) {
    if (hartAccesses[i].at > now) {
      ++i;
      continue;
    }
    HartAccessRequest request = hartAccesses[i];
    hartAccesses.erase(hartAccesses.begin() + i);
    MemoryAccess access;
    access.address = request.address;
    access.bytes = static_cast<uint32_t>(std::min<uint64_t>(
        request.bytes,
        services.paths.interleave().granuleRest(request.address)));
    access.kind = request.write ? AccessKind::Write : AccessKind::Read;
    access.at = now;
    access.pe = static_cast<uint16_t>(peNumber);
    MemoryReply reply;
    uint32_t token = request.hart * 2 + request.write;
    if (services.paths.access(access, reply, this, token)) {
      memoryReply(now, token, reply);
    }
  }
}

void Pe::memoryReply(Cycle now, uint32_t token, const MemoryReply &reply) {
  unsigned hart = token / 2;
  HartState &state = harts[hart];
  Cycle at = std::max(reply.done[0], now + 1);
  if (token % 2) {
    state.storesDone = std::max(state.storesDone, at);
    --state.outstanding;
    wakeAt(at);
    return;
  }
  state.lineFilled = state.lineAsked;
  services.wheel.post(at, Phase::Deliver, this, HartWake, hart);
}

CustomResult Pe::fence(Hart &hart, uint32_t, uint64_t cycle) {
  HartState &state = harts[hartIndex(hart)];
  if (state.outstanding != 0 || state.storesDone > cycle) {
    return block(hartIndex(hart), Block::Fence);
  }
  return CustomResult::done(cycle + 1);
}
