//===- PeDialect.cpp - The pe dialect -------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "dialects/pe/Pe.h"

#include "mlir/IR/Builders.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace chipwright;
using namespace chipwright::pe;

#include "dialects/pe/PeDialect.cpp.inc"

#include "dialects/pe/PeInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/pe/PeOps.cpp.inc"

namespace {
/// Helper functions of a kernel are inlined wherever they are called.
struct PeInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

void PeDialect::initialize() {
  addInterfaces<PeInliner>();
  addOperations<
#define GET_OP_LIST
#include "dialects/pe/PeOps.cpp.inc"
      >();
}

std::string pe::opName(isa::Opcode opcode) {
  StringRef name = isa::instInfo(opcode).mnemonic;
  name.consume_front("xpe.");
  std::string result = name.str();
  llvm::replace(result, '.', '_');
  return result;
}

std::optional<isa::Opcode> pe::opcodeFromOpName(StringRef name) {
  for (unsigned i = 0; i < isa::opcodeCount; ++i) {
    auto opcode = static_cast<isa::Opcode>(i);
    if (name == opName(opcode)) {
      return opcode;
    }
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// pe.arg, pe.load, pe.store
//===----------------------------------------------------------------------===//

/// Harts trap on misaligned access; addresses of blocks and buffers are
/// multiples of 8, so a constant offset tells.
static LogicalResult verifyOffset(Operation *op, int64_t offset, Type type) {
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  // The range of a load's immediate bounds nothing here: larger offsets are
  // added to the address.
  if (offset < 0 || offset % bytes != 0) {
    return op->emitOpError()
           << "offset " << offset << " of a " << type
           << " access, expected a multiple of " << bytes << " that is not "
           << "negative";
  }
  return success();
}

LogicalResult ArgOp::verify() {
  return verifyOffset(*this, getOffset(), getType());
}

LogicalResult LoadOp::verify() {
  return verifyOffset(*this, getOffset(), getType());
}

LogicalResult StoreOp::verify() {
  return verifyOffset(*this, getOffset(), getValue().getType());
}
