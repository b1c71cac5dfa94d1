//===- ChipwrightOpt.cpp - Passes on the command line ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// chipwright-opt reads MLIR text, runs the passes that are named, and writes
// the result, as mlir-opt does for upstream passes.
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/GridPasses.h"
#include "compiler/llm/LlmPasses.h"
#include "compiler/pe/Passes.h"
#include "dialects/grid/Grid.h"
#include "dialects/pe/Pe.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<chipwright::grid::GridDialect, chipwright::llm::LlmDialect,
                  chipwright::pe::PeDialect>();
  mlir::registerAllPasses();
  chipwright::registerGridPasses();
  chipwright::registerLlmPasses();
  chipwright::compiler::registerPePasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Chipwright's passes\n", registry));
}
