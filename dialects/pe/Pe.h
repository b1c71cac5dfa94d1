//===- Pe.h - The pe dialect ------------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Programs of the harts of a processing element. docs/compiler.md describes
// the dialect; PeOps.td lists the operations.
//
//   auto rows = pe::InfoOp::create(b, loc, isa::InfoItem::Rows);
//   pe::DmaInOp::create(b, loc,
//                       {{"cb", 0}, {"rows", 32}, {"addr", address},
//                        {"fill", isa::FillKind::Zero}},
//                       "layers.0.attention.wq");
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_PE_PE_H
#define CHIPWRIGHT_DIALECTS_PE_PE_H

#include "dialects/isa/Xpe.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>
#include <type_traits>

namespace chipwright::pe {

/// One slice of a command under construction: a constant (also a code of an
/// isa enumeration, or a number whose fp32 bits are meant) or an i64 value.
struct SliceValue {
  SliceValue(llvm::StringRef name, mlir::Value value)
      : name(name), value(value) {}
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T> ||
                                                    std::is_enum_v<T>>>
  SliceValue(llvm::StringRef name, T constant)
      : name(name), value(mlir::Value()),
        constant(static_cast<int64_t>(constant)) {}
  SliceValue(llvm::StringRef name, float constant);
  SliceValue(llvm::StringRef name, mlir::OpFoldResult either);

  llvm::StringRef name;
  /// Null for a constant.
  mlir::Value value;
  int64_t constant = 0;
};

/// \returns "dma_in" for isa::Opcode::DmaIn.
std::string opName(isa::Opcode opcode);
/// \returns the opcode of "dma_in", or nothing.
std::optional<isa::Opcode> opcodeFromOpName(llvm::StringRef name);

/// \returns why \p value is not possible in the slice, or "".
std::string explainConstant(const isa::SliceInfo &slice, int64_t value);

// What all commands, and all instructions, share.
namespace detail {
mlir::OpFoldResult getSlice(mlir::Operation *op, llvm::StringRef name);
std::optional<int64_t> getConstant(mlir::Operation *op, llvm::StringRef name);

void buildCommand(mlir::OpBuilder &builder, mlir::OperationState &state,
                  isa::Opcode opcode, llvm::ArrayRef<SliceValue> slices,
                  llvm::StringRef tag);
mlir::ParseResult parseCommand(mlir::OpAsmParser &parser,
                               mlir::OperationState &state, isa::Opcode opcode);
void printCommand(mlir::OpAsmPrinter &printer, mlir::Operation *op);
mlir::LogicalResult verifyCommand(mlir::Operation *op);

mlir::ParseResult parseInstruction(mlir::OpAsmParser &parser,
                                   mlir::OperationState &state,
                                   isa::Opcode opcode);
void printInstruction(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                      isa::Opcode opcode);
mlir::LogicalResult verifyInstruction(mlir::Operation *op, isa::Opcode opcode);
} // namespace detail

} // namespace chipwright::pe

#include "dialects/pe/PeInterfaces.h.inc"

#include "dialects/pe/PeDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/pe/PeOps.h.inc"

#endif // CHIPWRIGHT_DIALECTS_PE_PE_H
