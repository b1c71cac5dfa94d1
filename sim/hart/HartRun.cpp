//===- HartRun.cpp - Instruction execution of a hart ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The executor keeps local time, position and hash in local variables, because
// stores through byte pointers could otherwise change them; sync() writes them
// back before anything outside this function runs.
//
//===----------------------------------------------------------------------===//

#include "sim/hart/Hart.h"
#include "sim/hart/Hash.h"

#include <algorithm>
#include <cstring>

namespace chipwright::sim {

namespace {

uint64_t extendWord(uint64_t value) {
  return uint64_t(int64_t(int32_t(value)));
}

uint64_t highProductSigned(uint64_t a, uint64_t b) {
  return uint64_t(((__int128)int64_t(a) * int64_t(b)) >> 64);
}
uint64_t highProductUnsigned(uint64_t a, uint64_t b) {
  return uint64_t(((unsigned __int128)a * b) >> 64);
}
uint64_t highProductMixed(uint64_t a, uint64_t b) {
  // The product of a signed and an unsigned 64-bit value fits in 128 bits.
  return uint64_t(((__int128)int64_t(a) * (__int128)b) >> 64);
}

// Division by zero and the one overflow have defined results ("M" chapter).
template <typename S> S divide(S a, S b) {
  if (b == 0) {
    return S(-1);
  }
  if (std::is_signed_v<S> && a == std::numeric_limits<S>::min() && b == S(-1)) {
    return a;
  }
  return a / b;
}
template <typename S> S remainder(S a, S b) {
  if (b == 0) {
    return a;
  }
  if (std::is_signed_v<S> && a == std::numeric_limits<S>::min() && b == S(-1)) {
    return 0;
  }
  return a % b;
}

} // namespace

template <bool Count>
HartStop Hart::execute(uint64_t untilCycle, uint64_t maxInstructions) {
  const DecodedOp *const ops = image->ops();
  const uint64_t halfwords = image->halfwords();
  const uint64_t base = image->base();
  const unsigned loadCycles = spec.loadCycles, mulCycles = spec.mulCycles;
  const unsigned divCycles = std::max(spec.divCycles, 1u);
  const unsigned fpDivCycles = std::max(spec.fpDivCycles, 1u);
  const unsigned fpCycles = spec.fpCycles, branchCycles = spec.branchCycles;
  uint8_t *const windowData = windows[0].data;
  uint8_t *const windowTaint = windows[0].taint;
  const uint64_t windowBase = windows[0].base;
  const uint64_t fastStores = windows[0].writable ? fastWindowSize : 0;
  uint64_t *const x = regs.data();

  uint64_t cycle = localCycle;
  uint64_t at = index;
  uint64_t pcs = hash;
  uint64_t retired = stats.instructions;
  const uint64_t lastRetired = maxInstructions > ~uint64_t(0) - retired
                                   ? ~uint64_t(0)
                                   : retired + maxInstructions;
  HartStop stop = HartStop::CycleLimit;

  auto sync = [&] {
    localCycle = cycle;
    index = at;
    hash = pcs;
    stats.instructions = retired;
  };

  for (;;) {
    if (cycle >= untilCycle) {
      stop = HartStop::CycleLimit;
      break;
    }
    if (retired >= lastRetired) {
      stop = HartStop::InstructionLimit;
      break;
    }
    // A jump may leave the image; falling through its end meets ImageEnd.
    if (__builtin_expect(at > halfwords, false)) {
      sync();
      raise(ops[halfwords], HartErrorKind::FetchFault, pc(), "");
      if (takeTrap()) {
        cycle = localCycle, at = index;
        continue;
      }
      stop = HartStop::Error;
      break;
    }
    const DecodedOp &op = ops[at];
    const uint64_t pcNow = base + 2 * at;
    if (__builtin_expect(
            ((pcNow ^ fetchLine) | ((pcNow + op.length - 2) ^ fetchLine)) &
                fetchMask,
            false)) {
      sync();
      Access fetch = fetchLines(op);
      cycle = localCycle;
      if (fetch != Access::Done) {
        stop = fetch == Access::Blocked ? HartStop::Blocked : HartStop::Error;
        break;
      }
      if (cycle >= untilCycle) {
        continue;
      }
    }
    uint64_t operandsReady = std::max(ready[op.rs1], ready[op.rs2]);
    if (operandsReady > cycle) {
      stats.operandStalls += operandsReady - cycle;
      cycle = operandsReady;
      if (cycle >= untilCycle) {
        continue;
      }
    }

    const uint64_t a = x[op.rs1], b = x[op.rs2];
    const uint64_t imm = uint64_t(int64_t(op.imm));
    bool tainted = taint[op.rs1] | taint[op.rs2];
    uint64_t result = 0;
    uint64_t resultReady = cycle + 1;
    uint64_t next = cycle + 1;
    uint64_t target = at + (op.length >> 1);
    Access access = Access::Done;

    switch (op.op) {
    case Op::Lui:
      result = imm;
      break;
    case Op::Auipc:
      result = pcNow + imm;
      break;
    case Op::Jal:
      result = pcNow + op.length;
      target = at + uint64_t(int64_t(op.imm) >> 1);
      next += branchCycles;
      break;
    case Op::Jalr:
      if (tainted) {
        goto taintedRs1;
      }
      result = pcNow + op.length;
      target = (a + imm - base) >> 1;
      next += branchCycles;
      break;

#define BRANCH(OP, CONDITION)                                                  \
  case Op::OP:                                                                 \
    if (__builtin_expect(tainted, false)) {                                    \
      goto taintedBranch;                                                      \
    }                                                                          \
    if (CONDITION) {                                                           \
      target = at + uint64_t(int64_t(op.imm) >> 1);                            \
      next += branchCycles;                                                    \
    }                                                                          \
    break;
      BRANCH(Beq, a == b)
      BRANCH(Bne, a != b)
      BRANCH(Blt, int64_t(a) < int64_t(b))
      BRANCH(Bge, int64_t(a) >= int64_t(b))
      BRANCH(Bltu, a < b)
      BRANCH(Bgeu, a >= b)
#undef BRANCH

#define LOAD(OP, TYPE, EXTEND)                                                 \
  case Op::OP: {                                                               \
    if (__builtin_expect(tainted, false)) {                                    \
      goto taintedRs1;                                                         \
    }                                                                          \
    uint64_t offset = a + imm - windowBase;                                    \
    TYPE read;                                                                 \
    if (__builtin_expect(offset < fastWindowSize, true)) {                     \
      std::memcpy(&read, windowData + offset, sizeof(read));                   \
      if (windowTaint) {                                                       \
        TYPE marks;                                                            \
        std::memcpy(&marks, windowTaint + offset, sizeof(marks));              \
        tainted = marks != 0;                                                  \
      }                                                                        \
      resultReady = cycle + loadCycles;                                        \
    } else {                                                                   \
      sync();                                                                  \
      uint64_t value = 0;                                                      \
      access =                                                                 \
          loadSlow(op, a + imm, sizeof(read), value, tainted, resultReady);    \
      read = TYPE(value);                                                      \
    }                                                                          \
    result = EXTEND(read);                                                     \
    break;                                                                     \
  }
#define SIGNED(VALUE) uint64_t(int64_t(VALUE))
#define UNSIGNED(VALUE) uint64_t(VALUE)
#define BOXED(VALUE) (UNSIGNED(VALUE) | 0xffffffff00000000)
      LOAD(Lb, int8_t, SIGNED)
      LOAD(Lh, int16_t, SIGNED)
      LOAD(Lw, int32_t, SIGNED)
      LOAD(Ld, uint64_t, UNSIGNED)
      LOAD(Lbu, uint8_t, UNSIGNED)
      LOAD(Lhu, uint16_t, UNSIGNED)
      LOAD(Lwu, uint32_t, UNSIGNED)
      LOAD(Flw, uint32_t, BOXED)
      LOAD(Fld, uint64_t, UNSIGNED)
#undef LOAD
#undef SIGNED
#undef UNSIGNED
#undef BOXED

#define STORE(OP, TYPE)                                                        \
  case Op::OP: {                                                               \
    if (__builtin_expect(taint[op.rs1], false)) {                              \
      goto taintedRs1;                                                         \
    }                                                                          \
    uint64_t offset = a + imm - windowBase;                                    \
    if (__builtin_expect(offset < fastStores, true)) {                         \
      TYPE written = TYPE(b);                                                  \
      std::memcpy(windowData + offset, &written, sizeof(written));             \
      if (windowTaint) {                                                       \
        std::memset(windowTaint + offset, taint[op.rs2], sizeof(written));     \
      }                                                                        \
      windows[0].markWritten(offset, sizeof(written));                         \
    } else {                                                                   \
      sync();                                                                  \
      access = storeSlow(op, a + imm, sizeof(TYPE), b, taint[op.rs2], next);   \
    }                                                                          \
    tainted = false;                                                           \
    break;                                                                     \
  }
      STORE(Sb, uint8_t)
      STORE(Sh, uint16_t)
      STORE(Sw, uint32_t)
      STORE(Sd, uint64_t)
      STORE(Fsw, uint32_t)
      STORE(Fsd, uint64_t)
#undef STORE

#define ALU(OP, VALUE)                                                         \
  case Op::OP:                                                                 \
    result = (VALUE);                                                          \
    break;
      ALU(Addi, a + imm)
      ALU(Slti, int64_t(a) < int64_t(imm))
      ALU(Sltiu, a < imm)
      ALU(Xori, a ^ imm)
      ALU(Ori, a | imm)
      ALU(Andi, a & imm)
      ALU(Slli, a << (imm & 63))
      ALU(Srli, a >> (imm & 63))
      ALU(Srai, uint64_t(int64_t(a) >> (imm & 63)))
      ALU(Add, a + b)
      ALU(Sub, a - b)
      ALU(Sll, a << (b & 63))
      ALU(Slt, int64_t(a) < int64_t(b))
      ALU(Sltu, a < b)
      ALU(Xor, a ^ b)
      ALU(Srl, a >> (b & 63))
      ALU(Sra, uint64_t(int64_t(a) >> (b & 63)))
      ALU(Or, a | b)
      ALU(And, a & b)
      ALU(Addiw, extendWord(a + imm))
      ALU(Slliw, extendWord(a << (imm & 31)))
      ALU(Srliw, extendWord(uint32_t(a) >> (imm & 31)))
      ALU(Sraiw, extendWord(uint64_t(int32_t(a) >> (imm & 31))))
      ALU(Addw, extendWord(a + b))
      ALU(Subw, extendWord(a - b))
      ALU(Sllw, extendWord(a << (b & 31)))
      ALU(Srlw, extendWord(uint32_t(a) >> (b & 31)))
      ALU(Sraw, extendWord(uint64_t(int32_t(a) >> (b & 31))))
      ALU(AddUw, uint32_t(a) + b)
      ALU(Sh1add, (a << 1) + b)
      ALU(Sh2add, (a << 2) + b)
      ALU(Sh3add, (a << 3) + b)
      ALU(Sh1addUw, (uint64_t(uint32_t(a)) << 1) + b)
      ALU(Sh2addUw, (uint64_t(uint32_t(a)) << 2) + b)
      ALU(Sh3addUw, (uint64_t(uint32_t(a)) << 3) + b)
      ALU(SlliUw, uint64_t(uint32_t(a)) << (imm & 63))
#undef ALU

#define MUL(OP, VALUE)                                                         \
  case Op::OP:                                                                 \
    result = (VALUE);                                                          \
    resultReady = cycle + mulCycles;                                           \
    break;
      MUL(Mul, a * b)
      MUL(Mulh, highProductSigned(a, b))
      MUL(Mulhsu, highProductMixed(a, b))
      MUL(Mulhu, highProductUnsigned(a, b))
      MUL(Mulw, extendWord(a * b))
#undef MUL

#define DIV(OP, VALUE)                                                         \
  case Op::OP:                                                                 \
    result = (VALUE);                                                          \
    next = resultReady = cycle + divCycles;                                    \
    break;
      DIV(Div, uint64_t(divide(int64_t(a), int64_t(b))))
      DIV(Divu, divide(a, b))
      DIV(Rem, uint64_t(remainder(int64_t(a), int64_t(b))))
      DIV(Remu, remainder(a, b))
      DIV(Divw, extendWord(uint64_t(divide(int32_t(a), int32_t(b)))))
      DIV(Divuw, extendWord(divide(uint32_t(a), uint32_t(b))))
      DIV(Remw, extendWord(uint64_t(remainder(int32_t(a), int32_t(b)))))
      DIV(Remuw, extendWord(remainder(uint32_t(a), uint32_t(b))))
#undef DIV

    case Op::Fence:
    case Op::FenceI: {
      sync();
      if (op.op == Op::FenceI) {
        invalidateInstructions();
      }
      CustomResult answer = env.fence(*this, op.word, cycle);
      access = statusOf(answer.status);
      next = std::max(next, answer.nextCycle);
      break;
    }
    case Op::Ecall: {
      sync();
      if (!env.ecallHandled()) {
        raise(op, HartErrorKind::EnvironmentCall, 0, "");
        access = Access::Fault;
        break;
      }
      CustomResult answer = env.ecall(*this, cycle);
      access = statusOf(answer.status);
      if (answer.status == EnvStatus::Halt) {
        isHalted = true;
      }
      next = std::max(next, answer.nextCycle);
      break;
    }
    case Op::Ebreak:
      sync();
      raise(op, HartErrorKind::Breakpoint, pcNow, "");
      access = Access::Fault;
      break;
    case Op::Mret: {
      // MPIE (bit 7) moves to MIE (bit 3) and becomes 1.
      uint64_t enabled = mstatus >> 7 & 1;
      mstatus = (mstatus & ~uint64_t(8)) | enabled << 3 | 0x80;
      target = (mepc - base) >> 1;
      next += branchCycles;
      break;
    }
    case Op::Wfi: // no interrupts exist; the specification allows a nop
      break;
    case Op::Csrrw:
    case Op::Csrrs:
    case Op::Csrrc:
    case Op::Csrrwi:
    case Op::Csrrsi:
    case Op::Csrrci:
      sync();
      access = csr(op, result, tainted);
      break;

    case Op::Custom: {
      if (tainted) {
        sync();
        taintedControl(op, taint[op.rs1] ? op.rs1 : op.rs2,
                       "the operand of a command");
        access = Access::Fault;
        break;
      }
      sync();
      CustomResult answer = env.custom(*this, op.word, a, b, cycle);
      access = statusOf(answer.status);
      next = std::max(next, answer.nextCycle);
      resultReady = next;
      tainted = answer.tainted;
      result = answer.value;
      if (answer.status == EnvStatus::Halt) {
        isHalted = true;
      }
      if (!answer.writeRd && access == Access::Done) {
        // rd keeps its value, its taint and its time.
        result = x[op.rd];
        tainted = taint[op.rd];
        resultReady = ready[op.rd];
      }
      break;
    }
    case Op::Illegal:
      sync();
      raise(op, HartErrorKind::IllegalInstruction, op.word, "");
      access = Access::Fault;
      break;
    case Op::ImageEnd:
      sync();
      raise(op, HartErrorKind::FetchFault, pcNow, "");
      access = Access::Fault;
      break;

    default:
      if (op.op >= Op::LrW && op.op <= Op::AmomaxuD) {
        if (taint[op.rs1]) {
          goto taintedRs1;
        }
        sync();
        access = atomic(op, result, tainted, resultReady);
        break;
      }
      // Floating point. Only fused operations have a third source.
      if (ready[op.rs3] > cycle) {
        stats.operandStalls += ready[op.rs3] - cycle;
        cycle = ready[op.rs3];
        continue;
      }
      tainted |= taint[op.rs3] != 0;
      if (!executeFloat(op, tainted, result)) {
        sync();
        raise(op, HartErrorKind::IllegalInstruction, op.word, "");
        access = Access::Fault;
        break;
      }
      switch (op.op) {
      case Op::FdivS:
      case Op::FdivD:
      case Op::FsqrtS:
      case Op::FsqrtD:
        next = resultReady = cycle + fpDivCycles;
        break;
      case Op::FsgnjS:
      case Op::FsgnjnS:
      case Op::FsgnjxS:
      case Op::FsgnjD:
      case Op::FsgnjnD:
      case Op::FsgnjxD:
      case Op::FmvXW:
      case Op::FmvWX:
      case Op::FmvXD:
      case Op::FmvDX:
      case Op::FclassS:
      case Op::FclassD:
        break;
      default:
        resultReady = cycle + fpCycles;
        break;
      }
      break;
    }

    if (__builtin_expect(access != Access::Done, false)) {
      if (access == Access::Blocked) {
        stop = HartStop::Blocked;
        break;
      }
      if (takeTrap()) {
        cycle = localCycle, at = index;
        continue;
      }
      stop = HartStop::Error;
      break;
    }
    x[op.rd] = result;
    taint[op.rd] = tainted;
    ready[op.rd] = resultReady;
    cycle = next;
    pcs = hashMix(pcs, pcNow);
    ++retired;
    at = target;
    if constexpr (Count) {
      ++opCounts->ops[unsigned(op.op)];
      ++opCounts->compressed[unsigned(op.form)];
    }
    if (__builtin_expect(isHalted, false)) {
      stop = HartStop::Halted;
      break;
    }
    continue;

  taintedRs1:
    sync();
    taintedControl(op, op.rs1,
                   op.op == Op::Jalr ? "a jump target" : "an address");
    stop = HartStop::Error;
    break;
  taintedBranch:
    sync();
    taintedControl(op, taint[op.rs1] ? op.rs1 : op.rs2, "a branch condition");
    stop = HartStop::Error;
    break;
  }
  sync();
  return stop;
}

HartStop Hart::run(uint64_t untilCycle, uint64_t maxInstructions) {
  if (lastError.kind != HartErrorKind::None) {
    return HartStop::Error;
  }
  if (isHalted) {
    return HartStop::Halted;
  }
  if (pendingComplete) {
    return HartStop::Blocked;
  }
  if (!image) {
    fail(HartErrorKind::FetchFault, "The hart has no program to run.");
    return HartStop::Error;
  }
  return opCounts ? execute<true>(untilCycle, maxInstructions)
                  : execute<false>(untilCycle, maxInstructions);
}

} // namespace chipwright::sim
