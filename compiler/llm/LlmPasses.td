//===- LlmPasses.td - Passes on models ---------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_LLMPASSES_TD
#define CHIPWRIGHT_COMPILER_LLM_LLMPASSES_TD

include "mlir/Pass/PassBase.td"

def LlmToGridPass : Pass<"llm-to-grid", "::mlir::ModuleOp"> {
  let summary = "a model's operations to declared tile programs";
  let description = [{
    Replaces the function `step` of `llm` operations by one `grid.program` for
    each kind of operation and shape, and the `grid.step` that launches them in
    order. Values of the model become buffers; one that is read for the last
    time leaves its buffer to later values of its shape.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect",
                           "::chipwright::grid::GridDialect"];
}

#endif // CHIPWRIGHT_COMPILER_LLM_LLMPASSES_TD
