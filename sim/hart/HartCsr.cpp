//===- HartCsr.cpp - CSRs and traps of a hart -----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The machine-mode state that a bare-metal program needs. Interrupts do not
// exist: mie keeps what is written, mip reads 0. The floating-point unit is
// always on (mstatus.FS reads Dirty) and the previous mode is always M.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Csr.h"
#include "sim/hart/Hart.h"

#include <fmt/format.h>

namespace chipwright::sim {

namespace {

// mstatus: SD (63), FS = Dirty (14:13), MPP = M (12:11) are fixed; MIE (3) and
// MPIE (7) are storage.
constexpr uint64_t mstatusFixed = uint64_t(1) << 63 | 3 << 13 | 3 << 11;
constexpr uint64_t mstatusWritable = 1 << 3 | 1 << 7;
// MXL = 64 bits and the letters A, C, D, F, I, M.
constexpr uint64_t misaValue =
    uint64_t(2) << 62 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 12;

/// Exception codes of mcause.
uint64_t causeOf(HartErrorKind kind, Op op) {
  OpFormat format = opFormat(op);
  bool stores = format == OpFormat::Store || format == OpFormat::FStore ||
                format == OpFormat::Amo;
  switch (kind) {
  case HartErrorKind::FetchFault:
    return 1;
  case HartErrorKind::IllegalInstruction:
    return 2;
  case HartErrorKind::Breakpoint:
    return 3;
  case HartErrorKind::MisalignedAccess:
    return stores ? 6 : 4;
  case HartErrorKind::BadAccess:
    return stores ? 7 : 5;
  case HartErrorKind::EnvironmentCall:
    return 11;
  default:
    return 0;
  }
}

bool isTrap(HartErrorKind kind) {
  return kind == HartErrorKind::FetchFault ||
         kind == HartErrorKind::IllegalInstruction ||
         kind == HartErrorKind::Breakpoint ||
         kind == HartErrorKind::MisalignedAccess ||
         kind == HartErrorKind::BadAccess ||
         kind == HartErrorKind::EnvironmentCall;
}

} // namespace

const char *csrName(uint32_t csr) {
  switch (csr) {
  case CsrFflags:
    return "fflags";
  case CsrFrm:
    return "frm";
  case CsrFcsr:
    return "fcsr";
  case CsrMstatus:
    return "mstatus";
  case CsrMisa:
    return "misa";
  case CsrMie:
    return "mie";
  case CsrMtvec:
    return "mtvec";
  case CsrMscratch:
    return "mscratch";
  case CsrMepc:
    return "mepc";
  case CsrMcause:
    return "mcause";
  case CsrMtval:
    return "mtval";
  case CsrMip:
    return "mip";
  case CsrMcycle:
    return "mcycle";
  case CsrMinstret:
    return "minstret";
  case CsrCycle:
    return "cycle";
  case CsrTime:
    return "time";
  case CsrInstret:
    return "instret";
  case CsrMvendorid:
    return "mvendorid";
  case CsrMarchid:
    return "marchid";
  case CsrMimpid:
    return "mimpid";
  case CsrMhartid:
    return "mhartid";
  default:
    return nullptr;
  }
}

bool Hart::csrGet(uint32_t number, uint64_t &value, bool &tainted) {
  tainted = false;
  switch (number) {
  case CsrFflags:
    value = fflags;
    tainted = fflagsTainted;
    return true;
  case CsrFrm:
    value = frm;
    return true;
  case CsrFcsr:
    value = fcsr();
    tainted = fflagsTainted;
    return true;
  case CsrMstatus:
    value = mstatus | mstatusFixed;
    return true;
  case CsrMisa:
    value = misaValue;
    return true;
  case CsrMie:
    value = mie;
    return true;
  case CsrMtvec:
    value = mtvec;
    return true;
  case CsrMscratch:
    value = mscratch;
    return true;
  case CsrMepc:
    value = mepc;
    return true;
  case CsrMcause:
    value = mcause;
    return true;
  case CsrMtval:
    value = mtval;
    return true;
  case CsrMip:
  case CsrMvendorid:
  case CsrMarchid:
  case CsrMimpid:
    value = 0;
    return true;
  case CsrMcycle:
  case CsrCycle:
    value = localCycle + cycleOffset;
    return true;
  case CsrTime:
    value = localCycle;
    return true;
  case CsrMinstret:
  case CsrInstret:
    value = stats.instructions + instretOffset;
    return true;
  case CsrMhartid:
    value = hartId;
    return true;
  default: {
    bool ok = true;
    value = env.csrRead(*this, number, localCycle, ok);
    return ok;
  }
  }
}

bool Hart::csrSet(uint32_t number, uint64_t value) {
  switch (number) {
  case CsrFflags:
    fflags = value & 31;
    return true;
  case CsrFrm:
    frm = value & 7;
    return true;
  case CsrFcsr:
    fflags = value & 31;
    frm = value >> 5 & 7;
    return true;
  case CsrMstatus:
    mstatus = value & mstatusWritable;
    return true;
  case CsrMisa:
  case CsrMip:
    return true; // writable, all fields fixed
  case CsrMie:
    mie = value;
    return true;
  case CsrMtvec:
    mtvec = value & ~uint64_t(2); // mode 0 or 1; no interrupt makes them differ
    return true;
  case CsrMscratch:
    mscratch = value;
    return true;
  case CsrMepc:
    mepc = value & ~uint64_t(1);
    return true;
  case CsrMcause:
    mcause = value;
    return true;
  case CsrMtval:
    mtval = value;
    return true;
  case CsrMcycle:
    // The instruction that follows reads the value written, plus its distance.
    cycleOffset = value - localCycle - 1;
    return true;
  case CsrMinstret:
    instretOffset = value - stats.instructions - 1;
    return true;
  default:
    return env.csrWrite(*this, number, value, localCycle);
  }
}

Hart::Access Hart::csr(const DecodedOp &op, uint64_t &value, bool &tainted) {
  const uint32_t number = uint32_t(op.imm);
  const bool immediate = opFormat(op.op) == OpFormat::CsrI;
  const bool swap = op.op == Op::Csrrw || op.op == Op::Csrrwi;
  const uint64_t operand = immediate ? op.rm : regs[op.rs1];
  const bool writes = swap || (immediate ? op.rm != 0 : op.rs1 != 0);
  if (!immediate && taint[op.rs1]) {
    taintedControl(op, op.rs1, "a CSR value");
    return Access::Fault;
  }
  const bool readOnly = (number >> 10 & 3) == 3;
  uint64_t old = 0;
  tainted = false;
  bool known = !(writes && readOnly);
  // A swap into x0 does not read.
  if (known && !(swap && op.rd == discardRegister)) {
    known = csrGet(number, old, tainted);
  }
  if (known && writes) {
    bool set = op.op == Op::Csrrs || op.op == Op::Csrrsi;
    uint64_t next = swap ? operand : set ? old | operand : old & ~operand;
    if (swap && (number == CsrFflags || number == CsrFcsr)) {
      fflagsTainted = false;
    }
    known = csrSet(number, next);
  }
  if (lastError.kind != HartErrorKind::None) {
    return Access::Fault;
  }
  if (!known) {
    raise(op, HartErrorKind::IllegalInstruction, op.word,
          fmt::format("Hart {} at pc {:#x}: '{}' {} CSR {:#x}.", hartId, pc(),
                      disassemble(op.word, pc()),
                      writes && readOnly ? "writes the read-only"
                                         : "names the unknown",
                      number));
    return Access::Fault;
  }
  value = old;
  return Access::Done;
}

bool Hart::takeTrap() {
  if (!trapsEnabled || !isTrap(lastError.kind)) {
    return false;
  }
  uint64_t handler = mtvec & ~uint64_t(3);
  if (!image->contains(handler)) {
    return false;
  }
  const Op op = image->contains(pc()) ? image->ops()[index].op : Op::ImageEnd;
  mepc = pc();
  mcause = causeOf(lastError.kind, op);
  mtval = trapValue;
  uint64_t enabled = mstatus >> 3 & 1;
  mstatus = enabled << 7;
  lastError = HartError();
  setPc(handler);
  localCycle += 1 + spec.branchCycles;
  return true;
}

} // namespace chipwright::sim
