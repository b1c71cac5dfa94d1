//===- RandomCompressed.cpp - Random 16-bit instructions ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "tests/diff/hart/RandomGenerator.h"

namespace chipwright::test {

void Generator::compressedControl(CForm form) {
  size_t at = text.size();
  if (form == CForm::Jr || form == CForm::Jalr) {
    unsigned pointer = destNonzero();
    word(matchOf(Op::Auipc) | pointer << 7);
    word(0);
    half((form == CForm::Jr ? 0x8002 : 0x9002) | pointer << 7);
    skipped();
    patchWord(at + 4, iType(Op::Addi, pointer, pointer,
                            int32_t(text.size() - at) + int32_t(below(2))));
    return;
  }
  unsigned source = anyShort();
  half(0);
  skipped();
  uint32_t d = uint32_t(text.size() - at);
  auto bit = [&](unsigned from, unsigned to) { return (d >> from & 1) << to; };
  if (form == CForm::J) {
    patchHalf(at, 0xa001 | bit(11, 12) | bit(4, 11) | (d >> 8 & 3) << 9 |
                      bit(10, 8) | bit(6, 7) | bit(7, 6) | (d >> 1 & 7) << 3 |
                      bit(5, 2));
    return;
  }
  if (d > 254) { // out of reach of a compressed branch: a nop instead
    patchHalf(at, 0x0001);
    return;
  }
  patchHalf(at, (form == CForm::Beqz ? 0xc001 : 0xe001) | bit(8, 12) |
                    (d >> 3 & 3) << 10 | source << 7 | (d >> 6 & 3) << 5 |
                    (d >> 1 & 3) << 3 | bit(5, 2));
}

void Generator::compressedItem(CForm form) {
  // Fields at random; what would be reserved or change a fixed register is
  // avoided.
  uint32_t high = bits(1) << 12, low = bits(5) << 2;
  while (!(high | low)) {
    high = bits(1) << 12, low = bits(5) << 2;
  }
  auto arithmetic = [&](uint32_t base) {
    half(base | destShort() << 7 | anyShort() << 2);
  };
  auto nonzeroX = [&] { return unsigned(1 + below(31)); };
  switch (form) {
  case CForm::None:
  case CForm::Ebreak:
    break;
  case CForm::Addi4spn:
    half(uint32_t(1 + below(255)) << 5 | destShort() << 2);
    break;
  case CForm::Fld:
  case CForm::Lw:
  case CForm::Ld: {
    uint32_t f3 = form == CForm::Fld ? 1 : form == CForm::Lw ? 2 : 3;
    unsigned rd = form == CForm::Fld ? anyShort() : destShort();
    half(f3 << 13 | bits(3) << 10 | bits(2) << 5 | rd << 2); // base s0
    break;
  }
  case CForm::Fsd:
  case CForm::Sw:
  case CForm::Sd: {
    uint32_t f3 = form == CForm::Fsd ? 5 : form == CForm::Sw ? 6 : 7;
    half(f3 << 13 | bits(3) << 10 | bits(2) << 5 | anyShort() << 2);
    break;
  }
  case CForm::Addi:
    half(0x0001 | high | low | destX() << 7);
    break;
  case CForm::Addiw:
    half(0x2001 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Li:
    half(0x4001 | bits(1) << 12 | bits(5) << 2 | destX() << 7);
    break;
  case CForm::Addi16sp: {
    // There and back, with a look at sp in between.
    uint32_t step = uint32_t(between(1, 31)); // times 16
    auto encode = [](uint32_t d) {
      return 0x6101 | (d >> 9 & 1) << 12 | (d >> 4 & 1) << 6 |
             (d >> 6 & 1) << 5 | (d >> 7 & 3) << 3 | (d >> 5 & 1) << 2;
    };
    half(encode(step * 16));
    half(0x8002 | destNonzero() << 7 | sp << 2); // c.mv
    half(encode(uint32_t(-int32_t(step * 16))));
    break;
  }
  case CForm::Lui:
    half(0x6001 | high | low | destX() << 7);
    break;
  case CForm::Srli:
    half(0x8001 | high | low | destShort() << 7);
    break;
  case CForm::Srai:
    half(0x8401 | high | low | destShort() << 7);
    break;
  case CForm::Andi:
    half(0x8801 | high | low | destShort() << 7);
    break;
  case CForm::Sub:
    arithmetic(0x8c01);
    break;
  case CForm::Xor:
    arithmetic(0x8c21);
    break;
  case CForm::Or:
    arithmetic(0x8c41);
    break;
  case CForm::And:
    arithmetic(0x8c61);
    break;
  case CForm::Subw:
    arithmetic(0x9c01);
    break;
  case CForm::Addw:
    arithmetic(0x9c21);
    break;
  case CForm::J:
  case CForm::Beqz:
  case CForm::Bnez:
  case CForm::Jr:
  case CForm::Jalr:
    compressedControl(form);
    break;
  case CForm::Slli:
    half(0x0002 | high | low | destX() << 7);
    break;
  case CForm::Fldsp:
    half(0x2002 | bits(1) << 12 | bits(5) << 2 | bits(5) << 7);
    break;
  case CForm::Lwsp:
    half(0x4002 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Ldsp:
    half(0x6002 | bits(1) << 12 | bits(5) << 2 | destNonzero() << 7);
    break;
  case CForm::Mv:
    half(0x8002 | destX() << 7 | nonzeroX() << 2);
    break;
  case CForm::Add:
    half(0x9002 | destX() << 7 | nonzeroX() << 2);
    break;
  case CForm::Fsdsp:
    half(0xa002 | bits(6) << 7 | bits(5) << 2);
    break;
  case CForm::Swsp:
    half(0xc002 | bits(6) << 7 | bits(5) << 2);
    break;
  case CForm::Sdsp:
    half(0xe002 | bits(6) << 7 | bits(5) << 2);
    break;
  }
}

} // namespace chipwright::test
