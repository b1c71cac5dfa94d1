//===- MachineCode.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/command_processor/MachineCode.h"

#include "dialects/isa/Xpe.h"
#include "sim/memory/AddressMap.h"

#include <algorithm>
#include <cassert>
#include <cstring>

using namespace chipwright;
using namespace chipwright::test;
using isa::DecodedXpe;
using isa::Opcode;

namespace {

/// Registers by their RISC-V numbers.
enum Reg : uint8_t {
  Zero = 0,
  Sp = 2,
  T0 = 5,
  T1 = 6,
  T2 = 7,
  S0 = 8, // control record
  A0 = 10,
  A1 = 11,
  S2 = 18, // loop counters by depth: S2, S3, ...
  T5 = 30, // address of the control record in the making
  T6 = 31, // scalar that hart 0 handed over
};

/// A little assembler for RV64I.
class Assembler {
public:
  void word(uint32_t value) { words.push_back(value); }
  size_t here() const { return words.size(); }

  void addi(Reg rd, Reg rs, int32_t value) {
    word(uint32_t(value) << 20 | rs << 15 | 0 << 12 | rd << 7 | 0x13);
  }
  void slli(Reg rd, Reg rs, unsigned amount) {
    word(amount << 20 | rs << 15 | 1 << 12 | rd << 7 | 0x13);
  }
  void add(Reg rd, Reg a, Reg b) {
    word(b << 20 | a << 15 | rd << 7 | 0x33);
  }
  void mul(Reg rd, Reg a, Reg b) {
    word(1u << 25 | b << 20 | a << 15 | rd << 7 | 0x33);
  }
  void ld(Reg rd, Reg base, int32_t offset) {
    word(uint32_t(offset) << 20 | base << 15 | 3 << 12 | rd << 7 | 0x03);
  }
  void sd(Reg source, Reg base, int32_t offset) {
    uint32_t o = uint32_t(offset);
    word((o >> 5 & 0x7f) << 25 | source << 20 | base << 15 | 3 << 12 |
         (o & 0x1f) << 7 | 0x23);
  }
  /// Branches if \p a is (not) \p b; the target is set by patch().
  size_t branch(bool ifEqual, Reg a, Reg b) {
    word(b << 20 | a << 15 | (ifEqual ? 0 : 1) << 12 | 0x63);
    return here() - 1;
  }
  size_t jump() {
    word(0x6f);
    return here() - 1;
  }
  void patchBranch(size_t at, size_t target) {
    uint32_t o = uint32_t((int64_t(target) - int64_t(at)) * 4);
    words[at] |= (o >> 12 & 1) << 31 | (o >> 5 & 0x3f) << 25 |
                 (o >> 1 & 0xf) << 8 | (o >> 11 & 1) << 7;
  }
  void patchJump(size_t at, size_t target) {
    uint32_t o = uint32_t((int64_t(target) - int64_t(at)) * 4);
    words[at] |= (o >> 20 & 1) << 31 | (o >> 1 & 0x3ff) << 21 |
                 (o >> 11 & 1) << 20 | (o >> 12 & 0xff) << 12;
  }
  /// Loads any constant, eleven bits at a time.
  void li(Reg rd, uint64_t value) {
    int64_t number = int64_t(value);
    if (number >= -2048 && number < 2048) {
      addi(rd, Zero, int32_t(number));
      return;
    }
    int64_t low = number << 53 >> 53; // sign-extended low eleven bits
    li(rd, uint64_t(int64_t(value - uint64_t(low)) >> 11));
    slli(rd, rd, 11);
    if (low != 0) {
      addi(rd, rd, int32_t(low));
    }
  }
  void xpe(const DecodedXpe &inst) {
    auto encoded = isa::encode(inst);
    assert(encoded && "operand out of range");
    word(encoded.value_or(0));
  }

  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> result(words.size() * 4);
    std::memcpy(result.data(), words.data(), result.size());
    return result;
  }

private:
  std::vector<uint32_t> words;
};

class Encoder {
public:
  Encoder(const TileProgram &program, const ChipSpec &spec,
          const std::vector<unsigned> &slots, uint64_t seed)
      : program(program), contexts(spec.cp.contexts), slots(slots),
        seed(seed) {}

  std::vector<uint8_t> encode();

private:
  /// How a command statement is issued.
  struct Issue {
    uint8_t context = 0;
    bool owns = false;   // fields are set once, before all loops
    bool counts = false; // DMA: the word comes from the auto register
    uint64_t word = 0;
    uint64_t fields[isa::fieldCount] = {};
  };

  void role(unsigned hart);
  void steps(const std::vector<Step> &list, unsigned hart, unsigned depth);
  void step(const Step &step, unsigned hart, unsigned depth);
  void command(const Step &step, unsigned hart);
  void plan(const std::vector<Step> &list, unsigned hart, Random &random);
  void setFields(const Step &step, const Issue &issue, bool all);
  void barrier(unsigned id);
  void pointerMove(Opcode opcode, uint8_t cb, uint32_t bytes);
  Issue makeIssue(const Step &step, Random &random);
  static bool isDma(const Step &step) {
    return step.opcode == Opcode::DmaIn || step.opcode == Opcode::DmaOut;
  }
  /// Where a DMA statement keeps the bytes it has advanced.
  static int32_t advanceSlot(const Step &step) {
    return -8 * int32_t(step.statement + 1);
  }

  const TileProgram &program;
  const unsigned contexts;
  const std::vector<unsigned> &slots;
  const uint64_t seed;
  Assembler out;
  std::vector<std::pair<const Step *, Issue>> issues;
  unsigned nextContext = 0;
};

Encoder::Issue Encoder::makeIssue(const Step &step, Random &random) {
  Issue issue;
  std::visit(
      [&](const auto &operands) { isa::encodeFields(operands, issue.fields); },
      step.operands);
  // Any part of a slice with a term may come from the word.
  for (const isa::SliceInfo &slice : isa::slices(step.opcode)) {
    if (slice.termLo < 0 || isDma(step)) {
      continue;
    }
    uint64_t mask = (uint64_t(1) << slice.width) - 1;
    uint64_t value = issue.fields[slice.field] >> slice.lo & mask;
    uint64_t part = random.chance(40) ? 0 : random.below(value + 1);
    if (part >> slice.termWidth) {
      part = 0;
    }
    issue.fields[slice.field] -= part << slice.lo;
    issue.word |= part << slice.termLo;
  }
  // Some contexts are shared by the statements that came too late.
  issue.owns = nextContext + 1 < contexts && random.chance(80);
  issue.context = static_cast<uint8_t>(
      issue.owns ? nextContext++ : contexts == 0 ? 0 : contexts - 1);
  issue.counts = issue.owns && isDma(step) && random.chance(50);
  return issue;
}

void Encoder::plan(const std::vector<Step> &list, unsigned hart,
                   Random &random) {
  for (const Step &step : list) {
    if (step.kind == Step::Kind::Loop) {
      plan(step.body, hart, random);
    } else if (step.kind == Step::Kind::Command && step.hart == hart) {
      issues.emplace_back(&step, makeIssue(step, random));
    }
  }
}

void Encoder::setFields(const Step &step, const Issue &issue, bool all) {
  auto set = [&](unsigned field, Reg value) {
    DecodedXpe inst;
    inst.opcode = Opcode::Set;
    inst.ctx = issue.context;
    inst.field = static_cast<uint8_t>(field);
    inst.rs1 = value;
    out.xpe(inst);
  };
  for (unsigned field = 0; field < isa::autoField; ++field) {
    if (!(isa::fieldMask(step.opcode) >> field & 1)) {
      continue;
    }
    bool fromRecord =
        isDma(step) &&
        (field == 0 || (step.multicast && (field == 5 || field == 6)));
    if (fromRecord) {
      unsigned word = step.control + (field == 0 ? 0 : field - 4);
      out.ld(T0, S0, int32_t(word * 8));
      set(field, T0);
    } else if (issue.fields[field] != 0) {
      out.li(T0, issue.fields[field]);
      set(field, T0);
    } else if (all) {
      set(field, Zero);
    }
  }
  if (issue.counts) {
    out.li(T0, step.stride);
    set(isa::stepField, T0);
  }
}

void Encoder::command(const Step &step, unsigned) {
  auto found = std::find_if(issues.begin(), issues.end(), [&](const auto &it) {
    return it.first == &step;
  });
  const Issue &issue = found->second;
  if (!issue.owns) {
    // Without contexts fields are clear; a shared one holds another command.
    setFields(step, issue, /*all=*/contexts != 0);
  }
  DecodedXpe inst;
  inst.opcode = step.opcode;
  inst.ctx = issue.context;
  inst.rs1 = T1;
  if (issue.counts) {
    inst.rs1 = Zero;
    out.xpe(inst);
    return;
  }
  if (!isDma(step)) {
    out.li(T1, issue.word);
    out.xpe(inst);
    return;
  }
  out.ld(T1, Sp, advanceSlot(step));
  out.xpe(inst);
  out.li(T0, step.stride);
  out.add(T1, T1, T0);
  out.sd(T1, Sp, advanceSlot(step));
}

void Encoder::pointerMove(Opcode opcode, uint8_t cb, uint32_t bytes) {
  DecodedXpe inst;
  inst.opcode = opcode;
  inst.cb = cb;
  inst.rs1 = T0;
  out.li(T0, bytes);
  out.xpe(inst);
}

void Encoder::barrier(unsigned id) {
  uint64_t rows = (uint64_t(1) << program.rows) - 1;
  uint64_t cols = (uint64_t(1) << program.cols) - 1;
  DecodedXpe inst;
  inst.opcode = Opcode::Barrier;
  inst.id = static_cast<uint8_t>(id);
  inst.rs1 = T0;
  out.li(T0, rows | cols << 32);
  out.xpe(inst);
}

void Encoder::step(const Step &step, unsigned hart, unsigned depth) {
  switch (step.kind) {
  case Step::Kind::Loop: {
    Reg counter = Reg(S2 + depth);
    if (hart == 1 && step.countFromScalar) {
      out.addi(counter, T6, 0);
    } else {
      out.ld(counter, S0, int32_t(step.control * 8));
    }
    // Bodies may be too long for a branch: branch over a jump.
    size_t enter = out.branch(/*ifEqual=*/false, counter, Zero);
    size_t leave = out.jump();
    size_t top = out.here();
    out.patchBranch(enter, top);
    steps(step.body, hart, depth + 1);
    out.addi(counter, counter, -1);
    size_t done = out.branch(/*ifEqual=*/true, counter, Zero);
    size_t again = out.jump();
    out.patchJump(again, top);
    out.patchBranch(done, out.here());
    out.patchJump(leave, out.here());
    return;
  }
  case Step::Kind::Command:
    if (step.hart == hart) {
      command(step, hart);
    }
    return;
  case Step::Kind::Push:
  case Step::Kind::Pop:
    if (hart == 1) {
      pointerMove(step.kind == Step::Kind::Push ? Opcode::CbPush
                                                : Opcode::CbPop,
                  step.cb, step.bytes);
    }
    return;
  case Step::Kind::Scalar: {
    DecodedXpe inst;
    inst.opcode = hart == 0 ? Opcode::CbReserve : Opcode::CbWait;
    inst.rd = T2;
    inst.cb = step.cb;
    inst.rs1 = T0;
    out.li(T0, kScalarBytes);
    out.xpe(inst);
    if (hart == 0) {
      out.ld(T1, S0, int32_t(step.control * 8));
      out.sd(T1, T2, 8);
    } else {
      out.ld(T6, T2, 8);
    }
    pointerMove(hart == 0 ? Opcode::CbPush : Opcode::CbPop, step.cb,
                kScalarBytes);
    return;
  }
  case Step::Kind::Phase: {
    DecodedXpe fence;
    fence.opcode = Opcode::Fence;
    out.xpe(fence);
    barrier(30);
    return;
  }
  }
}

void Encoder::steps(const std::vector<Step> &list, unsigned hart,
                    unsigned depth) {
  for (const Step &entry : list) {
    step(entry, hart, depth);
  }
}

void Encoder::role(unsigned hart) {
  Random random(seed + hart);
  issues.clear();
  nextContext = 0;
  plan(program.steps, hart, random);

  // The control record of this PE.
  DecodedXpe info;
  info.opcode = Opcode::Info;
  info.rd = T0;
  info.which = static_cast<uint8_t>(isa::InfoItem::Pe);
  out.xpe(info);
  out.li(T1, program.recordBytes());
  out.mul(T0, T0, T1);
  out.ld(S0, A0, 0);
  out.add(S0, S0, T0);
  if (hart == 0) {
    uint64_t base = 0;
    for (size_t ring = 0; ring < slots.size(); ++ring) {
      uint64_t size = uint64_t(slots[ring]) * program.rings[ring].slotBytes;
      DecodedXpe setup;
      setup.opcode = Opcode::CbSetup;
      setup.cb = static_cast<uint8_t>(ring);
      setup.rs1 = T0;
      out.li(T0, base | size << 32);
      out.xpe(setup);
      base += size;
    }
  }
  for (const auto &[step, issue] : issues) {
    if (isDma(*step)) {
      out.sd(Zero, Sp, advanceSlot(*step));
    }
    if (issue.owns) {
      setFields(*step, issue, /*all=*/false);
    }
  }
  barrier(31);
  steps(program.steps, hart, 0);
  DecodedXpe halt;
  halt.opcode = Opcode::Halt;
  out.xpe(halt);
}

std::vector<uint8_t> Encoder::encode() {
  size_t second = out.branch(/*ifEqual=*/false, A1, Zero);
  size_t first = out.jump();
  out.patchBranch(second, out.here());
  role(1);
  out.patchJump(first, out.here());
  role(0);
  return out.bytes();
}

} // namespace

sim::KernelImage test::encodeProgram(const TileProgram &program,
                                     const ChipSpec &spec,
                                     const std::vector<unsigned> &slots,
                                     uint64_t seed) {
  sim::KernelImage image;
  image.bytes = Encoder(program, spec, slots, seed).encode();
  image.entry = sim::kImageBase;
  image.decoded = std::make_shared<const sim::DecodedImage>(sim::kImageBase,
                                                            image.bytes);
  return image;
}
