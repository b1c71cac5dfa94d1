//===- EnumEmitter.cpp - C++ enumerations of named codes ------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/isa/gen/Emitters.h"

using namespace llvm;

namespace chipwright::isagen {

void emitEnumDecls(const Model &model, raw_ostream &os) {
  for (const auto &item : model.enums) {
    os << "/// " << item->doc << "\n";
    os << "enum class " << item->name << " : uint8_t {\n";
    unsigned value = 0;
    for (const EnumCase &code : item->cases) {
      os << "  " << upperCamel(code.name) << " = " << value++ << ", // "
         << code.doc << "\n";
    }
    os << "};\n";
    os << "inline constexpr unsigned " << lowerCamel(item->name)
       << "Count = " << value << ";\n";
    os << "/// \\returns the code's name in the manual.\n";
    os << "const char *toString(" << item->name << " value);\n\n";
  }
}

void emitEnumDefs(const Model &model, raw_ostream &os) {
  for (const auto &item : model.enums) {
    std::string table = lowerCamel(item->name) + "Names";
    os << "static const char *const " << table << "[] = {\n";
    for (const EnumCase &code : item->cases) {
      os << "    \"" << code.name << "\",\n";
    }
    os << "};\n";
    os << "const char *toString(" << item->name << " value) {\n"
       << "  const auto index = static_cast<unsigned>(value);\n"
       << "  return index < " << item->cases.size() << " ? " << table
       << "[index] : \"?\";\n}\n\n";
  }
}

} // namespace chipwright::isagen
