//===- Xpe.h - Instructions and commands of the Xpe extension ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Encoder, decoder and command structs, generated from Xpe.td. docs/isa.md is
// the manual.
//
// A hart decodes an instruction word with decode(). For a command it hands the
// sixteen fields of the context and the varying word to the static decode() of
// the command's struct, which adds the word's terms to the fields' slices.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_XPE_H
#define CHIPWRIGHT_DIALECTS_ISA_XPE_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chipwright::isa {

//===----------------------------------------------------------------------===//
// Instruction words
//===----------------------------------------------------------------------===//

#include "dialects/isa/XpeEnums.h.inc"

#include "dialects/isa/XpeDecoder.h.inc"

/// What is the same for all words of an opcode.
struct InstInfo {
  const char *mnemonic;
  Engine engine;
  /// Reads a context: the struct of the same name decodes it.
  bool isCommand;
  bool writesRd;
  bool readsRs1;
  bool readsRs2;
  /// The value depends on the operands alone.
  bool isPure;
  /// Orders the hart's loads and stores around it.
  bool ordersMemory;
};
const InstInfo &instInfo(Opcode opcode);

/// One immediate operand of an instruction.
struct ImmediateInfo {
  Opcode opcode;
  const char *name;
  /// Values are 0 .. count-1.
  uint8_t count;
  /// Their names, or null for numbers.
  const char *const *codeNames;
  uint8_t DecodedXpe::*member;
};
/// \returns the immediates in the order of assembly text.
std::span<const ImmediateInfo> immediates(Opcode opcode);

/// \returns the instruction, or nothing if \p word is not a legal Xpe word; a
/// set bit that the instruction does not use makes it illegal.
std::optional<DecodedXpe> decode(uint32_t word);

/// \returns the word, or nothing if an operand is out of range or the opcode
/// does not have it.
std::optional<uint32_t> encode(const DecodedXpe &inst);

/// \returns the instruction as text, or `.word 0x...` if it is illegal.
std::string disassemble(uint32_t word);

/// \returns the number of an instruction by its mnemonic, "xpe.dma.in", or
/// nothing.
std::optional<Opcode> opcodeFromMnemonic(std::string_view mnemonic);

/// \returns the ABI name of an integer register, 0 <= \p number <= 31.
const char *registerName(unsigned number);

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

/// Checks fields and word of a command by table, slowly.
/// \returns one sentence on the first thing that is wrong, or "" if nothing
/// is: reserved bits that are set, codes without a meaning, word terms that
/// overflow their slice. \p opcode must be a command.
std::string explainCommand(Opcode opcode, const uint64_t *fields,
                           uint64_t word);

#include "dialects/isa/XpeCommands.h.inc"

/// One slice of a command's fields.
struct SliceInfo {
  Opcode opcode;
  const char *name;
  uint8_t field;
  uint8_t lo;
  uint8_t width;
  bool isSigned;
  /// The bits of an fp32 number.
  bool isFloat;
  /// First bit and width of the term of the word; -1 and 0 if it has none.
  int8_t termLo;
  uint8_t termWidth;
  /// Names of codes 0 .. codeCount-1, or null for a number.
  const char *const *codeNames;
  uint8_t codeCount;
};

/// One field of a command; bits outside of `usedMask` are reserved.
struct FieldInfo {
  Opcode opcode;
  const char *name;
  uint8_t index;
  uint64_t usedMask;
};

/// \returns all slices of all commands, and those of one (none for hart
/// instructions).
std::span<const SliceInfo> slices();
std::span<const SliceInfo> slices(Opcode opcode);
std::span<const FieldInfo> fields(Opcode opcode);

/// \returns bit i set if the command reads field i. Other fields of the
/// context are ignored, whatever they hold.
uint16_t fieldMask(Opcode opcode);
/// \returns the bits of the word that belong to a term; others are reserved.
uint64_t wordMask(Opcode opcode);

} // namespace chipwright::isa

#endif // CHIPWRIGHT_DIALECTS_ISA_XPE_H
