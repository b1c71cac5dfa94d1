//===- HartProgram.cpp ----------------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/support/HartProgram.h"

#include "sim/memory/AddressMap.h"
#include "tests/unit/hart/Assembler.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

using namespace chipwright;
using namespace chipwright::test;
using isa::Opcode;
using sim::Op;

sim::Cycle IssueCost::cycles(const ChipSpec &spec) const {
  return plain + sim::Cycle(writes) * std::max(1u, spec.cp.writeCycles) +
         sim::Cycle(issues) * std::max(1u, spec.cp.launchCycles);
}

HartCode &HartCode::plain(uint32_t word) {
  ++count.plain;
  words.push_back(word);
  return *this;
}

HartCode &HartCode::other(uint32_t word) {
  words.push_back(word);
  return *this;
}

HartCode &HartCode::idle(unsigned cycles) {
  for (unsigned i = 0; i < cycles; ++i) {
    plain(nop);
  }
  return *this;
}

HartCode &HartCode::constant(unsigned reg, uint64_t value) {
  auto low = [](uint64_t bits, unsigned width) {
    return static_cast<int64_t>(bits << (64 - width)) >> (64 - width);
  };
  int64_t low12 = low(value, 12);
  if (value == static_cast<uint64_t>(low12)) {
    return plain(addi(reg, 0, static_cast<int32_t>(low12)));
  }
  if (value == static_cast<uint64_t>(low(value, 32))) {
    plain(uType(Op::Lui, reg,
                static_cast<uint32_t>(value - uint64_t(low12)) >> 12));
    if (low12 != 0) {
      plain(iType(Op::Addiw, reg, reg, static_cast<int32_t>(low12)));
    }
    return *this;
  }
  uint64_t upper = value - uint64_t(low12);
  unsigned shift = static_cast<unsigned>(std::countr_zero(upper));
  constant(reg, static_cast<uint64_t>(static_cast<int64_t>(upper) >> shift));
  plain(iType(Op::Slli, reg, reg, static_cast<int32_t>(shift)));
  if (low12 != 0) {
    plain(addi(reg, reg, static_cast<int32_t>(low12)));
  }
  return *this;
}

HartCode &HartCode::xpe(isa::DecodedXpe inst, bool isIssue) {
  std::optional<uint32_t> word = isa::encode(inst);
  if (!word) {
    throw std::invalid_argument("operand of a test's instruction too large");
  }
  words.push_back(*word);
  count.issues += isIssue;
  return *this;
}

HartCode &HartCode::set(unsigned ctx, unsigned field, uint64_t value) {
  constant(kValue, value);
  isa::DecodedXpe inst{.opcode = Opcode::Set,
                       .rs1 = kValue,
                       .ctx = uint8_t(ctx),
                       .field = uint8_t(field)};
  ++count.writes;
  return xpe(inst, /*isIssue=*/false);
}

HartCode &
HartCode::setAll(unsigned ctx,
                 const std::array<uint64_t, isa::fieldCount> &fields) {
  for (unsigned field = 0; field < isa::fieldCount; ++field) {
    if (fields[field] != 0) {
      set(ctx, field, fields[field]);
    }
  }
  return *this;
}

HartCode &HartCode::go(Opcode opcode, unsigned ctx) {
  return goWith(opcode, ctx, 0);
}

HartCode &HartCode::goWith(Opcode opcode, unsigned ctx, unsigned reg) {
  return xpe({.opcode = opcode, .rs1 = uint8_t(reg), .ctx = uint8_t(ctx)},
             /*isIssue=*/true);
}

HartCode &HartCode::cbSetup(unsigned cb, uint32_t base, uint32_t bytes) {
  constant(kValue, base | uint64_t(bytes) << 32);
  return xpe({.opcode = Opcode::CbSetup, .rs1 = kValue, .cb = uint8_t(cb)},
             true);
}

HartCode &HartCode::cbPush(unsigned cb, uint64_t bytes) {
  constant(kValue, bytes);
  return xpe({.opcode = Opcode::CbPush, .rs1 = kValue, .cb = uint8_t(cb)},
             true);
}

HartCode &HartCode::cbPop(unsigned cb, uint64_t bytes) {
  constant(kValue, bytes);
  return xpe({.opcode = Opcode::CbPop, .rs1 = kValue, .cb = uint8_t(cb)}, true);
}

HartCode &HartCode::cbWait(unsigned cb, uint64_t bytes) {
  constant(kValue, bytes);
  return xpe({.opcode = Opcode::CbWait,
              .rd = kOther,
              .rs1 = kValue,
              .cb = uint8_t(cb)},
             true);
}

HartCode &HartCode::cbReserve(unsigned cb, uint64_t bytes) {
  constant(kValue, bytes);
  return xpe({.opcode = Opcode::CbReserve,
              .rd = kOther,
              .rs1 = kValue,
              .cb = uint8_t(cb)},
             true);
}

HartCode &HartCode::semPost(uint64_t address, uint64_t amount) {
  constant(kValue, address);
  constant(kOther, amount);
  return xpe({.opcode = Opcode::SemPost, .rs1 = kValue, .rs2 = kOther}, true);
}

HartCode &HartCode::semWait(unsigned sem, uint64_t amount) {
  constant(kValue, amount);
  return xpe({.opcode = Opcode::SemWait, .rs1 = kValue, .sem = uint8_t(sem)},
             true);
}

HartCode &HartCode::barrier(unsigned id, uint32_t rows, uint32_t cols) {
  constant(kValue, rows | uint64_t(cols) << 32);
  return xpe({.opcode = Opcode::Barrier, .rs1 = kValue, .id = uint8_t(id)},
             false);
}

HartCode &HartCode::fence() {
  return xpe({.opcode = Opcode::Fence}, /*isIssue=*/false);
}

//===----------------------------------------------------------------------===//
// The image
//===----------------------------------------------------------------------===//

sim::Cycle HartProgram::prologueCycles(const ChipSpec &spec) {
  // Six one-cycle instructions, two jumps.
  return 6 + 2 * (1 + sim::Cycle(spec.hart.branchCycles));
}

sim::KernelImage HartProgram::image() const {
  constexpr unsigned kPe = 5, kTable = 6;
  std::vector<uint32_t> words = {
      *isa::encode({.opcode = Opcode::Info,
                    .rd = kPe,
                    .which = uint8_t(isa::InfoItem::Pe)}),
      iType(Op::Slli, kPe, kPe, 1),
      rType(Op::Add, kPe, kPe, a1),
      iType(Op::Slli, kPe, kPe, 2), // bytes of a table entry
      uType(Op::Auipc, kTable, 0),
      rType(Op::Add, kTable, kTable, kPe),
      iType(Op::Jalr, 0, kTable, 12)};
  uint32_t halt = *isa::encode({.opcode = Opcode::Halt});
  const size_t table = words.size();
  unsigned entries = 2 * (code.empty() ? 1 : code.rbegin()->first.first + 1);
  entries = std::max(entries, 2 * spec.grid.numPes());
  words.resize(table + entries);
  const size_t idle = words.size();
  words.push_back(halt);
  for (unsigned entry = 0; entry < entries; ++entry) {
    auto found = code.find({entry / 2, entry % 2});
    size_t target = idle;
    if (found != code.end()) {
      target = words.size();
      const std::vector<uint32_t> &body = found->second.words;
      words.insert(words.end(), body.begin(), body.end());
      words.push_back(halt);
    }
    words[table + entry] =
        jal(0, static_cast<int32_t>((target - table - entry) * 4));
  }
  sim::KernelImage image;
  image.bytes.resize(words.size() * 4);
  std::memcpy(image.bytes.data(), words.data(), image.bytes.size());
  image.entry = sim::kImageBase;
  image.decoded =
      std::make_shared<sim::DecodedImage>(sim::kImageBase, image.bytes);
  return image;
}
