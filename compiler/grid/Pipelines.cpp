//===- Pipelines.cpp - Passes on tile programs in their order -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/grid/GridPasses.h"

#include "compiler/pe/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace chipwright;

namespace chipwright {
#define GEN_PASS_REGISTRATION
#include "compiler/grid/GridPasses.h.inc"
} // namespace chipwright

void chipwright::buildGridToCommandsPipeline(OpPassManager &passes) {
  passes.addPass(createSchedulePass());
  OpPassManager &program = passes.nest<grid::ProgramOp>();
  program.addPass(createExpandPass());
  program.addPass(createCanonicalizerPass());
  program.addPass(createCSEPass());
  program.addPass(createSelectSimdPass());
  program.addPass(createNormalizePass());
  program.addPass(createDeriveMulticastPass());
  passes.addPass(createGridToPePass());
  // The harts' functions are still copies of one program.
  passes.addPass(compiler::createPeCheckRings());
  passes.addPass(compiler::createPeCheckCollectives());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void chipwright::registerGridPasses() {
  registerChipwrightGridPasses();
  PassPipelineRegistration<>(
      "grid-to-commands", "tile programs to structured pe commands",
      [](OpPassManager &passes) { buildGridToCommandsPipeline(passes); });
}
