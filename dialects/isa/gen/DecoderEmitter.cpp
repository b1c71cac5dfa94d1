//===- DecoderEmitter.cpp - Encoder, decoder, disassembler ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/Emitters.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace llvm;

namespace chipwright::isagen {

void emitDecoderDecls(const Model &model, raw_ostream &os) {
  os << "/// The unit that executes an instruction or command.\n"
     << "enum class Engine : uint8_t {\n";
  for (const Engine &engine : model.engines) {
    os << "  " << engine.name << ", // " << engine.doc << "\n";
  }
  os << "};\ninline constexpr unsigned engineCount = " << model.engines.size()
     << ";\nconst char *toString(Engine engine);\n\n";

  os << "enum class Opcode : uint8_t {\n";
  for (const Inst &inst : model.insts) {
    os << "  " << inst.ident() << ", // " << inst.mnemonic << ": "
       << inst.summary << "\n";
  }
  os << "};\ninline constexpr unsigned opcodeCount = " << model.insts.size()
     << ";\n\n";

  os << "/// Operands of one instruction. Members that the instruction does "
        "not have\n/// are 0.\n"
     << "struct DecodedXpe {\n  Opcode opcode{};\n"
     << "  uint8_t rd = 0;\n  uint8_t rs1 = 0;\n  uint8_t rs2 = 0;\n";
  for (const std::string &name : model.immediateNames()) {
    os << "  uint8_t " << name << " = 0;\n";
  }
  os << "\n  bool operator==(const DecodedXpe &) const = default;\n};\n";
}

/// Conditions on rd, rs1 and rs2 of an instruction whose funct7 matches.
static std::string partConditions(const Inst &inst) {
  std::string result;
  auto add = [&](const Part &part, StringRef name) {
    std::string condition;
    if (part.kind == Part::Kind::Fixed) {
      condition = (name + " == " + Twine(part.value)).str();
    } else if (part.isImmediate() && part.value < 32) {
      condition = (name + " < " + Twine(part.value)).str();
    }
    if (!condition.empty()) {
      result += (result.empty() ? "" : " && ") + condition;
    }
  };
  add(inst.rs2, "rs2");
  add(inst.rs1, "rs1");
  add(inst.rd, "rd");
  return result;
}

static void emitDecodeOne(const Inst &inst, raw_ostream &os) {
  std::string conditions = partConditions(inst);
  StringRef indent = "      ";
  if (!conditions.empty()) {
    os << "      if (" << conditions << ") {\n";
    indent = "        ";
  }
  os << indent << "inst.opcode = Opcode::" << inst.ident() << ";\n";
  auto set = [&](StringRef member, StringRef value) {
    os << indent << "inst." << member << " = static_cast<uint8_t>(" << value
       << ");\n";
  };
  if (inst.rd.isRegister()) {
    set("rd", "rd");
  }
  if (inst.rs1.isRegister()) {
    set("rs1", "rs1");
  }
  if (inst.rs2.isRegister()) {
    set("rs2", "rs2");
  }
  if (inst.rs2.isImmediate()) {
    set(inst.rs2.name, "rs2");
  }
  if (inst.funct7.isImmediate()) {
    set(inst.funct7.name, "funct7");
  }
  os << indent << "return inst;\n";
  if (!conditions.empty()) {
    os << "      }\n";
  }
}

/// Switches on opcode and funct3, then on funct7.
static void emitDecode(const Model &model, raw_ostream &os) {
  os << "std::optional<DecodedXpe> decode(uint32_t word) {\n"
     << "  const uint32_t funct7 = word >> 25;\n"
     << "  const uint32_t rs2 = (word >> 20) & 31;\n"
     << "  const uint32_t rs1 = (word >> 15) & 31;\n"
     << "  const uint32_t rd = (word >> 7) & 31;\n"
     << "  DecodedXpe inst;\n"
     << "  switch (word & 0x707f) {\n";
  std::map<unsigned, std::vector<const Inst *>> groups;
  for (const Inst &inst : model.insts) {
    groups[inst.funct3 << 12 | inst.major].push_back(&inst);
  }
  for (const auto &[key, group] : groups) {
    os << "  case " << hex(key) << ": // " << group.front()->majorName
       << ", funct3 " << (key >> 12) << "\n    switch (funct7) {\n";
    // Values of funct7 that the same instructions accept share a body.
    std::vector<std::pair<std::vector<const Inst *>, std::vector<unsigned>>>
        bodies;
    for (unsigned value = 0; value < 128; ++value) {
      std::vector<const Inst *> accepting;
      for (const Inst *inst : group) {
        if (inst->funct7.isImmediate() ? value < inst->funct7.value
                                       : value == inst->funct7.value) {
          accepting.push_back(inst);
        }
      }
      if (accepting.empty()) {
        continue;
      }
      auto body = llvm::find_if(
          bodies, [&](const auto &item) { return item.first == accepting; });
      if (body == bodies.end()) {
        bodies.push_back({accepting, {value}});
      } else {
        body->second.push_back(value);
      }
    }
    for (const auto &[accepting, values] : bodies) {
      for (unsigned value : values) {
        os << "    case " << value << ":\n";
      }
      bool conditional = true;
      for (const Inst *inst : accepting) {
        emitDecodeOne(*inst, os);
        conditional = !partConditions(*inst).empty();
      }
      if (conditional) {
        os << "      break;\n";
      }
    }
    os << "    default:\n      break;\n    }\n    break;\n";
  }
  os << "  default:\n    break;\n  }\n  return std::nullopt;\n}\n\n";
}

static void emitEncode(const Model &model, raw_ostream &os) {
  std::vector<std::string> names = model.immediateNames();
  os << "std::optional<uint32_t> encode(const DecodedXpe &inst) {\n"
     << "  uint32_t word = 0;\n"
     << "  // What the opcode does not use must be 0, or it would be lost.\n"
     << "  DecodedXpe rest = inst;\n"
     << "  switch (inst.opcode) {\n";
  for (const Inst &inst : model.insts) {
    os << "  case Opcode::" << inst.ident() << ":\n";
    uint32_t fixed = inst.funct3 << 12 | inst.major;
    std::string checks;
    std::string sets;
    auto add = [&](const Part &part, StringRef regName, unsigned shift) {
      if (part.kind == Part::Kind::Fixed) {
        fixed |= part.value << shift;
        return;
      }
      std::string member = part.isImmediate() ? part.name : regName.str();
      unsigned limit = part.isImmediate() ? part.value : 32;
      checks += (checks.empty() ? "" : " || ") + ("inst." + member) +
                " >= " + std::to_string(limit);
      sets += "    word |= static_cast<uint32_t>(inst." + member + ") << " +
              std::to_string(shift) + ";\n    rest." + member + " = 0;\n";
    };
    add(inst.rd, "rd", 7);
    add(inst.rs1, "rs1", 15);
    add(inst.rs2, "rs2", 20);
    add(inst.funct7, "", 25);
    if (!checks.empty()) {
      os << "    if (" << checks << ") {\n      return std::nullopt;\n"
         << "    }\n";
    }
    os << "    word = " << hex(fixed) << ";\n" << sets << "    break;\n";
  }
  os << "  default:\n    return std::nullopt;\n  }\n"
     << "  DecodedXpe none;\n  none.opcode = inst.opcode;\n"
     << "  if (rest != none) {\n    return std::nullopt;\n  }\n"
     << "  return word;\n}\n\n";
}

static void emitDisassemble(const Model &model, raw_ostream &os) {
  os << "std::string disassemble(uint32_t word) {\n"
     << "  const std::optional<DecodedXpe> inst = decode(word);\n"
     << "  if (!inst) {\n    return illegalText(word);\n  }\n"
     << "  switch (inst->opcode) {\n";
  for (const Inst &inst : model.insts) {
    os << "  case Opcode::" << inst.ident() << ":\n    return std::string(\""
       << inst.mnemonic << "\")";
    StringRef separator = " ";
    auto add = [&](const Twine &text) {
      os << " +\n           \"" << separator << "\" + " << text;
      separator = ", ";
    };
    auto immediate = [&](const Part &part) {
      if (part.codes) {
        add("std::string(toString(static_cast<" + part.codes->name +
            ">(inst->" + part.name + ")))");
      } else {
        add("std::to_string(inst->" + part.name + ")");
      }
    };
    if (inst.rd.isRegister()) {
      add("std::string(registerName(inst->rd))");
    }
    if (inst.rs2.isImmediate()) {
      immediate(inst.rs2);
    }
    if (inst.funct7.isImmediate()) {
      immediate(inst.funct7);
    }
    if (inst.rs1.kind == Part::Kind::Word) {
      add("std::string(inst->rs1 == 0 ? \"auto\" : "
          "registerName(inst->rs1))");
    } else if (inst.rs1.isRegister()) {
      add("std::string(registerName(inst->rs1))");
    }
    if (inst.rs2.isRegister()) {
      add("std::string(registerName(inst->rs2))");
    }
    os << ";\n";
  }
  os << "  }\n  return illegalText(word);\n}\n";
}

void emitDecoderDefs(const Model &model, raw_ostream &os) {
  os << "const char *toString(Engine engine) {\n  switch (engine) {\n";
  for (const Engine &engine : model.engines) {
    os << "  case Engine::" << engine.name << ":\n    return \"" << engine.name
       << "\";\n";
  }
  os << "  }\n  return \"?\";\n}\n\n";

  os << "static constexpr InstInfo instTable[] = {\n";
  for (const Inst &inst : model.insts) {
    auto flag = [](bool value) { return value ? "true" : "false"; };
    os << "    {\"" << inst.mnemonic << "\", Engine::" << inst.engine << ", "
       << flag(inst.isCommand()) << ", " << flag(inst.rd.isRegister()) << ", "
       << flag(inst.rs1.isRegister()) << ", " << flag(inst.rs2.isRegister())
       << ", " << flag(inst.isPure) << ", " << flag(inst.ordersMemory)
       << "},\n";
  }
  os << "};\n\nconst InstInfo &instInfo(Opcode opcode) {\n"
     << "  return instTable[static_cast<unsigned>(opcode)];\n}\n\n";
  emitDecode(model, os);
  emitEncode(model, os);
  emitDisassemble(model, os);
}

} // namespace chipwright::isagen
