//===- XpeModel.cpp - Records of Xpe as plain structs ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/XpeModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TableGen/Error.h"

#include <algorithm>
#include <map>
#include <tuple>

using namespace llvm;

namespace chipwright::isagen {

//===----------------------------------------------------------------------===//
// Names and numbers
//===----------------------------------------------------------------------===//

std::string upperCamel(StringRef name) {
  std::string result;
  bool atStart = true;
  for (char c : name) {
    if (c == '_' || c == '.') {
      atStart = true;
      continue;
    }
    result += atStart ? toUpper(c) : c;
    atStart = false;
  }
  return result;
}

std::string lowerCamel(StringRef name) {
  std::string result = upperCamel(name);
  if (!result.empty()) {
    result[0] = toLower(result[0]);
  }
  return result;
}

uint64_t lowMask(unsigned width) {
  return width >= 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
}

std::string hex(uint64_t value) {
  return "0x" + utohexstr(value, /*LowerCase=*/true) + "ULL";
}

std::vector<std::string> paragraphLines(StringRef text) {
  SmallVector<StringRef> lines;
  text.rtrim().split(lines, '\n');
  size_t indent = StringRef::npos;
  for (StringRef line : lines) {
    size_t first = line.find_first_not_of(' ');
    if (first != StringRef::npos) {
      indent = std::min(indent, first);
    }
  }
  std::vector<std::string> result;
  for (StringRef line : lines) {
    bool blank = line.trim().empty();
    if (blank && result.empty()) {
      continue;
    }
    result.push_back(blank ? "" : line.drop_front(indent).rtrim().str());
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

uint64_t Field::usedMask() const {
  uint64_t mask = 0;
  for (const Slice &slice : slices) {
    mask |= lowMask(slice.width()) << slice.lo;
  }
  return mask;
}

std::string Layout::structName() const { return upperCamel(name) + "Command"; }

uint16_t Layout::fieldMask() const {
  uint16_t mask = 0;
  for (const Field &field : fields) {
    mask = static_cast<uint16_t>(mask | 1u << field.index);
  }
  return mask;
}

std::pair<const Field *, const Slice *> Layout::find(StringRef slice) const {
  for (const Field &field : fields) {
    for (const Slice &candidate : field.slices) {
      if (candidate.name == slice) {
        return {&field, &candidate};
      }
    }
  }
  return {nullptr, nullptr};
}

std::string Inst::shortName() const {
  StringRef name = mnemonic;
  name.consume_front("xpe.");
  return name.str();
}

std::string Inst::ident() const { return upperCamel(shortName()); }

std::string Inst::cName() const {
  std::string name = shortName();
  llvm::replace(name, '.', '_');
  return name;
}

const Term *Inst::findTerm(StringRef slice) const {
  for (const Term &term : word) {
    if (term.slice == slice) {
      return &term;
    }
  }
  return nullptr;
}

uint64_t Inst::wordMask() const {
  uint64_t mask = 0;
  for (const Term &term : word) {
    mask |= lowMask(term.width()) << term.lo;
  }
  return mask;
}

std::vector<const Inst *> Model::commandsOf(const Layout &layout) const {
  std::vector<const Inst *> result;
  for (const Inst &inst : insts) {
    if (inst.layout == &layout) {
      result.push_back(&inst);
    }
  }
  return result;
}

std::vector<std::string> Model::immediateNames() const {
  std::vector<std::string> names;
  for (const Inst &inst : insts) {
    for (const Part *part : {&inst.rs2, &inst.funct7}) {
      if (part->isImmediate() && !is_contained(names, part->name)) {
        names.push_back(part->name);
      }
    }
  }
  return names;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

class Loader {
public:
  explicit Loader(Model &model) : model(model) {}

  const Enum *loadEnum(const Record *record) {
    auto [place, isNew] = enums.try_emplace(record, nullptr);
    if (isNew) {
      auto result = std::make_unique<Enum>();
      result->name = record->getValueAsString("name");
      result->cPrefix = record->getValueAsString("cPrefix");
      result->doc = record->getValueAsString("doc");
      for (const Record *item : record->getValueAsListOfDefs("cases")) {
        result->cases.push_back({item->getValueAsString("name").str(),
                                 item->getValueAsString("doc").str()});
      }
      if (result->cases.empty()) {
        PrintFatalError(record->getLoc(),
                        "enumeration '" + result->name + "' has no cases");
      }
      place->second = result.get();
      model.enums.push_back(std::move(result));
    }
    return place->second;
  }

  Part loadPart(const Record *owner, StringRef member, unsigned limit) {
    const Record *record = owner->getValueAsDef(member);
    Part part;
    part.name = record->getValueAsString("name");
    part.doc = record->getValueAsString("doc");
    int64_t value = 0;
    if (record->isSubClassOf("XpeFixed")) {
      value = record->getValueAsInt("value");
      part.kind = Part::Kind::Fixed;
      if (value >= limit) {
        value = -1;
      }
    } else if (record->isSubClassOf("XpeReg")) {
      part.kind = Part::Kind::Register;
    } else if (record->isSubClassOf("XpeWordReg")) {
      part.kind = Part::Kind::Word;
    } else {
      part.kind = Part::Kind::Immediate;
      if (record->isSubClassOf("XpeEnumImm")) {
        part.codes = loadEnum(record->getValueAsDef("codes"));
        value = static_cast<int64_t>(part.codes->cases.size());
      } else {
        value = record->getValueAsInt("count");
      }
      if (value < 1 || value > limit) {
        value = -1;
      }
    }
    if (value < 0) {
      PrintFatalError(owner->getLoc(),
                      "instruction '" + owner->getName() + "': " + member +
                          " does not fit its " + Twine(limit) + " values");
    }
    if (part.isRegister() && member == "xpeFunct7") {
      PrintFatalError(owner->getLoc(), "instruction '" + owner->getName() +
                                           "': funct7 cannot be a register");
    }
    part.value = static_cast<unsigned>(value);
    return part;
  }

  /// Reads `hi` and `lo` of a slice or term; a range that is reversed or wider
  /// than 64 bits is refused.
  void loadRange(const Record *owner, const Record *record, StringRef name,
                 unsigned &hi, unsigned &lo) {
    int64_t high = record->getValueAsInt("hi");
    int64_t low = record->getValueAsInt("lo");
    if (high - low + 1 > 64) {
      PrintFatalError(owner->getLoc(),
                      "slice '" + name + "' is " + Twine(high - low + 1) +
                          " bits wide; a slice has at most 64 bits");
    }
    if (low < 0 || high < low || high > 63) {
      PrintFatalError(owner->getLoc(), "slice '" + name + "' covers bits " +
                                           Twine(high) + ".." + Twine(low) +
                                           "; expected 63 >= hi >= lo >= 0");
    }
    hi = static_cast<unsigned>(high);
    lo = static_cast<unsigned>(low);
  }

  const Layout *loadLayout(const Record *owner, const Record *record) {
    auto [place, isNew] = layouts.try_emplace(record, nullptr);
    if (!isNew) {
      return place->second;
    }
    auto layout = std::make_unique<Layout>();
    // Anonymous layouts have no place of their own: blame the command.
    layout->record = record->isAnonymous() ? owner : record;
    layout->name = record->getValueAsString("name");
    for (const Record *item : record->getValueAsListOfDefs("fields")) {
      Field field;
      int64_t index = item->getValueAsInt("index");
      field.name = item->getValueAsString("name");
      field.doc = item->getValueAsString("doc");
      if (index < 0 || index >= model.autoField) {
        PrintFatalError(owner->getLoc(),
                        "field '" + field.name + "' has number " +
                            Twine(index) + "; a command may use fields 0 to " +
                            Twine(model.autoField - 1));
      }
      field.index = static_cast<unsigned>(index);
      for (const Record *piece : item->getValueAsListOfDefs("slices")) {
        Slice slice;
        slice.name = piece->getValueAsString("name");
        loadRange(owner, piece, slice.name, slice.hi, slice.lo);
        slice.isSigned = piece->getValueAsBit("isSigned");
        slice.isFloat = piece->getValueAsBit("isFloat");
        slice.doc = piece->getValueAsString("doc");
        for (const Record *codes : piece->getValueAsListOfDefs("codes")) {
          slice.codes = loadEnum(codes);
        }
        field.slices.push_back(std::move(slice));
      }
      layout->fields.push_back(std::move(field));
    }
    place->second = layout.get();
    model.layouts.push_back(std::move(layout));
    return place->second;
  }

  void loadInst(const Record *record) {
    Inst inst;
    inst.record = record;
    inst.mnemonic = record->getValueAsString("xpeMnemonic");
    const Record *major = record->getValueAsDef("xpeMajor");
    inst.majorName = major->getValueAsString("name");
    inst.major = static_cast<unsigned>(major->getValueAsInt("opcode"));
    int64_t funct3 = record->getValueAsInt("xpeFunct3");
    if (funct3 < 0 || funct3 > 7) {
      PrintFatalError(record->getLoc(), "instruction '" + inst.mnemonic +
                                            "': funct3 is " + Twine(funct3) +
                                            "; expected 0 to 7");
    }
    inst.funct3 = static_cast<unsigned>(funct3);
    inst.funct7 = loadPart(record, "xpeFunct7", 128);
    inst.rs2 = loadPart(record, "xpeRs2", 32);
    inst.rs1 = loadPart(record, "xpeRs1", 32);
    inst.rd = loadPart(record, "xpeRd", 32);
    inst.engine = record->getValueAsDef("xpeEngine")->getValueAsString("name");
    inst.isPure = record->getValueAsBit("xpePure");
    inst.ordersMemory = record->getValueAsBit("xpeOrdersMemory");
    inst.summary = record->getValueAsString("xpeSummary");
    inst.description = record->getValueAsString("xpeDescription");
    if (record->isSubClassOf("XpeCommandFacts")) {
      inst.layout = loadLayout(record, record->getValueAsDef("xpeLayout"));
      inst.decodeSuffix = record->getValueAsString("xpeDecodeSuffix");
      for (const Record *item : record->getValueAsListOfDefs("xpeWord")) {
        Term term;
        term.slice = item->getValueAsString("slice");
        loadRange(record, item, term.slice, term.hi, term.lo);
        inst.word.push_back(std::move(term));
      }
    }
    model.insts.push_back(std::move(inst));
  }

private:
  Model &model;
  std::map<const Record *, const Enum *> enums;
  std::map<const Record *, const Layout *> layouts;
};

} // namespace

Model loadModel(const RecordKeeper &records) {
  Model model;
  Loader loader(model);
  // Enumerations and engines in the order of the files, so that outputs do
  // not depend on how records are stored.
  auto inFileOrder = [&](StringRef className) {
    std::vector<const Record *> defs(
        records.getAllDerivedDefinitions(className));
    llvm::sort(defs, [](const Record *a, const Record *b) {
      return a->getID() < b->getID();
    });
    return defs;
  };
  if (const Record *context = records.getDef("XpeContext")) {
    auto number = [&](StringRef member) {
      return static_cast<unsigned>(context->getValueAsInt(member));
    };
    model.fieldCount = number("fieldCount");
    model.autoField = number("autoField");
    model.stepField = number("stepField");
  }
  for (const Record *record : inFileOrder("XpeEnum")) {
    loader.loadEnum(record);
  }
  for (const Record *record : inFileOrder("XpeEngine")) {
    model.engines.push_back({record->getValueAsString("name").str(),
                             record->getValueAsString("doc").str()});
  }
  for (const Record *record : inFileOrder("XpeInstFacts")) {
    loader.loadInst(record);
  }
  verifyModel(model);
  llvm::sort(model.insts, [](const Inst &a, const Inst &b) {
    return std::tie(a.major, a.funct3, a.funct7.value, a.mnemonic) <
           std::tie(b.major, b.funct3, b.funct7.value, b.mnemonic);
  });
  return model;
}

} // namespace chipwright::isagen
