//===- Hart.cpp - State of a hart -----------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Hart.h"

#include "sim/hart/Hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace chipwright::sim {

const char *hartErrorName(HartErrorKind kind) {
  switch (kind) {
  case HartErrorKind::None:
    return "no error";
  case HartErrorKind::IllegalInstruction:
    return "illegal instruction";
  case HartErrorKind::FetchFault:
    return "fetch outside the program";
  case HartErrorKind::MisalignedAccess:
    return "misaligned access";
  case HartErrorKind::BadAccess:
    return "access outside memory";
  case HartErrorKind::StaleLine:
    return "stale cache line";
  case HartErrorKind::TaintedControl:
    return "control depends on bulk data";
  case HartErrorKind::Breakpoint:
    return "breakpoint";
  case HartErrorKind::EnvironmentCall:
    return "environment call";
  case HartErrorKind::Environment:
    return "machine error";
  }
  return "unknown error";
}

Hart::Hart(const HartSpec &hartSpec, HartEnv &hartEnv, uint64_t hart)
    : hash(hashSeed), spec(hartSpec), env(hartEnv), hartId(hart),
      icache(hartSpec.icacheBytes, hartSpec.cacheLineBytes, hartSpec.cacheWays),
      dcache(hartSpec.dcacheBytes, hartSpec.cacheLineBytes,
             hartSpec.cacheWays) {}

bool Hart::addWindow(const HartWindow &window) {
  if (numWindows == maxWindows) {
    return false;
  }
  if (numWindows == 0) {
    fastWindowSize = window.size >= 8 ? window.size - 7 : 0;
  }
  windows[numWindows++] = window;
  return true;
}

void Hart::setImage(std::shared_ptr<const DecodedImage> newImage, bool warm) {
  uint64_t oldPc = pc();
  image = std::move(newImage);
  warmImage = warm;
  warmInstructions();
  setPc(oldPc);
}

void Hart::warmInstructions() {
  icache.clear();
  // Without an instruction cache, instruction memory answers in one cycle.
  fetchMask = icache.enabled() ? ~uint64_t(icache.lineBytes() - 1) : 0;
  fetchLine = 1; // no line starts at an odd address
  if (!image || !warmImage || !icache.enabled()) {
    return;
  }
  uint64_t first = icache.lineOf(image->base());
  uint64_t end = image->base() + 2 * image->halfwords();
  // Consecutive lines spread evenly over the sets, so what fits does not
  // evict itself.
  if (end - first > icache.capacity()) {
    return;
  }
  for (uint64_t line = first; line < end; line += icache.lineBytes()) {
    icache.insert(line, 0);
  }
  fetchMask = 0;
}

void Hart::reset(uint64_t startPc, uint64_t startCycle) {
  regs.fill(0);
  ready.fill(0);
  taint.fill(0);
  localCycle = startCycle;
  hash = hashSeed;
  frm = fflags = 0;
  fflagsTainted = false;
  isHalted = pendingComplete = reservationValid = false;
  reservationAddress = reservationValue = 0;
  mstatus = mie = mtvec = mscratch = mepc = mcause = mtval = 0;
  cycleOffset = instretOffset = trapValue = 0;
  missesOfLoad = 0;
  stats = HartCounters();
  lastError = HartError();
  dcache.clear();
  warmInstructions();
  setPc(startPc);
}

uint64_t Hart::pc() const { return (image ? image->base() : 0) + 2 * index; }

void Hart::setPc(uint64_t newPc) {
  index = (newPc - (image ? image->base() : 0)) >> 1;
}

void Hart::setReg(unsigned reg, uint64_t value, bool isTainted) {
  if (reg != 0 && reg < 64) {
    regs[reg] = value;
    taint[reg] = isTainted;
  }
}

uint64_t Hart::taintMask() const {
  uint64_t mask = 0;
  for (unsigned reg = 0; reg < 64; ++reg) {
    mask |= uint64_t(taint[reg] != 0) << reg;
  }
  return mask;
}

void Hart::resumeAt(uint64_t cycle) {
  if (cycle > localCycle) {
    stats.blockedCycles += cycle - localCycle;
    localCycle = cycle;
  }
}

void Hart::complete(uint64_t nextCycle, uint64_t value, bool isTainted) {
  if (!pendingComplete || !image || !image->contains(pc())) {
    return;
  }
  pendingComplete = false;
  stats.dcacheMisses += missesOfLoad;
  missesOfLoad = 0;
  const DecodedOp &op = image->ops()[index];
  switch (op.op) {
  case Op::Lb:
    value = uint64_t(int64_t(int8_t(value)));
    break;
  case Op::Lh:
    value = uint64_t(int64_t(int16_t(value)));
    break;
  case Op::Lbu:
    value = uint8_t(value);
    break;
  case Op::Lhu:
    value = uint16_t(value);
    break;
  case Op::Lwu:
    value = uint32_t(value);
    break;
  case Op::Flw:
    value |= 0xffffffff00000000;
    break;
  case Op::Lw:
    value = uint64_t(int64_t(int32_t(value)));
    break;
  default:
    if (op.op >= Op::LrW && op.op <= Op::AmomaxuW && op.op != Op::ScW) {
      value = uint64_t(int64_t(int32_t(value)));
    }
    break;
  }
  nextCycle = std::max(nextCycle, localCycle + 1);
  stats.blockedCycles += nextCycle - localCycle - 1;
  localCycle = nextCycle;
  regs[op.rd] = value;
  taint[op.rd] = isTainted;
  ready[op.rd] = nextCycle;
  hash = hashMix(hash, pc());
  ++stats.instructions;
  if (opCounts) {
    ++opCounts->ops[unsigned(op.op)];
    ++opCounts->compressed[unsigned(op.form)];
  }
  index += op.length >> 1;
}

void Hart::fail(HartErrorKind kind, std::string text) {
  if (lastError.kind != HartErrorKind::None) {
    return;
  }
  lastError.kind = kind;
  lastError.pc = pc();
  lastError.word =
      image && image->contains(pc()) ? image->ops()[index].word : 0;
  lastError.text = std::move(text);
}

void Hart::failAccess(const char *what, uint64_t address, unsigned size) {
  std::string memory;
  for (unsigned i = 0; i < numWindows; ++i) {
    memory += fmt::format("{}{:#x}..{:#x}", i ? ", " : "", windows[i].base,
                          windows[i].base + windows[i].size);
  }
  trapValue = address;
  fail(HartErrorKind::BadAccess,
       fmt::format("Hart {} at pc {:#x}: {} of {} bytes at {:#x} lies outside "
                   "the memory it may use ({}).",
                   hartId, pc(), what, size, address,
                   memory.empty() ? "none is mapped" : memory));
}

void Hart::raise(const DecodedOp &op, HartErrorKind kind, uint64_t value,
                 std::string text) {
  if (text.empty()) {
    switch (kind) {
    case HartErrorKind::FetchFault:
      text = fmt::format(
          "Hart {} jumped to pc {:#x}, outside the program's text "
          "{:#x}..{:#x}.",
          hartId, pc(), image->base(), image->base() + 2 * image->halfwords());
      break;
    case HartErrorKind::IllegalInstruction:
      text = fmt::format("Hart {} at pc {:#x}: {:#0{}x} is no instruction of "
                         "{} (hart.isa); compile for it, and keep data out "
                         "of the way of execution.",
                         hartId, pc(), op.word, 2 + 2 * op.length, spec.isa);
      break;
    default:
      text = fmt::format("Hart {} at pc {:#x}: {} ({}).", hartId, pc(),
                         hartErrorName(kind), disassemble(op.word, pc()));
      break;
    }
  }
  trapValue = value;
  fail(kind, std::move(text));
}

void Hart::taintedControl(const DecodedOp &op, unsigned reg, const char *use) {
  raise(op, HartErrorKind::TaintedControl, 0,
        fmt::format("Hart {} at pc {:#x}: '{}' uses {} as {}, but its value "
                    "was computed from bulk data, which timing must not "
                    "depend on; keep control values in control buffers.",
                    hartId, pc(), disassemble(op.word, pc()), registerName(reg),
                    use));
}

uint64_t Hart::digest() const {
  uint64_t value = hashMix(hashSeed, pc());
  for (unsigned reg = 0; reg < 64; ++reg) {
    value = hashMix(value, regs[reg]);
    value = hashMix(value, taint[reg]);
    value =
        hashMix(value, ready[reg] > localCycle ? ready[reg] - localCycle : 0);
  }
  for (uint64_t state :
       {uint64_t(frm), uint64_t(fflags), uint64_t(fflagsTainted),
        uint64_t(isHalted), uint64_t(pendingComplete),
        uint64_t(reservationValid), reservationAddress, reservationValue,
        mstatus, mie, mtvec, mscratch, mepc, mcause, mtval, fetchLine,
        icache.digest(localCycle), dcache.digest(localCycle)}) {
    value = hashMix(value, state);
  }
  return value;
}

} // namespace chipwright::sim
