//===- PeInstruction.cpp - What all instructions share --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Text: immediates, then registers, as in assembly: `%v = pe.info row`,
// `pe.set 2, 5, %v`, `pe.cb_push 3, %bytes`.
//
//===----------------------------------------------------------------------===//

#include "dialects/pe/Pe.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::pe;
using isa::ImmediateInfo;

static std::string valuesOf(const ImmediateInfo &immediate) {
  std::string text = "0 to " + std::to_string(immediate.count - 1);
  if (immediate.codeNames) {
    text.clear();
    for (unsigned i = 0; i < immediate.count; ++i) {
      text += (text.empty() ? "" : ", ") + std::string(immediate.codeNames[i]);
    }
  }
  return text;
}

static ParseResult parseImmediate(OpAsmParser &parser,
                                  const ImmediateInfo &immediate,
                                  int64_t &value) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef code;
  if (immediate.codeNames && succeeded(parser.parseOptionalKeyword(&code))) {
    value = 0;
    while (value < immediate.count && code != immediate.codeNames[value]) {
      ++value;
    }
    if (value == immediate.count) {
      return parser.emitError(loc)
             << "'" << code << "' is no value of '" << immediate.name
             << "', expected one of " << valuesOf(immediate);
    }
    return success();
  }
  return parser.parseInteger(value);
}

ParseResult pe::detail::parseInstruction(OpAsmParser &parser,
                                         OperationState &state,
                                         isa::Opcode opcode) {
  Builder &builder = parser.getBuilder();
  const isa::InstInfo &info = isa::instInfo(opcode);
  bool isFirst = true;
  auto separator = [&]() -> ParseResult {
    return std::exchange(isFirst, false) ? success() : parser.parseComma();
  };
  for (const ImmediateInfo &immediate : isa::immediates(opcode)) {
    int64_t value = 0;
    if (separator() || parseImmediate(parser, immediate, value)) {
      return failure();
    }
    state.addAttribute(immediate.name, builder.getI64IntegerAttr(value));
  }
  for (bool isRead : {info.readsRs1, info.readsRs2}) {
    OpAsmParser::UnresolvedOperand operand;
    if (isRead && (separator() || parser.parseOperand(operand) ||
                   parser.resolveOperand(operand, builder.getI64Type(),
                                         state.operands))) {
      return failure();
    }
  }
  if (info.writesRd) {
    state.addTypes(builder.getI64Type());
  }
  return parser.parseOptionalAttrDict(state.attributes);
}

void pe::detail::printInstruction(OpAsmPrinter &printer, Operation *op,
                                  isa::Opcode opcode) {
  StringRef separator = " ";
  for (const ImmediateInfo &immediate : isa::immediates(opcode)) {
    int64_t value = op->getAttrOfType<IntegerAttr>(immediate.name).getInt();
    printer << separator;
    separator = ", ";
    if (immediate.codeNames && value >= 0 && value < immediate.count) {
      printer << immediate.codeNames[value];
    } else {
      printer << value;
    }
  }
  for (Value operand : op->getOperands()) {
    printer << separator << operand;
    separator = ", ";
  }
  printer.printOptionalAttrDict(op->getDiscardableAttrDictionary().getValue());
}

LogicalResult pe::detail::verifyInstruction(Operation *op, isa::Opcode opcode) {
  for (const ImmediateInfo &immediate : isa::immediates(opcode)) {
    int64_t value = op->getAttrOfType<IntegerAttr>(immediate.name).getInt();
    if (value < 0 || value >= immediate.count) {
      return op->emitOpError() << "has " << immediate.name << " " << value
                               << ", expected " << valuesOf(immediate);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// pe.go
//===----------------------------------------------------------------------===//

isa::Opcode GoOp::getXpeOpcode() { return *opcodeFromOpName(getCommand()); }

ParseResult GoOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &builder = parser.getBuilder();
  StringRef command;
  int64_t ctx = 0;
  if (parser.parseKeyword(&command) || parser.parseInteger(ctx)) {
    return failure();
  }
  state.addAttribute("command", builder.getStringAttr(command));
  state.addAttribute("ctx", builder.getI64IntegerAttr(ctx));
  if (succeeded(parser.parseOptionalComma())) {
    OpAsmParser::UnresolvedOperand word;
    if (parser.parseOperand(word) ||
        parser.resolveOperand(word, builder.getI64Type(), state.operands)) {
      return failure();
    }
  }
  if (succeeded(parser.parseOptionalKeyword("tag"))) {
    StringAttr tag;
    if (parser.parseAttribute(tag)) {
      return failure();
    }
    state.addAttribute("tag", tag);
  }
  return parser.parseOptionalAttrDict(state.attributes);
}

void GoOp::print(OpAsmPrinter &printer) {
  printer << " " << getCommand() << " " << getCtx();
  if (getWord()) {
    printer << ", " << getWord();
  }
  if (getTagAttr()) {
    printer << " tag " << getTagAttr();
  }
  printer.printOptionalAttrDict(
      (*this)->getDiscardableAttrDictionary().getValue());
}

LogicalResult GoOp::verify() {
  std::optional<isa::Opcode> opcode = opcodeFromOpName(getCommand());
  if (!opcode || !isa::instInfo(*opcode).isCommand) {
    return emitOpError() << "names '" << getCommand()
                         << "', which is no command to an engine";
  }
  std::span<const ImmediateInfo> immediates = isa::immediates(*opcode);
  if (getCtx() >= immediates.front().count) {
    return emitOpError() << "has context " << getCtx() << ", expected "
                         << valuesOf(immediates.front());
  }
  return success();
}
