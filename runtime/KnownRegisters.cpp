//===- KnownRegisters.cpp - What registers hold in any run ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/KnownRegisters.h"

#include "sim/hart/Instruction.h"

#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

KnownRegisters::KnownRegisters(const KernelImage &described)
    : image(described), before(image.decoded->halfwords()) {
  State start;
  start.values[0] = 0;
  for (const auto &[pc, name] : image.functions) {
    reach(pc, start);
  }
  reach(image.entry, start);
  while (!open.empty()) {
    uint64_t pc = open.back();
    open.pop_back();
    step(pc);
  }
}

std::optional<uint64_t> KnownRegisters::at(uint64_t pc, unsigned number) const {
  if (!image.decoded->contains(pc)) {
    return std::nullopt;
  }
  return before[(pc - image.decoded->base()) / 2].values[number];
}

/// Control may come to \p pc with \p state: what differs from before is not
/// known. Each visit but the first forgets something, so that this ends.
void KnownRegisters::reach(uint64_t pc, const State &state) {
  if (!image.decoded->contains(pc)) {
    return;
  }
  State &known = before[(pc - image.decoded->base()) / 2];
  if (!known.isReached) {
    known = state;
    known.isReached = true;
    open.push_back(pc);
    return;
  }
  bool isNew = false;
  for (size_t i = 0; i < known.values.size(); ++i) {
    if (known.values[i] && known.values[i] != state.values[i]) {
      known.values[i].reset();
      isNew = true;
    }
  }
  if (isNew) {
    open.push_back(pc);
  }
}

void KnownRegisters::step(uint64_t pc) {
  const uint64_t index = (pc - image.decoded->base()) / 2;
  const DecodedOp &op = image.decoded->ops()[index];
  if (op.op == Op::Illegal || op.op == Op::ImageEnd) {
    return;
  }
  State after = before[index];
  const OpFormat format = opFormat(op.op);
  if (op.rd > 0 && op.rd < after.values.size()) {
    after.values[op.rd] = result(op, pc, before[index]);
  }
  if (format == OpFormat::B) {
    reach(pc + static_cast<uint64_t>(int64_t(op.imm)), after);
  } else if (format == OpFormat::J || format == OpFormat::Jalr) {
    // A called function may leave anything in registers.
    State called;
    called.values[0] = 0;
    if (format == OpFormat::J) {
      reach(pc + static_cast<uint64_t>(int64_t(op.imm)),
            op.rd == discardRegister ? after : called);
    }
    if (op.rd == discardRegister) {
      return;
    }
    after = called;
  }
  reach(pc + op.length, after);
}

/// \returns what \p op leaves in its general register, if that is known.
std::optional<uint64_t> KnownRegisters::result(const DecodedOp &op, uint64_t pc,
                                               const State &state) const {
  const auto immediate = static_cast<uint64_t>(int64_t(op.imm));
  if (op.op == Op::Lui) {
    return immediate;
  }
  if (op.op == Op::Auipc) {
    return pc + immediate;
  }
  auto value = [&](uint8_t number) {
    return number < state.values.size() ? state.values[number] : std::nullopt;
  };
  const std::optional<uint64_t> x = value(op.rs1);
  if (!x) {
    return std::nullopt;
  }
  auto wide = [](uint64_t word) {
    return static_cast<uint64_t>(int64_t(static_cast<int32_t>(word)));
  };
  switch (op.op) {
  case Op::Addi:
    return *x + immediate;
  case Op::Addiw:
    return wide(*x + immediate);
  case Op::Slli:
    return *x << (immediate & 63);
  case Op::SlliUw:
    return uint64_t(static_cast<uint32_t>(*x)) << (immediate & 63);
  case Op::Srli:
    return *x >> (immediate & 63);
  case Op::Andi:
    return *x & immediate;
  case Op::Ori:
    return *x | immediate;
  case Op::Xori:
    return *x ^ immediate;
  case Op::Ld: {
    // A constant behind the code, which is never written.
    const uint64_t offset = *x + immediate - image.decoded->base();
    uint64_t loaded = 0;
    if (*x + immediate < image.decoded->base() ||
        offset + sizeof(loaded) > image.bytes.size()) {
      return std::nullopt;
    }
    std::memcpy(&loaded, image.bytes.data() + offset, sizeof(loaded));
    return loaded;
  }
  default:
    break;
  }
  const std::optional<uint64_t> y = value(op.rs2);
  if (!y) {
    return std::nullopt;
  }
  switch (op.op) {
  case Op::Add:
    return *x + *y;
  case Op::Addw:
    return wide(*x + *y);
  case Op::AddUw:
    return uint64_t(static_cast<uint32_t>(*x)) + *y;
  case Op::Sub:
    return *x - *y;
  case Op::And:
    return *x & *y;
  case Op::Or:
    return *x | *y;
  case Op::Xor:
    return *x ^ *y;
  case Op::Sll:
    return *x << (*y & 63);
  case Op::Mul:
    return *x * *y;
  default:
    return std::nullopt;
  }
}
