//===- LlmPasses.td - Passes on models ---------------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_LLMPASSES_TD
#define CHIPWRIGHT_COMPILER_LLM_LLMPASSES_TD

include "mlir/Pass/PassBase.td"

def QuantisePass : Pass<"llm-quantise", "::mlir::ModuleOp"> {
  let summary = "linear maps and experts to products of 8-bit operands";
  let description = [{
    Weights get a scale for each row and are converted when they are loaded;
    activations are quantised row by row when the map runs. Maps of products of
    two activations (`silu_mul`, and the last one of experts), whose rows have
    few large elements, are by `products`. Router, attention and logits keep
    their types.
  }];
  let options = [Option<"product", "product", "std::string", "",
                        "element type of the products: i8, f8E4M3FN, f8E5M2">,
                 Option<"products", "products", "std::string", "",
                        "whether maps of products of two activations are "
                        "quantised: yes, no, or as the type allows">];
}

def QuantiseWeightsPass : Pass<"llm-quantise-weights", "::mlir::ModuleOp"> {
  let summary = "weights of linear maps and experts to 4 bits and scales of blocks";
  let description = [{
    Weights are encoded when they are loaded, a scale for each 32 columns of a
    row, and lie so in memory. A tile of them is converted to the type of the
    activations, in which products are, when it is in local memory. Embedding,
    router, attention and logits keep their types.
  }];
  let options = [Option<"type", "type", "std::string", "",
                        "element type of the weights: i4, f4E2M1FN">];
}

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
