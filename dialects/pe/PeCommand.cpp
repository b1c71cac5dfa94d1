//===- PeCommand.cpp - What all commands share ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A command's slices are a dictionary: name to integer for a constant, name to
// unit for an SSA value. Values are operands in the order of the layout. Text,
// checks and construction come from the layout's table alone.
//
//===----------------------------------------------------------------------===//

#include "dialects/pe/Pe.h"

#include "mlir/IR/Builders.h"

#include <bit>

using namespace mlir;
using namespace chipwright;
using namespace chipwright::pe;
using isa::SliceInfo;

static const SliceInfo *findSlice(isa::Opcode opcode, StringRef name) {
  for (const SliceInfo &slice : isa::slices(opcode)) {
    if (name == slice.name) {
      return &slice;
    }
  }
  return nullptr;
}

static std::string sliceNames(isa::Opcode opcode) {
  std::string names;
  for (const SliceInfo &slice : isa::slices(opcode)) {
    names += (names.empty() ? "" : ", ") + std::string(slice.name);
  }
  return names;
}

static std::string codeNames(const SliceInfo &slice) {
  std::string names;
  for (unsigned i = 0; i < slice.codeCount; ++i) {
    names += (names.empty() ? "" : ", ") + std::string(slice.codeNames[i]);
  }
  return names;
}

std::string pe::explainConstant(const SliceInfo &slice, int64_t value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (slice.codeNames) {
    if (value < 0 || value >= slice.codeCount) {
      os << "code " << value << " of slice '" << slice.name
         << "' has no meaning, expected 0 to " << slice.codeCount - 1 << " ("
         << codeNames(slice) << ")";
    }
    return text;
  }
  if (slice.width >= 64) {
    return text;
  }
  int64_t limit = int64_t(1)
                  << (slice.isSigned ? slice.width - 1 : slice.width);
  int64_t least = slice.isSigned ? -limit : 0;
  if (value < least || value >= limit) {
    os << "constant " << value << " does not fit slice '" << slice.name
       << "', which has " << unsigned(slice.width) << " bits: expected "
       << least << " to " << limit - 1;
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Access
//===----------------------------------------------------------------------===//

OpFoldResult pe::detail::getSlice(Operation *op, StringRef name) {
  auto command = cast<CommandOpInterface>(op);
  DictionaryAttr slices = command.getSlices();
  Attribute entry = slices.get(name);
  if (!entry) {
    return IntegerAttr::get(IntegerType::get(op->getContext(), 64), 0);
  }
  if (llvm::isa<IntegerAttr>(entry)) {
    return entry;
  }
  unsigned operand = 0;
  for (const SliceInfo &slice : isa::slices(command.getXpeOpcode())) {
    if (name == slice.name) {
      return op->getOperand(operand);
    }
    operand += isa_and_nonnull<UnitAttr>(slices.get(slice.name));
  }
  llvm_unreachable("not a slice of the command");
}

std::optional<int64_t> pe::detail::getConstant(Operation *op, StringRef name) {
  OpFoldResult slice = getSlice(op, name);
  if (auto constant = dyn_cast<Attribute>(slice)) {
    return cast<IntegerAttr>(constant).getInt();
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

SliceValue::SliceValue(StringRef name, float number)
    : name(name), constant(std::bit_cast<uint32_t>(number)) {}

SliceValue::SliceValue(StringRef name, OpFoldResult either) : name(name) {
  if (auto attribute = dyn_cast<Attribute>(either)) {
    constant = cast<IntegerAttr>(attribute).getInt();
  } else {
    value = cast<Value>(either);
  }
}

void pe::detail::buildCommand(OpBuilder &builder, OperationState &state,
                              isa::Opcode opcode, ArrayRef<SliceValue> slices,
                              StringRef tag) {
  // Names that are no slices stay in the dictionary for the verifier.
  SmallVector<NamedAttribute> entries;
  for (const SliceValue &slice : slices) {
    Attribute entry = builder.getUnitAttr();
    if (!slice.value) {
      entry = builder.getI64IntegerAttr(slice.constant);
    }
    entries.emplace_back(builder.getStringAttr(slice.name), entry);
  }
  for (const SliceInfo &info : isa::slices(opcode)) {
    for (const SliceValue &slice : slices) {
      if (slice.value && slice.name == info.name) {
        state.addOperands(slice.value);
      }
    }
  }
  state.addAttribute("slices", builder.getDictionaryAttr(entries));
  if (!tag.empty()) {
    state.addAttribute("tag", builder.getStringAttr(tag));
  }
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// `31`, `-0x40`, the name of a code, or a number such as `0.5 : f32`.
static ParseResult parseConstant(OpAsmParser &parser, const SliceInfo &slice,
                                 Attribute &result) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef code;
  int64_t number = 0;
  if (slice.isFloat) {
    Attribute literal;
    if (parser.parseAttribute(literal)) {
      return failure();
    }
    if (auto real = dyn_cast<FloatAttr>(literal)) {
      APFloat value = real.getValue();
      bool ignored = false;
      value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                    &ignored);
      number = static_cast<int64_t>(value.bitcastToAPInt().getZExtValue());
    } else if (auto bits = dyn_cast<IntegerAttr>(literal);
               bits && bits.getValue().getSignificantBits() <= 64) {
      number = bits.getValue().getSExtValue();
    } else {
      return parser.emitError(loc)
             << "expected a number, its bits or an SSA value for slice '"
             << slice.name << "'";
    }
  } else if (slice.codeNames && succeeded(parser.parseOptionalKeyword(&code))) {
    while (number < slice.codeCount && code != slice.codeNames[number]) {
      ++number;
    }
    if (number == slice.codeCount) {
      return parser.emitError(loc)
             << "'" << code << "' is no code of slice '" << slice.name
             << "', expected one of " << codeNames(slice);
    }
  } else {
    APInt value;
    OptionalParseResult parsed = parser.parseOptionalInteger(value);
    if (!parsed.has_value()) {
      return parser.emitError(loc)
             << "expected " << (slice.codeNames ? "a code, " : "")
             << "an integer or an SSA value for slice '" << slice.name << "'";
    }
    if (failed(*parsed)) {
      return failure();
    }
    if (value.isNegative() ? value.getSignificantBits() > 64
                           : value.getActiveBits() > 64) {
      return parser.emitError(loc) << "constant of slice '" << slice.name
                                   << "' has more than 64 bits";
    }
    // Literals with the top bit set come with a bit more: they are positive.
    bool fits =
        value.isNegative() || value.getActiveBits() < 64 || slice.width == 64;
    if (!fits) {
      return parser.emitError(loc)
             << "constant does not fit slice '" << slice.name << "', which has "
             << unsigned(slice.width) << " bits";
    }
    number = value.sextOrTrunc(64).getSExtValue();
  }
  result = parser.getBuilder().getI64IntegerAttr(number);
  return success();
}

ParseResult pe::detail::parseCommand(OpAsmParser &parser, OperationState &state,
                                     isa::Opcode opcode) {
  Builder &builder = parser.getBuilder();
  std::span<const SliceInfo> table = isa::slices(opcode);
  SmallVector<std::optional<OpAsmParser::UnresolvedOperand>> operands(
      table.size());
  SmallVector<NamedAttribute> entries;
  auto parseSlice = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name)) {
      return failure();
    }
    const SliceInfo *slice = findSlice(opcode, name);
    if (!slice) {
      return parser.emitError(loc)
             << "'pe." << opName(opcode) << "' has no slice '" << name
             << "', expected one of " << sliceNames(opcode);
    }
    bool isTwice = llvm::any_of(entries, [&](const NamedAttribute &entry) {
      return entry.getName() == name;
    });
    if (isTwice) {
      return parser.emitError(loc) << "slice '" << name << "' is given twice";
    }
    if (parser.parseEqual()) {
      return failure();
    }
    OpAsmParser::UnresolvedOperand operand;
    Attribute entry = builder.getUnitAttr();
    OptionalParseResult isValue = parser.parseOptionalOperand(operand);
    if (isValue.has_value()) {
      if (failed(*isValue)) {
        return failure();
      }
      operands[static_cast<size_t>(slice - table.data())] = operand;
    } else if (parseConstant(parser, *slice, entry)) {
      return failure();
    }
    entries.emplace_back(builder.getStringAttr(name), entry);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Braces,
                                     parseSlice)) {
    return failure();
  }
  Type i64 = builder.getI64Type();
  for (const auto &operand : operands) {
    if (operand && parser.resolveOperand(*operand, i64, state.operands)) {
      return failure();
    }
  }
  state.addAttribute("slices", builder.getDictionaryAttr(entries));
  if (succeeded(parser.parseOptionalKeyword("tag"))) {
    StringAttr tag;
    if (parser.parseAttribute(tag)) {
      return failure();
    }
    state.addAttribute("tag", tag);
  }
  return parser.parseOptionalAttrDictWithKeyword(state.attributes);
}

void pe::detail::printCommand(OpAsmPrinter &printer, Operation *op) {
  auto command = cast<CommandOpInterface>(op);
  DictionaryAttr slices = command.getSlices();
  printer << " {";
  StringRef separator = "";
  for (const SliceInfo &slice : isa::slices(command.getXpeOpcode())) {
    if (!slices.contains(slice.name)) {
      continue;
    }
    printer << separator << slice.name << " = ";
    separator = ", ";
    OpFoldResult entry = command.getSlice(slice.name);
    if (auto value = dyn_cast<Value>(entry)) {
      printer << value;
      continue;
    }
    int64_t number = cast<IntegerAttr>(cast<Attribute>(entry)).getInt();
    if (slice.codeNames && number >= 0 && number < slice.codeCount) {
      printer << slice.codeNames[number];
    } else if (slice.isFloat && number == (number & 0xffffffff)) {
      APFloat real(APFloat::IEEEsingle(),
                   APInt(32, static_cast<uint64_t>(number)));
      printer.printAttribute(
          FloatAttr::get(Float32Type::get(op->getContext()), real));
    } else if (slice.isSigned) {
      printer << number;
    } else {
      printer << static_cast<uint64_t>(number);
    }
  }
  printer << "}";
  if (auto tag = command.getTag()) {
    printer << " tag ";
    printer.printAttribute(StringAttr::get(op->getContext(), *tag));
  }
  printer.printOptionalAttrDictWithKeyword(
      op->getDiscardableAttrDictionary().getValue());
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult pe::detail::verifyCommand(Operation *op) {
  auto command = cast<CommandOpInterface>(op);
  isa::Opcode opcode = command.getXpeOpcode();
  unsigned values = 0;
  for (NamedAttribute entry : command.getSlices()) {
    StringRef name = entry.getName().getValue();
    const SliceInfo *slice = findSlice(opcode, name);
    if (!slice) {
      return op->emitOpError() << "has no slice '" << name
                               << "', expected one of " << sliceNames(opcode);
    }
    if (llvm::isa<UnitAttr>(entry.getValue())) {
      ++values;
      continue;
    }
    auto constant = dyn_cast<IntegerAttr>(entry.getValue());
    if (!constant || !constant.getType().isInteger(64)) {
      return op->emitOpError()
             << "slice '" << name << "' is " << entry.getValue()
             << ", expected an i64 attribute, or unit for an SSA value";
    }
    std::string why = explainConstant(*slice, constant.getInt());
    if (!why.empty()) {
      return op->emitOpError(why);
    }
  }
  if (values != op->getNumOperands()) {
    return op->emitOpError()
           << "has " << op->getNumOperands() << " operands, expected " << values
           << ", one for each slice that is an SSA value";
  }
  return success();
}
