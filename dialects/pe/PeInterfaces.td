//===- PeInterfaces.td - What all commands have in common --*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_PE_PEINTERFACES_TD
#define CHIPWRIGHT_DIALECTS_PE_PEINTERFACES_TD

include "mlir/IR/OpBase.td"

def Pe_CommandOpInterface : OpInterface<"CommandOpInterface"> {
  let cppNamespace = "::chipwright::pe";
  let description = [{
    A command to an engine with all its operands: each slice of the command's
    layout (isa::slices) is a constant, an SSA value, or left out, which means
    0.
  }];
  let methods = [
    StaticInterfaceMethod<"The command.", "::chipwright::isa::Opcode",
                          "getXpeOpcode">,
    InterfaceMethod<"Name to value, or to unit if the value is the next "
                    "operand; operands stand in the layout's order.",
                    "::mlir::DictionaryAttr", "getSlices">,
    InterfaceMethod<"Values of the slices that are not constants.",
                    "::mlir::OperandRange", "getValues">,
    InterfaceMethod<"The model's operation that this belongs to.",
                    "::std::optional<::llvm::StringRef>", "getTag">];
  let extraSharedClassDeclaration = [{
    /// \returns the slice's value or, if it is a constant (or left out: 0),
    /// an i64 attribute. \p name must be a slice of the command.
    ::mlir::OpFoldResult getSlice(::llvm::StringRef name) {
      return ::chipwright::pe::detail::getSlice($_op, name);
    }
    /// \returns the slice's constant, or nothing if it is a value.
    ::std::optional<int64_t> getConstant(::llvm::StringRef name) {
      return ::chipwright::pe::detail::getConstant($_op, name);
    }
  }];
}

#endif // CHIPWRIGHT_DIALECTS_PE_PEINTERFACES_TD
