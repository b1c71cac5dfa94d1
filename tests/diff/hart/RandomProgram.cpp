//===- RandomProgram.cpp - Random RISC-V programs -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/RandomGenerator.h"

#include <elf.h>

#include <cstring>

namespace chipwright::test {

void Generator::reload() {
  // The table holds integers in even entries; odd ones hold floats. gp is a
  // multiple of 16.
  unsigned kind = unsigned(below(3));
  int32_t offset = between(-127, 126) * 16;
  if (kind == 0) {
    word(iType(Op::Ld, destNonzero(), gp, offset));
  } else {
    bool isDouble = kind == 2;
    word(iType(isDouble || chance(50) ? Op::Fld : Op::Flw, fpReg(isDouble), gp,
               offset + 8));
  }
}

void Generator::skipped() {
  // What a taken branch jumps over.
  ++depth;
  for (unsigned i = 0, count = unsigned(below(4)); i < count; ++i) {
    item();
  }
  --depth;
}

void Generator::memoryItem(Op op) {
  OpFormat format = opFormat(op);
  bool isDouble = op == Op::Fld || op == Op::Fsd;
  unsigned base = chance(50) ? sp : s0;
  // Few addresses, so that loads meet stores, and any alignment.
  int32_t offset = chance(70) ? between(-64, 64) : between(-2040, 2030);
  switch (format) {
  case OpFormat::Load:
    word(iType(op, destX(), base, offset));
    break;
  case OpFormat::FLoad:
    word(iType(op, fpReg(isDouble), base, offset));
    break;
  case OpFormat::Store:
    word(sType(op, base, anyX(), offset));
    break;
  default:
    word(sType(op, base, fpReg(isDouble), offset));
    break;
  }
}

void Generator::atomicItem(Op op) {
  unsigned size = atomicBytes(op);
  auto address = [&](unsigned reg) {
    word(iType(Op::Addi, reg, sp, between(-8, 8) * int32_t(size)));
  };
  unsigned pointer = destNonzero();
  uint32_t order = uint32_t(below(4)) << 25;
  address(pointer);
  if (opFormat(op) == OpFormat::Amo) {
    word(matchOf(op) | order | destX() << 7 | pointer << 15 | anyX() << 20);
    return;
  }
  // LR with an SC of the same size: to the same address, possibly with a
  // changed value in between, or to another one.
  unsigned read = destX();
  while (read == pointer) {
    read = destX();
  }
  word(matchOf(op) | order | read << 7 | pointer << 15);
  switch (below(4)) {
  case 0:
    word(sType(size == 4 ? Op::Sw : Op::Sd, pointer, anyX(), 0));
    break;
  case 1:
    address(pointer);
    break;
  default:
    break;
  }
  word(matchOf(size == 4 ? Op::ScW : Op::ScD) | order | destX() << 7 |
       pointer << 15 | anyX() << 20);
}

void Generator::controlItem(Op op) {
  size_t at = text.size();
  if (op == Op::Jal) {
    unsigned rd = destX();
    word(0);
    skipped();
    patchWord(at, jType(rd, uint32_t(text.size() - at)));
    return;
  }
  if (op == Op::Jalr) {
    unsigned pointer = destNonzero(), rd = destX();
    // Bit 0 of the sum is ignored, whether pointer, offset or both are odd.
    bool odd = chance(50);
    word(matchOf(Op::Auipc) | pointer << 7);
    word(iType(Op::Addi, pointer, pointer, odd));
    word(0);
    skipped();
    int32_t distance = int32_t(text.size() - at) - odd + int32_t(below(2));
    patchWord(at + 8, iType(Op::Jalr, rd, pointer, distance));
    return;
  }
  unsigned rs1 = anyX(), rs2 = chance(30) ? rs1 : anyX();
  word(0);
  skipped();
  patchWord(at, bType(op, rs1, rs2, uint32_t(text.size() - at)));
}

void Generator::csrItem(Op op) {
  static constexpr uint32_t csrs[] = {CsrFflags, CsrFrm, CsrFcsr};
  uint32_t csr = csrs[below(3)];
  word(matchOf(op) | destX() << 7 | anyX() << 15 | csr << 20);
  if (csr != CsrFflags) {
    // Leave a rounding mode that exists.
    word(matchOf(Op::Csrrwi) | uint32_t(below(5)) << 15 |
         uint32_t(CsrFrm) << 20);
  }
}

void Generator::floatItem(Op op) {
  const char *name = opName(op);
  bool isDouble = name[std::strlen(name) - 1] == 'd';
  bool fromDouble = isDouble, toDouble = isDouble;
  if (op == Op::FcvtSD) {
    fromDouble = true, toDouble = false;
  } else if (op == Op::FcvtDS) {
    fromDouble = false, toDouble = true;
  } else if (opFormat(op) == OpFormat::FX ||
             opFormat(op) == OpFormat::FXFixed) {
    toDouble = std::strncmp(name, "fcvt.d", 6) == 0 || op == Op::FmvDX;
  }
  uint32_t rm = roundingMode() << 12;
  uint32_t match = matchOf(op);
  uint32_t rs1 = fpReg(fromDouble) << 15, rs2 = fpReg(fromDouble) << 20;
  switch (opFormat(op)) {
  case OpFormat::FR4:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2 | fpReg(fromDouble) << 27 |
         rm);
    break;
  case OpFormat::FR:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2 | rm);
    break;
  case OpFormat::FRFixed:
    word(match | fpReg(toDouble) << 7 | rs1 | rs2);
    break;
  case OpFormat::FF:
    word(match | fpReg(toDouble) << 7 | rs1 | rm);
    break;
  case OpFormat::XF:
    word(match | destX() << 7 | rs1 | rm);
    break;
  case OpFormat::XFFixed:
    word(match | destX() << 7 | rs1);
    break;
  case OpFormat::FX:
    word(match | fpReg(toDouble) << 7 | anyX() << 15 | rm);
    break;
  case OpFormat::FXFixed:
    word(match | fpReg(toDouble) << 7 | anyX() << 15);
    break;
  default:
    word(match | destX() << 7 | rs1 | rs2);
    break;
  }
}

void Generator::baseItem(Op op) {
  switch (opFormat(op)) {
  case OpFormat::R:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | anyX() << 20);
    break;
  case OpFormat::I:
    word(iType(op, destX(), anyX(), between(-2048, 2047)));
    break;
  case OpFormat::Shift6:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | bits(6) << 20);
    break;
  case OpFormat::Shift5:
    word(matchOf(op) | destX() << 7 | anyX() << 15 | bits(5) << 20);
    break;
  case OpFormat::U:
    word(matchOf(op) | destX() << 7 | bits(20) << 12);
    break;
  case OpFormat::J:
  case OpFormat::Jalr:
  case OpFormat::B:
    controlItem(op);
    break;
  case OpFormat::Load:
  case OpFormat::Store:
  case OpFormat::FLoad:
  case OpFormat::FStore:
    memoryItem(op);
    break;
  case OpFormat::Fence:
    word(matchOf(op) | bits(8) << 20);
    break;
  case OpFormat::None:
    // Of ecall, ebreak, mret, wfi and fence.i only the last can stand alone;
    // ecall ends every sequence.
    if (op == Op::FenceI) {
      word(matchOf(op));
    }
    break;
  case OpFormat::Csr:
  case OpFormat::CsrI:
    csrItem(op);
    break;
  case OpFormat::Lr:
  case OpFormat::Amo:
    atomicItem(op);
    break;
  default:
    floatItem(op);
    break;
  }
}

void Generator::item() {
  if (chance(18)) {
    reload();
    return;
  }
  constexpr unsigned numBase = unsigned(Op::Custom);
  for (;;) {
    unsigned pick = unsigned(below(numBase + numCForms));
    // Control flow in skipped code would only make bodies long.
    if (pick < numBase) {
      OpFormat format = opFormat(Op(pick));
      bool control = format == OpFormat::J || format == OpFormat::Jalr ||
                     format == OpFormat::B;
      if (depth && control) {
        continue;
      }
      baseItem(Op(pick));
    } else {
      CForm form = CForm(pick - numBase);
      bool control = form == CForm::J || form == CForm::Jr ||
                     form == CForm::Jalr || form == CForm::Beqz ||
                     form == CForm::Bnez;
      if (depth && control) {
        continue;
      }
      compressedItem(form);
    }
    return;
  }
}

void Generator::subroutines() {
  // Loads every register that is not fixed, and fcsr from x5, which the caller
  // has set; x1 holds the return address.
  loadRoutine = textBase + text.size();
  word(matchOf(Op::Csrrw) | 5 << 15 | uint32_t(CsrFcsr) << 20);
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(iType(Op::Fld, reg, gp, int32_t(reg) * 16 + 8));
  }
  for (unsigned reg = 5; reg < 32; ++reg) {
    if (!fixed(reg)) {
      word(iType(Op::Ld, reg, gp, int32_t(reg) * 16 - 512));
    }
  }
  word(iType(Op::Jalr, 0, 1, 0));
  // Stores every register and fcsr in the dump area.
  dumpRoutine = textBase + text.size();
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(sType(Op::Sd, tp, reg, int32_t(reg) * 8));
  }
  for (unsigned reg = 0; reg < 32; ++reg) {
    word(sType(Op::Fsd, tp, reg, 256 + int32_t(reg) * 8));
  }
  word(matchOf(Op::Csrrs) | 5 << 7 | uint32_t(CsrFcsr) << 20);
  word(sType(Op::Sd, tp, 5, 512));
  word(iType(Op::Jalr, 0, 1, 0));
}

RandomProgram Generator::generate(unsigned sequences, unsigned bodyItems) {
  RandomProgram program;
  // Entry: jump over the subroutines.
  word(0);
  subroutines();
  patchWord(0, jType(0, uint32_t(text.size())));
  // A jal would not reach from the end of a long program.
  auto call = [&](uint64_t routine) {
    loadAddress(1, routine);
    word(iType(Op::Jalr, 1, 1, 0));
  };
  uint64_t output = 0;
  for (unsigned s = 0; s < sequences; ++s) {
    loadAddress(sp, arenaBase + arenaBytes / 2);
    loadAddress(s0, arenaBase + arenaBytes / 2 + below(8));
    loadAddress(gp, dataBase + 2048 + below((tableBytes - 4096) / 16) * 16);
    loadAddress(tp, dumpBase);
    word(iType(Op::Addi, 5, 0, int32_t(below(5) << 5 | below(32))));
    call(loadRoutine);
    SequenceInfo info;
    info.firstPc = textBase + text.size();
    emitted = 0;
    for (unsigned i = 0; i < bodyItems; ++i) {
      item();
    }
    program.bodyInstructions += emitted;
    info.endPc = textBase + text.size();
    call(dumpRoutine);
    bool withArena = s % 8 == 7 || s + 1 == sequences;
    info.outputOffset = output;
    info.outputBytes = stateBytes + (withArena ? arenaBytes : 0);
    output += info.outputBytes;
    // write(1, dump area, bytes)
    word(iType(Op::Addi, 10, 0, 1));
    word(iType(Op::Addi, 11, tp, 0));
    loadAddress(12, info.outputBytes);
    word(iType(Op::Addi, 17, 0, 64));
    word(matchOf(Op::Ecall));
    program.sequences.push_back(info);
  }
  // exit(0)
  word(iType(Op::Addi, 10, 0, 0));
  word(iType(Op::Addi, 17, 0, 93));
  word(matchOf(Op::Ecall));

  program.text = text;
  program.data.resize(dataBytes);
  for (unsigned i = 0; i < tableEntries; ++i) {
    uint64_t value = i % 2 ? specialFloat() : specialInteger();
    std::memcpy(&program.data[i * 8], &value, 8);
  }
  for (unsigned i = 0; i < arenaBytes; i += 8) {
    uint64_t value = chance(50) ? specialFloat() : specialInteger();
    std::memcpy(&program.data[tableBytes + stateBytes + i], &value, 8);
  }
  return program;
}

RandomProgram generateProgram(uint64_t seed, unsigned sequences,
                              unsigned bodyItems) {
  return Generator(seed).generate(sequences, bodyItems);
}

std::vector<uint8_t> RandomProgram::elf() const {
  constexpr uint64_t page = 4096;
  uint64_t textOffset = page;
  uint64_t dataOffset = textOffset + (text.size() + page - 1) / page * page;
  std::vector<uint8_t> file(dataOffset + data.size());
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_RISCV;
  header.e_version = EV_CURRENT;
  header.e_entry = textBase;
  header.e_phoff = sizeof(header);
  header.e_flags = EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE;
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr segments[2]{};
  segments[0] = {PT_LOAD,  PF_R | PF_X, textOffset,  textBase,
                 textBase, text.size(), text.size(), page};
  segments[1] = {PT_LOAD,  PF_R | PF_W, dataOffset,  dataBase,
                 dataBase, data.size(), data.size(), page};
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), segments, sizeof(segments));
  std::memcpy(file.data() + textOffset, text.data(), text.size());
  std::memcpy(file.data() + dataOffset, data.data(), data.size());
  return file;
}

} // namespace chipwright::test
