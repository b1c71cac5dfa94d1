//===- CompileModelStages.h - Levels of a model as text ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// At level llm a module holds the function @step. At grid and program it holds
// programs and the grid.step that launches them; at pe and llvm a module for
// each program takes the program's place. Level asm is no MLIR: the module with
// the grid.step stands in comments before the programs' assembly.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_COMPILEMODELSTAGES_H
#define CHIPWRIGHT_COMPILER_COMPILEMODELSTAGES_H

#include "compiler/CompileModel.h"
#include "dialects/grid/Grid.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace chipwright::compiler {

/// Assembly of one program.
struct AsmProgram {
  std::string name, text;
  unsigned firstLine = 1; // in the text of the level
};

/// A model at one of the levels.
struct StageText {
  Stage stage = Stage::Llm;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<AsmProgram> assembly; // at level asm
};

/// What a module says about the package that it becomes.
struct PackageTerms {
  DType productType = DType::BF16;
  int64_t tokens = 0, batch = 0, context = 0;
};

/// The terms as attributes `llm.product` and `llm.bounds` of \p module.
void attachTerms(mlir::ModuleOp module, const PackageTerms &terms);
/// \returns failure after a diagnostic if an attribute is missing or wrong.
mlir::FailureOr<PackageTerms> termsOf(mlir::ModuleOp module);

/// \returns the text of the level, which parseStage() takes.
std::string print(const StageText &text);

/// Reads a level and checks that what belongs to it is there, that launches go
/// with their programs, and that it was made for a chip like \p chip.
/// \returns failure after a diagnostic.
mlir::FailureOr<StageText> parseStage(Stage stage, const std::string &text,
                                      const std::string &name,
                                      const ChipSpec &chip,
                                      mlir::MLIRContext *context);

/// The launches of a module of level grid to asm.
grid::StepOp stepOf(mlir::ModuleOp module);

/// The operations of the model that launch \p program, as
/// "layers.0.self_attn.q_proj and 3 more"; "" if there is none.
std::string launchersOf(mlir::ModuleOp module, llvm::StringRef program);

/// \p program with what of \p module it needs to be compiled further.
mlir::OwningOpRef<mlir::ModuleOp> aloneWith(mlir::ModuleOp module,
                                            grid::ProgramOp program);

} // namespace chipwright::compiler

#endif // CHIPWRIGHT_COMPILER_COMPILEMODELSTAGES_H
