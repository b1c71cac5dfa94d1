//===- PeOps.td - Operations of the pe dialect -------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The second view of the records of dialects/isa: every instruction and every
// command of Xpe is an operation. What the records say about slices, codes and
// immediates is checked through the tables that xpe-tblgen makes of them
// (dialects/isa/Xpe.h), so there is one parser, printer and verifier for all
// commands and one for all instructions.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_PE_PEOPS_TD
#define CHIPWRIGHT_DIALECTS_PE_PEOPS_TD

#define XPE_SECOND_VIEW

include "dialects/pe/PeDialect.td"
include "dialects/pe/PeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "XpeBase.td"

//===----------------------------------------------------------------------===//
// Instructions: `pe.cb_push 3, %bytes`
//===----------------------------------------------------------------------===//

// Records are named Xpe_<Ident>Op; <Ident> is the enumerator of isa::Opcode.
class XpeInst<string mnemonic, XpeMajor major, int funct3>
    : XpeInstFacts<mnemonic, major, funct3>,
      Op<Pe_Dialect, !subst(".", "_", !substr(mnemonic, 4))> {
  defvar opcode = "::chipwright::isa::Opcode::" #
                  !substr(NAME, 4, !sub(!size(NAME), 6));
  defvar infers = [DeclareOpInterfaceMethods<InferTypeOpInterface>];
  let traits = !listconcat(!if(xpePure, [Pure]<Trait>, []<Trait>),
                           !if(!isa<XpeReg>(xpeRd), infers, []<Trait>));
  let summary = xpeSummary;
  let description = xpeDescription;
  // Immediates in the order of assembly text, then registers.
  let arguments = !con(
    !if(!or(!isa<XpeImm>(xpeRs2), !isa<XpeEnumImm>(xpeRs2)),
        !dag(ins, [I64Attr], [xpeRs2.name]), (ins)),
    !if(!or(!isa<XpeImm>(xpeFunct7), !isa<XpeEnumImm>(xpeFunct7)),
        !dag(ins, [I64Attr], [xpeFunct7.name]), (ins)),
    !if(!isa<XpeReg>(xpeRs1), (ins I64:$rs1), (ins)),
    !if(!isa<XpeReg>(xpeRs2), (ins I64:$rs2), (ins)));
  let results = !if(!isa<XpeReg>(xpeRd), (outs I64:$result), (outs));
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration =
    "static ::chipwright::isa::Opcode getXpeOpcode() { return " # opcode #
    "; }";
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser,
                                         ::mlir::OperationState &state) {
      return detail::parseInstruction(parser, state, getXpeOpcode());
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      detail::printInstruction(printer, *this, getXpeOpcode());
    }
    ::llvm::LogicalResult $cppClass::verify() {
      return detail::verifyInstruction(*this, getXpeOpcode());
    }
  }];
}

//===----------------------------------------------------------------------===//
// Commands: `pe.dma_in {cb = 0, rows = 32, addr = %a}`
//===----------------------------------------------------------------------===//

class XpeCommand<string mnemonic, int number, XpeEngine engine,
                 XpeLayout layout, list<XpeTerm> word>
    : XpeCommandFacts<mnemonic, number, engine, layout, word>,
      Op<Pe_Dialect, !subst(".", "_", !substr(mnemonic, 4)),
         [Pe_CommandOpInterface]> {
  defvar opcode = "::chipwright::isa::Opcode::" #
                  !substr(NAME, 4, !sub(!size(NAME), 6));
  let summary = xpeSummary;
  let description = xpeDescription;
  let arguments = (ins Variadic<I64>:$values, DictionaryAttr:$slices,
                       OptionalAttr<StrAttr>:$tag);
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "::llvm::ArrayRef<::chipwright::pe::SliceValue>":$slices,
                   CArg<"::llvm::StringRef", "{}">:$tag),
              "detail::buildCommand($_builder, $_state, getXpeOpcode(), "
              "slices, tag);">];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration =
    "static ::chipwright::isa::Opcode getXpeOpcode() { return " # opcode #
    "; }";
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser,
                                         ::mlir::OperationState &state) {
      return detail::parseCommand(parser, state, getXpeOpcode());
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      detail::printCommand(printer, *this);
    }
    ::llvm::LogicalResult $cppClass::verify() {
      return detail::verifyCommand(*this);
    }
  }];
}

include "Xpe.td"

//===----------------------------------------------------------------------===//
// Issue of a command whose fields are set
//===----------------------------------------------------------------------===//

def Pe_GoOp : Op<Pe_Dialect, "go"> {
  let summary = "issue a command with the fields of a context";
  let description = [{
    `pe.go mml 2, %word` issues `xpe.mml` with context 2 and the varying word.
    Without a word it is taken from the context's field `auto`, which then
    grows by `step`; on a chip without contexts it is 0.
  }];
  let arguments = (ins StrAttr:$command, I64Attr:$ctx, Optional<I64>:$word,
                       OptionalAttr<StrAttr>:$tag);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::chipwright::isa::Opcode getXpeOpcode();
  }];
}

def Pe_KeepOp : Op<Pe_Dialect, "keep", [Pure, SameOperandsAndResultType]> {
  let summary = "a value that the optimiser does not look through";
  let description = [{
    The result equals the operand. Words of consecutive commands that are made
    from each other through `pe.keep` stay in one register.
  }];
  let arguments = (ins I64:$value);
  let results = (outs I64:$result);
  let assemblyFormat = "$value attr-dict";
}

//===----------------------------------------------------------------------===//
// Arguments and control buffers
//===----------------------------------------------------------------------===//

def Pe_Scalar : AnyTypeOf<[I8, I16, I32, I64]>;

def Pe_ArgOp : Op<Pe_Dialect, "arg", [Pure]> {
  let summary = "read the argument block of the launch";
  let description = [{
    `%n = pe.arg %args[16] : i32` reads bytes 16 to 19 of the block that a
    kernel function gets as its parameter. The block does not change during a
    launch, so the operation may move and merge.
  }];
  let arguments = (ins I64:$block, I64Attr:$offset);
  let results = (outs Pe_Scalar:$result);
  let assemblyFormat =
    "$block `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Pe_LoadOp : Op<Pe_Dialect, "load"> {
  let summary = "read a scalar from memory";
  let description = [{
    `%n = pe.load %addr[4] : i32` reads through the hart's data cache. Caches
    are not coherent: `pe.inval` the bytes first if anything but this hart may
    have written them since they were last read.
  }];
  let arguments = (ins I64:$address, I64Attr:$offset);
  let results = (outs Pe_Scalar:$result);
  let assemblyFormat =
    "$address `[` $offset `]` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Pe_StoreOp : Op<Pe_Dialect, "store"> {
  let summary = "write a scalar to memory";
  let description = [{
    `pe.store %n, %addr[4] : i32` writes an element of a control buffer.
  }];
  let arguments = (ins Pe_Scalar:$value, I64:$address, I64Attr:$offset);
  let assemblyFormat =
    "$value `,` $address `[` $offset `]` attr-dict `:` type($value)";
  let hasVerifier = 1;
}

#endif // CHIPWRIGHT_DIALECTS_PE_PEOPS_TD
