//===- Passes.td - Passes on pe programs -------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_PE_PASSES_TD
#define CHIPWRIGHT_COMPILER_PE_PASSES_TD

include "mlir/Pass/PassBase.td"

def PeUnroll : Pass<"pe-unroll", "::mlir::ModuleOp"> {
  let summary = "unroll short loops around commands";
  let description = [{
    Unrolls innermost `scf.for` loops with constant bounds that hold commands,
    as long as the result has at most `max-commands` of them. A run of commands
    in one block needs no loop overhead and can use auto-increment.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
  let options = [
    Option<"maxCommands", "max-commands", "unsigned", "32",
           "largest number of commands of an unrolled loop">];
}

def PeAssignContexts : Pass<"pe-assign-contexts", "::mlir::ModuleOp"> {
  let summary = "turn commands into field writes and issues";
  let description = [{
    Gives every command of `kernel_load` and `kernel_compute` a context,
    packs its slices into fields and the varying word, and writes a field only
    where its context does not hold the value already: before the outermost
    loop in which the value is the same for all commands of the context.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::chipwright::pe::PeDialect"];
  let options = [
    Option<"contexts", "contexts", "unsigned", "16",
           "contexts of a hart (cp.contexts); 0: fields do not persist">,
    Option<"localBytes", "local-bytes", "uint64_t", "262144",
           "size of local memory (ls.bytes): no offset is larger">];
}

def ConvertPeToLLVM : Pass<"convert-pe-to-llvm", "::mlir::ModuleOp"> {
  let summary = "instructions to inline assembly, control flow to LLVM";
  let description = [{
    The last pass: `pe` instructions become `.insn` in inline assembly, kernel
    functions get the entry code, and `scf`, `arith` and `func` their LLVM
    forms. Each issue of a command also writes its address and number to the
    section .chipwright.ops.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let options = [
    Option<"stackBytes", "stack-bytes", "uint64_t",
           "::chipwright::kStackBytes",
           "stack of one hart">];
}

def PeCheckRings : Pass<"pe-check-rings", "::mlir::ModuleOp"> {
  let summary = "pushes, pops and fill of circular buffers";
  let description = [{
    Refuses programs whose harts would wait for each other for ever because of
    a CB: a loop or branch in which more is pushed than popped or the other way
    round, more bytes in a CB, in the order of the program, than it has, and
    commands that need more than it has. What is only known at run time, and
    functions of different structure, are not judged.
  }];
  let options = [
    Option<"report", "report", "bool", "false",
           "remark for each CB what is known of it">];
}

def PeCheckCollectives : Pass<"pe-check-collectives", "::mlir::ModuleOp"> {
  let summary = "collective operations under uniform control flow";
  let description = [{
    Refuses multicasts, barriers and reductions in loops and branches that some
    PEs of their group enter and others do not: their bounds or conditions
    depend on the PE's position along the group, or on what each PE has read
    for itself.
  }];
}

#endif // CHIPWRIGHT_COMPILER_PE_PASSES_TD
