//===- CommandEmitter.cpp - Command structs and field tables --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// decode() runs once per command of a simulation. It therefore collects every
// reason to refuse in one variable and tests that once; the sentence for the
// user comes from the tables, out of line.
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/Emitters.h"

#include <map>

using namespace llvm;

namespace chipwright::isagen {

static StringRef memberType(const Slice &slice) {
  if (slice.isSigned) {
    return "int64_t";
  }
  return slice.width() <= 32 ? "uint32_t" : "uint64_t";
}

/// `(base >> lo) & mask`, without the parts that do nothing.
static std::string extract(const std::string &base, unsigned lo,
                           unsigned width) {
  std::string shifted =
      lo == 0 ? base : "(" + base + " >> " + std::to_string(lo) + ")";
  return lo + width == 64 ? shifted
                          : "(" + shifted + " & " + hex(lowMask(width)) + ")";
}

static void emitDecodeSlice(const Field &field, const Slice &slice,
                            const Term *term, raw_ostream &os) {
  std::string member = lowerCamel(slice.name);
  std::string base = "fields[" + std::to_string(field.index) + "]";
  std::string value = extract(base, slice.lo, slice.width());
  if (slice.isSigned) {
    unsigned up = 63 - slice.hi;
    os << "    out." << member << " = static_cast<int64_t>(" << base << " << "
       << up << ") >> " << 64 - slice.width() << ";\n";
    return;
  }
  if (!term && !slice.codes) {
    os << "    out." << member << " = static_cast<" << memberType(slice) << ">("
       << value << ");\n";
    return;
  }
  os << "    const uint64_t " << member << "Value = " << value;
  if (term) {
    os << " + " << extract("word", term->lo, term->width());
  }
  os << ";\n";
  if (term && slice.width() == 64) {
    os << "    bad |= static_cast<uint64_t>(" << member << "Value < " << value
       << ");\n";
  } else if (term) {
    os << "    bad |= " << member << "Value >> " << slice.width() << ";\n";
  }
  if (slice.codes && slice.codes->cases.size() - 1 < lowMask(slice.width())) {
    os << "    bad |= static_cast<uint64_t>(" << member
       << "Value >= " << slice.codes->cases.size() << ");\n";
  }
  os << "    out." << member << " = static_cast<" << memberType(slice) << ">("
     << member << "Value);\n";
}

/// One decode function for the commands in \p users, which have equal words.
static void emitDecode(const Layout &layout,
                       const std::vector<const Inst *> &users,
                       raw_ostream &os) {
  const Inst &inst = *users.front();
  os << "  /// Fields and word of";
  StringRef separator = " ";
  for (const Inst *user : users) {
    os << separator << user->mnemonic;
    separator = ", ";
  }
  os << ".\n  /// \\returns false, with a sentence in \\p whyNot, for "
        "reserved bits, unknown\n  /// codes and word terms that overflow "
        "their slice.\n"
     << "  static inline bool decode" << inst.decodeSuffix
     << "(const uint64_t *fields, uint64_t word, " << layout.structName()
     << " &out, std::string &whyNot";
  if (users.size() > 1) {
    os << ", Opcode opcode = Opcode::" << inst.ident();
  }
  os << ") {\n";
  // Bits that must be 0: of the word, and of each field.
  os << "    uint64_t bad = 0;\n";
  if (~inst.wordMask() != 0) {
    os << "    bad |= word & " << hex(~inst.wordMask()) << ";\n";
  }
  for (const Field &field : layout.fields) {
    if (~field.usedMask() != 0) {
      os << "    bad |= fields[" << field.index << "] & "
         << hex(~field.usedMask()) << ";\n";
    }
    for (const Slice &slice : field.slices) {
      emitDecodeSlice(field, slice, inst.findTerm(slice.name), os);
    }
  }
  os << "    if (bad != 0) [[unlikely]] {\n      whyNot = explainCommand("
     << (users.size() > 1 ? "opcode" : "Opcode::" + inst.ident())
     << ", fields, word);\n      return false;\n    }\n    return true;\n"
     << "  }\n";
}

static void emitStruct(const Model &model, const Layout &layout,
                       raw_ostream &os) {
  std::vector<const Inst *> commands = model.commandsOf(layout);
  if (commands.empty()) {
    return;
  }
  os << "/// Operands of";
  StringRef separator = " ";
  for (const Inst *inst : commands) {
    os << separator << inst->mnemonic << " (" << inst->summary << ")";
    separator = ", ";
  }
  os << ".\nstruct " << layout.structName() << " {\n";
  for (const Field &field : layout.fields) {
    if (!field.slices.empty()) {
      os << "  // Field " << field.index << " " << field.name << ": "
         << field.doc << ".\n";
    }
    for (const Slice &slice : field.slices) {
      os << "  " << memberType(slice) << " " << lowerCamel(slice.name)
         << " = 0; ///< " << slice.doc;
      if (slice.codes) {
        os << " (" << slice.codes->name << ")";
      }
      os << "\n";
    }
  }
  os << "\n  bool operator==(const " << layout.structName()
     << " &) const = default;\n\n";
  std::map<std::string, std::vector<const Inst *>> bySuffix;
  for (const Inst *inst : commands) {
    bySuffix[inst->decodeSuffix].push_back(inst);
  }
  for (const auto &[suffix, users] : bySuffix) {
    emitDecode(layout, users, os);
  }
  os << "};\n\n";
  os << "/// Writes the command's fields (fieldMask) and leaves the others "
        "alone.\n/// \\returns false if a member is too large for its slice; "
        "its low bits are\n/// written.\n"
     << "bool encodeFields(const " << layout.structName()
     << " &command, uint64_t *fields);\n"
     << "/// \\returns the slices that are not 0, for messages and traces.\n"
     << "std::string toString(const " << layout.structName()
     << " &command);\n\n";
}

void emitCommandDecls(const Model &model, raw_ostream &os) {
  os << "/// Field registers of a context; the last two exist in every "
        "context.\n"
     << "inline constexpr unsigned fieldCount = " << model.fieldCount << ";\n"
     << "inline constexpr unsigned autoField = " << model.autoField << ";\n"
     << "inline constexpr unsigned stepField = " << model.stepField << ";\n\n";
  for (const auto &layout : model.layouts) {
    emitStruct(model, *layout, os);
  }
}

static void emitEncodeFields(const Layout &layout, raw_ostream &os) {
  os << "bool encodeFields(const " << layout.structName()
     << " &command, uint64_t *fields) {\n  bool fits = true;\n";
  for (const Field &field : layout.fields) {
    os << "  fields[" << field.index << "] = 0;\n";
    for (const Slice &slice : field.slices) {
      os << "  fits &= putSlice(fields[" << field.index
         << "], static_cast<uint64_t>(command." << lowerCamel(slice.name)
         << "), " << slice.lo << ", " << slice.width() << ", "
         << (slice.isSigned ? "true" : "false") << ");\n";
    }
  }
  os << "  return fits;\n}\n\n";
}

/// \returns first and number of each instruction's entries.
static std::vector<std::pair<size_t, size_t>> emitImmediates(const Model &model,
                                                             raw_ostream &os) {
  std::vector<std::pair<size_t, size_t>> ranges;
  size_t count = 0;
  os << "static constexpr ImmediateInfo immediateTable[] = {\n";
  for (const Inst &inst : model.insts) {
    size_t first = count;
    for (const Part *part : {&inst.rs2, &inst.funct7}) {
      if (!part->isImmediate()) {
        continue;
      }
      os << "    {Opcode::" << inst.ident() << ", \"" << part->name << "\", "
         << part->value << ", "
         << (part->codes ? lowerCamel(part->codes->name) + "Names" : "nullptr")
         << ", &DecodedXpe::" << part->name << "},\n";
      ++count;
    }
    ranges.push_back({first, count - first});
  }
  os << "};\n\n";
  return ranges;
}

void emitCommandDefs(const Model &model, raw_ostream &os) {
  std::vector<std::pair<size_t, size_t>> immediateRanges =
      emitImmediates(model, os);
  os << "static constexpr SliceInfo sliceTable[] = {\n";
  std::vector<std::pair<size_t, size_t>> sliceRanges, fieldRanges;
  size_t count = 0;
  for (const Inst &inst : model.insts) {
    size_t first = count;
    if (inst.isCommand()) {
      for (const Field &field : inst.layout->fields) {
        for (const Slice &slice : field.slices) {
          const Term *term = inst.findTerm(slice.name);
          os << "    {Opcode::" << inst.ident() << ", \"" << slice.name
             << "\", " << field.index << ", " << slice.lo << ", "
             << slice.width() << ", " << (slice.isSigned ? "true" : "false")
             << ", " << (slice.isFloat ? "true" : "false") << ", "
             << (term ? static_cast<int>(term->lo) : -1) << ", "
             << (term ? term->width() : 0) << ", ";
          if (slice.codes) {
            os << lowerCamel(slice.codes->name) << "Names, "
               << slice.codes->cases.size();
          } else {
            os << "nullptr, 0";
          }
          os << "},\n";
          ++count;
        }
      }
    }
    sliceRanges.push_back({first, count - first});
  }
  os << "};\n\nstatic constexpr FieldInfo fieldTable[] = {\n";
  count = 0;
  for (const Inst &inst : model.insts) {
    size_t first = count;
    if (inst.isCommand()) {
      for (const Field &field : inst.layout->fields) {
        os << "    {Opcode::" << inst.ident() << ", \"" << field.name << "\", "
           << field.index << ", " << hex(field.usedMask()) << "},\n";
        ++count;
      }
    }
    fieldRanges.push_back({first, count - first});
  }
  os << "};\n\nstatic constexpr CommandRange commandRanges[] = {\n";
  for (size_t i = 0; i < model.insts.size(); ++i) {
    const Inst &inst = model.insts[i];
    os << "    {" << sliceRanges[i].first << ", " << sliceRanges[i].second
       << ", " << fieldRanges[i].first << ", " << fieldRanges[i].second << ", "
       << (inst.isCommand() ? hex(inst.wordMask()) : hex(0)) << ", "
       << (inst.isCommand() ? inst.layout->fieldMask() : 0) << ", "
       << immediateRanges[i].first << ", " << immediateRanges[i].second
       << "}, // " << inst.mnemonic << "\n";
  }
  os << "};\n\n";
  for (const auto &layout : model.layouts) {
    std::vector<const Inst *> commands = model.commandsOf(*layout);
    if (commands.empty()) {
      continue;
    }
    emitEncodeFields(*layout, os);
    os << "std::string toString(const " << layout->structName()
       << " &command) {\n  uint64_t fields[fieldCount] = {};\n"
       << "  encodeFields(command, fields);\n  return describeFields(\""
       << layout->name << "\", Opcode::" << commands.front()->ident()
       << ", fields);\n}\n\n";
  }
}

} // namespace chipwright::isagen
