//===- XpeModel.h - Records of Xpe as plain structs -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// What the emitters know of the instruction set. loadModel() reads the
// TableGen records and refuses an inconsistent set, so that emitters need no
// checks of their own.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_ISA_GEN_XPEMODEL_H
#define CHIPWRIGHT_DIALECTS_ISA_GEN_XPEMODEL_H

#include "llvm/TableGen/Record.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::isagen {

struct EnumCase {
  std::string name;
  std::string doc;
};

struct Enum {
  std::string name;
  std::string cPrefix;
  std::string doc;
  std::vector<EnumCase> cases;
};

/// One of the parts funct7, rs2, rs1, rd of an instruction word.
struct Part {
  enum class Kind { Fixed, Register, Word, Immediate };
  Kind kind = Kind::Fixed;
  /// Fixed: the value. Immediate: number of legal values, counted from 0.
  unsigned value = 0;
  /// Immediate: its name.
  std::string name;
  std::string doc;
  /// Immediate: named values, or null.
  const Enum *codes = nullptr;

  bool isRegister() const {
    return kind == Kind::Register || kind == Kind::Word;
  }
  bool isImmediate() const { return kind == Kind::Immediate; }
};

struct Slice {
  std::string name;
  unsigned hi = 0;
  unsigned lo = 0;
  bool isSigned = false;
  bool isFloat = false;
  const Enum *codes = nullptr;
  std::string doc;

  unsigned width() const { return hi - lo + 1; }
};

struct Field {
  unsigned index = 0;
  std::string name;
  std::string doc;
  std::vector<Slice> slices;

  /// Bits that belong to a slice.
  uint64_t usedMask() const;
};

/// The fields of one or more commands.
struct Layout {
  const llvm::Record *record = nullptr;
  std::string name;
  std::vector<Field> fields;

  std::string structName() const;
  uint16_t fieldMask() const;
  /// \returns the slice and its field, or nulls.
  std::pair<const Field *, const Slice *> find(llvm::StringRef slice) const;
};

/// Bits of the varying word that are added to a slice.
struct Term {
  std::string slice;
  unsigned hi = 0;
  unsigned lo = 0;

  unsigned width() const { return hi - lo + 1; }
};

struct Inst {
  const llvm::Record *record = nullptr;
  /// With the prefix: "xpe.dma.in".
  std::string mnemonic;
  std::string majorName;
  unsigned major = 0;
  unsigned funct3 = 0;
  Part funct7, rs2, rs1, rd;
  std::string engine;
  bool isPure = false;
  bool ordersMemory = true;
  std::string summary;
  std::string description;
  /// Null for hart instructions.
  const Layout *layout = nullptr;
  std::vector<Term> word;
  std::string decodeSuffix;

  bool isCommand() const { return layout != nullptr; }
  /// "dma.in".
  std::string shortName() const;
  /// C++ enumerator: "DmaIn".
  std::string ident() const;
  /// C name without prefix: "dma_in".
  std::string cName() const;
  const Term *findTerm(llvm::StringRef slice) const;
  uint64_t wordMask() const;
};

struct Engine {
  std::string name;
  std::string doc;
};

struct Model {
  std::vector<std::unique_ptr<Enum>> enums;
  std::vector<std::unique_ptr<Layout>> layouts;
  std::vector<Engine> engines;
  /// Numbers of the context's field registers.
  unsigned fieldCount = 0;
  unsigned autoField = 0;
  unsigned stepField = 0;
  /// Ordered by opcode, funct3 and funct7.
  std::vector<Inst> insts;

  /// \returns the commands of \p layout in order.
  std::vector<const Inst *> commandsOf(const Layout &layout) const;
  /// \returns all immediates' names, each once, in order of first use.
  std::vector<std::string> immediateNames() const;
};

/// Reads and checks all records; ends the program with exit status 1 and a
/// message at the record's place if the set is inconsistent.
Model loadModel(const llvm::RecordKeeper &records);

/// The checks of loadModel (XpeVerify.cpp).
void verifyModel(const Model &model);

/// "y1_kind" or "dma.in" to "Y1Kind", "DmaIn".
std::string upperCamel(llvm::StringRef name);
/// "y1_kind" to "y1Kind".
std::string lowerCamel(llvm::StringRef name);
/// A mask of \p width low bits, 1 <= width <= 64.
uint64_t lowMask(unsigned width);
/// "0x1fULL".
std::string hex(uint64_t value);
/// Lines of \p text without their common indent and outer blank lines.
std::vector<std::string> paragraphLines(llvm::StringRef text);

} // namespace chipwright::isagen

#endif // CHIPWRIGHT_DIALECTS_ISA_GEN_XPEMODEL_H
