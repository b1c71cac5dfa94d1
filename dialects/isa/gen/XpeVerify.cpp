//===- XpeVerify.cpp - Consistency of the instruction set -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/XpeModel.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/TableGen/Error.h"

#include <map>

using namespace llvm;

namespace chipwright::isagen {

/// \returns whether some value is legal for both parts.
static bool partsMeet(const Part &a, const Part &b) {
  auto accepts = [](const Part &part, unsigned value) {
    switch (part.kind) {
    case Part::Kind::Fixed:
      return value == part.value;
    case Part::Kind::Immediate:
      return value < part.value;
    case Part::Kind::Register:
    case Part::Kind::Word:
      return true;
    }
    return false;
  };
  for (unsigned value = 0; value < 128; ++value) {
    if (accepts(a, value) && accepts(b, value)) {
      return true;
    }
  }
  return false;
}

static void verifyEncodings(const Model &model) {
  std::map<std::string, const Inst *> byMnemonic;
  for (const Inst &inst : model.insts) {
    if (!StringRef(inst.mnemonic).starts_with("xpe.")) {
      PrintFatalError(inst.record->getLoc(),
                      "mnemonic '" + inst.mnemonic +
                          "' does not start with 'xpe.'");
    }
    auto [place, isNew] = byMnemonic.try_emplace(inst.mnemonic, &inst);
    if (!isNew) {
      PrintError(inst.record->getLoc(),
                 "mnemonic '" + inst.mnemonic + "' is used twice");
      PrintFatalNote(place->second->record->getLoc(), "first used here");
    }
  }
  for (size_t i = 0; i < model.insts.size(); ++i) {
    const Inst &a = model.insts[i];
    for (size_t j = i + 1; j < model.insts.size(); ++j) {
      const Inst &b = model.insts[j];
      if (a.major == b.major && a.funct3 == b.funct3 &&
          partsMeet(a.funct7, b.funct7) && partsMeet(a.rs2, b.rs2) &&
          partsMeet(a.rs1, b.rs1) && partsMeet(a.rd, b.rd)) {
        PrintError(b.record->getLoc(), "encoding of '" + b.mnemonic +
                                           "' overlaps that of '" + a.mnemonic +
                                           "'");
        PrintFatalNote(a.record->getLoc(), "'" + a.mnemonic + "' is here");
      }
    }
  }
}

static void verifyLayout(const Layout &layout) {
  ArrayRef<SMLoc> place = layout.record->getLoc();
  std::map<unsigned, std::string> fields;
  std::map<std::string, unsigned> slices;
  for (const Field &field : layout.fields) {
    auto [other, isNew] = fields.try_emplace(field.index, field.name);
    if (!isNew) {
      PrintFatalError(place, "fields '" + other->second + "' and '" +
                                 field.name + "' of layout '" + layout.name +
                                 "' have the same number " +
                                 Twine(field.index));
    }
    for (size_t i = 0; i < field.slices.size(); ++i) {
      const Slice &a = field.slices[i];
      if (!slices.try_emplace(a.name, field.index).second) {
        PrintFatalError(place, "slice '" + a.name + "' of layout '" +
                                   layout.name + "' is defined twice");
      }
      for (size_t j = i + 1; j < field.slices.size(); ++j) {
        const Slice &b = field.slices[j];
        if (a.lo <= b.hi && b.lo <= a.hi) {
          PrintFatalError(place, "slices '" + a.name + "' and '" + b.name +
                                     "' of field '" + field.name +
                                     "' of layout '" + layout.name +
                                     "' overlap");
        }
      }
      if (a.codes && a.codes->cases.size() - 1 > lowMask(a.width())) {
        PrintFatalError(place, "slice '" + a.name + "' of layout '" +
                                   layout.name + "' has " + Twine(a.width()) +
                                   " bits, too few for " +
                                   Twine(a.codes->cases.size()) +
                                   " cases of '" + a.codes->name + "'");
      }
    }
  }
}

static void verifyWord(const Inst &inst) {
  ArrayRef<SMLoc> place = inst.record->getLoc();
  for (size_t i = 0; i < inst.word.size(); ++i) {
    const Term &a = inst.word[i];
    const Slice *slice = inst.layout->find(a.slice).second;
    if (!slice) {
      PrintFatalError(place, "word of '" + inst.mnemonic +
                                 "' names the slice '" + a.slice +
                                 "', which layout '" + inst.layout->name +
                                 "' does not have");
    }
    if (a.width() > slice->width()) {
      PrintFatalError(place, "word of '" + inst.mnemonic + "' gives " +
                                 Twine(a.width()) + " bits to slice '" +
                                 a.slice + "', which has " +
                                 Twine(slice->width()));
    }
    if (slice->isSigned || slice->codes) {
      PrintFatalError(place, "word of '" + inst.mnemonic + "' varies slice '" +
                                 a.slice +
                                 "', which is not an unsigned number");
    }
    for (size_t j = i + 1; j < inst.word.size(); ++j) {
      const Term &b = inst.word[j];
      if (a.slice == b.slice) {
        PrintFatalError(place, "word of '" + inst.mnemonic +
                                   "' names the slice '" + a.slice + "' twice");
      }
      if (a.lo <= b.hi && b.lo <= a.hi) {
        PrintFatalError(place, "word terms '" + a.slice + "' and '" + b.slice +
                                   "' of '" + inst.mnemonic + "' overlap");
      }
    }
  }
}

/// Commands of one layout may share a decode function only if their words
/// have the same terms.
static void verifyDecodeNames(const Model &model) {
  auto sameWord = [](const Inst &a, const Inst &b) {
    return std::equal(a.word.begin(), a.word.end(), b.word.begin(),
                      b.word.end(), [](const Term &x, const Term &y) {
                        return x.slice == y.slice && x.hi == y.hi &&
                               x.lo == y.lo;
                      });
  };
  for (const Inst &a : model.insts) {
    for (const Inst &b : model.insts) {
      if (a.isCommand() && a.layout == b.layout &&
          a.decodeSuffix == b.decodeSuffix && !sameWord(a, b)) {
        PrintFatalError(b.record->getLoc(),
                        "commands '" + a.mnemonic + "' and '" + b.mnemonic +
                            "' have different words and need different "
                            "xpeDecodeSuffix");
      }
    }
  }
}

void verifyModel(const Model &model) {
  verifyEncodings(model);
  std::map<std::string, const Layout *> names;
  for (const auto &layout : model.layouts) {
    verifyLayout(*layout);
    if (!names.try_emplace(layout->name, layout.get()).second) {
      PrintFatalError(layout->record->getLoc(),
                      "layout name '" + layout->name + "' is used twice");
    }
  }
  for (const Inst &inst : model.insts) {
    if (inst.isCommand()) {
      verifyWord(inst);
    }
  }
  verifyDecodeNames(model);
}

} // namespace chipwright::isagen
