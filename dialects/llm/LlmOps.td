//===- LlmOps.td - Operations of language models -----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_LLM_LLMOPS_TD
#define CHIPWRIGHT_DIALECTS_LLM_LLMOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Llm_Dialect : Dialect {
  let name = "llm";
  let cppNamespace = "::chipwright::llm";
  let summary = "one step of a decoder-only language model";
  let description = [{
    A function of tensors: activations are [tokens, columns], weights of linear
    maps [out, in]. The number of tokens is known when a step runs. Arguments
    of the function are the inputs of the step and carry their meaning in the
    attribute `llm.input`; weights are `llm.parameter`. `name` is the model's
    own name of an operation; errors, traces and comparisons use it.

    The element type of a tensor says how it is stored between operations.
    Operands of products have the product's type; everything else is f32.
  }];
}

class Llm_Op<string mnemonic, list<Trait> traits = [Pure]>
    : Op<Llm_Dialect, mnemonic, traits>;
class Llm_Named<string mnemonic, dag operands, dag attributes, dag outputs,
                list<Trait> traits = [Pure]>
    : Llm_Op<mnemonic, traits> {
  let arguments = !con(operands, attributes, (ins StrAttr:$name));
  let results = outputs;
  let assemblyFormat =
    "$name `(` operands `)` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llm_ParameterOp : Llm_Op<"parameter"> {
  let summary = "a weight, by its name in the model";
  let description = [{
    In an 8-bit type each row is divided by a scale of its own, max |row| over
    the type's largest number, and rounded. With `scales` the value is these
    scales, [1, rows] in f32, or [matrices, rows] of a weight of three
    dimensions.

    In i4 and f4E2M1FN each block of 32 columns is divided by a scale of its
    own and rounded; rows are filled up with zeros to a multiple of 32. The
    value with `scales` has a column for each block, in bf16 (i4) or f8E8M0FNU.
  }];
  let arguments = (ins StrAttr:$parameter, UnitAttr:$scales);
  let results = (outs AnyRankedTensor:$value);
  let assemblyFormat =
    "$parameter (`scales` $scales^)? attr-dict `:` type($value)";
}

def Llm_EmbeddingOp : Llm_Named<"embedding",
    (ins AnyRankedTensor:$ids, AnyRankedTensor:$table), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "rows of a table";
}

def Llm_RmsNormOp : Llm_Named<"rms_norm",
    (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$weight),
    (ins F64Attr:$epsilon, I64Attr:$group), (outs AnyRankedTensor:$y)> {
  let summary = "x / sqrt(mean(x^2) + epsilon) [* weight]";
  let description = "The mean is over groups of `group` columns.";
}

def Llm_LinearOp : Llm_Named<"linear",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$weight,
         Optional<AnyRankedTensor>:$bias),
    (ins), (outs AnyRankedTensor:$y)> {
  let summary = "x weight^T [+ bias]";
}

def Llm_HeadLinearOp : Llm_Named<"head_linear",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$weight), (ins I64Attr:$heads),
    (outs AnyRankedTensor:$y)> {
  let summary = "x weight^T of each head";
  let description = [{
    Columns of x are those of `heads` heads, and the weight is one matrix
    [out, in] for each of them.
  }];
}

def Llm_QuantisedLinearOp : Llm_Named<"quantised_linear",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$weight, AnyRankedTensor:$scales,
         Optional<AnyRankedTensor>:$bias), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "x weight^T scales, with products in the weight's type";
  let description = [{
    Rows of x are divided by max |row| over the largest number of the weight's
    type (i8: 127, f8E4M3FN: 448, f8E5M2: 57344) and rounded to it; the result
    is multiplied by that and by the scale of the weight's row. `llm-quantise`
    makes it of `linear`.
  }];
}

def Llm_BlockLinearOp : Llm_Named<"block_linear",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$weight, AnyRankedTensor:$scales,
         Optional<AnyRankedTensor>:$bias), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "x w^T [+ bias], where w = weight scales, block by block";
  let description = [{
    The weight is stored in 4 bits (i4 or f4E2M1FN) with a scale for each 32
    columns. Its numbers times their scales are rounded to the type of x, in
    which products are. `llm-quantise-weights` makes it of `linear`.
  }];
}

def Llm_RopeOp : Llm_Named<"rope",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$positions,
         AnyRankedTensor:$table),
    (ins I64Attr:$head), (outs AnyRankedTensor:$y)> {
  let summary = "rotation of neighbouring columns by the token's position";
  let description = [{
    Row p of the table holds the factors of x for a head's columns, then the
    factors of each column's neighbour.
  }];
}

def Llm_TemperatureOp : Llm_Named<"temperature",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$positions,
         AnyRankedTensor:$table),
    (ins), (outs AnyRankedTensor:$y)> {
  let summary = "x times a factor that depends on the position";
}

def Llm_AttentionOp : Llm_Named<"attention",
    (ins AnyRankedTensor:$q, AnyRankedTensor:$k, AnyRankedTensor:$v,
         AnyRankedTensor:$slots, AnyRankedTensor:$bounds,
         AnyRankedTensor:$work, AnyRankedTensor:$keys,
         AnyRankedTensor:$values, Variadic<AnyRankedTensor>:$more),
    (ins I64Attr:$heads, I64Attr:$kv_heads, I64Attr:$head_size,
         DefaultValuedAttr<I64Attr, "0">:$rotary, F64Attr:$scale),
    (outs AnyRankedTensor:$y), []> {
  let summary = "append k and v to the cache; attend to its slots";
  let description = [{
    Writes row i of k and v to slot `slots[i]` of the caches `keys` and
    `values`, then computes softmax(scale q k^T) v over the slots
    [bounds[i][0], bounds[i][1]) of each token. `work` lists blocks of tokens
    with the slots that they need.

    With `rotary`, k is a latent vector that is also the value, v the rotated
    key of that many columns, and `more` begins with the part of the queries
    for it; scores are the sum of both products. What else `more` has is a row
    of sinks: each head's softmax has a term exp(sink) more in its sum.
  }];
  let extraClassDeclaration = [{
    ::mlir::Value getRotated() {
      return getRotary() > 0 ? getMore().front() : ::mlir::Value();
    }
    ::mlir::Value getSinks() {
      return getMore().size() > (getRotary() > 0 ? 1u : 0u)
                 ? getMore().back() : ::mlir::Value();
    }
  }];
}

def Llm_RouterOp : Llm_Named<"router",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$weight,
         Variadic<AnyRankedTensor>:$biases),
    (ins I64Attr:$chosen,
         DefaultValuedStrAttr<StrAttr, "sigmoid">:$score,
         DefaultValuedAttr<BoolAttr, "false">:$choice_bias,
         DefaultValuedAttr<I64Attr, "1">:$groups,
         DefaultValuedAttr<I64Attr, "1">:$kept_groups,
         DefaultValuedAttr<BoolAttr, "false">:$normalised,
         DefaultValuedAttr<F64Attr, "::llvm::APFloat(1.0)">:$factor),
    (outs AnyRankedTensor:$choice, AnyRankedTensor:$experts,
          AnyRankedTensor:$scores, Optional<AnyRankedTensor>:$logits)> {
  let summary = "the experts of each token, best first, and their scores";
  let description = [{
    `biases` are that of the logits and, with `choice_bias`, that of the choice.
    Experts are chosen by their logits; with `choice_bias` by the sigmoid of the
    logit plus the bias, from the `kept_groups` of `groups` whose two best are
    best. `score` says of what the scores are made: `sigmoid` of the logits,
    `softmax` over all of them, or `softmax_of_chosen`. They are divided by
    their sum if `normalised`, and multiplied by `factor`.
  }];
  let extraClassDeclaration = [{
    ::mlir::Value getLogitsBias() {
      return getBiases().size() > (getChoiceBias() ? 1u : 0u)
                 ? getBiases().front() : ::mlir::Value();
    }
  }];
}

def Llm_ExpertsOp : Llm_Named<"experts",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$experts, AnyRankedTensor:$scores,
         AnyRankedTensor:$gate, AnyRankedTensor:$up, AnyRankedTensor:$down,
         Variadic<AnyRankedTensor>:$more),
    (ins DefaultValuedAttr<BoolAttr, "true">:$on_input,
         DefaultValuedAttr<F64Attr, "::llvm::APFloat(0.0)">:$limit,
         DefaultValuedAttr<F64Attr, "::llvm::APFloat(1.0)">:$alpha),
    (outs AnyRankedTensor:$y)> {
  let summary = "sum over a token's experts of down(act(gate z, up z))";
  let description = [{
    The expert's score multiplies its input (z is x times the score) or its
    output (z is x). act(g, u) is silu(g) u, or, with a `limit`,
    (u + 1) g sigmoid(alpha g) with g of at most the limit and u within it.

    `more` are scales, then biases. Products with weights of 8 bits are those of
    `quantised_linear`, with scales [experts, rows]: gate and up have such
    weights, or neither has, and down may have. Rows of x are quantised once
    for all experts; scores multiply their scales. Weights of 4 bits, all three
    or none, are those of `block_linear`. Biases are none or those of gate, up
    and down, a row for each expert.
  }];
  let extraClassDeclaration = [{
    /// Whether gate and up, or down, have weights of 8 bits.
    bool isInnerQuantised() { return isQuantised(getGate()); }
    bool isOuterQuantised() { return isQuantised(getDown()); }
    /// Whether all weights have 4 bits.
    bool isInBlocks() { return ::chipwright::llm::isInBlocks(getGate()); }
    /// [experts, rows], where isInnerQuantised(); of blocks, where isInBlocks().
    ::mlir::Value getGateScales() { return getMore()[0]; }
    ::mlir::Value getUpScales() { return getMore()[1]; }
    /// [experts, rows], where isOuterQuantised(); of blocks, where isInBlocks().
    ::mlir::Value getDownScales() {
      return getMore()[isInnerQuantised() || isInBlocks() ? 2 : 0];
    }
    unsigned numScales() {
      if (isInBlocks()) {
        return 3;
      }
      return (isInnerQuantised() ? 2 : 0) + (isOuterQuantised() ? 1 : 0);
    }
    ::mlir::ValueRange getBiases() { return getMore().drop_front(numScales()); }
  }];
}

def Llm_SiluMulOp : Llm_Named<"silu_mul",
    (ins AnyRankedTensor:$gate, AnyRankedTensor:$up), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "silu(gate) * up";
}

def Llm_SigmoidMulOp : Llm_Named<"sigmoid_mul",
    (ins AnyRankedTensor:$gate, AnyRankedTensor:$x), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "sigmoid(gate) * x";
}

def Llm_AddOp : Llm_Named<"add",
    (ins AnyRankedTensor:$a, AnyRankedTensor:$b), (ins),
    (outs AnyRankedTensor:$y)> {
  let summary = "a + b";
}

def Llm_LogitsOp : Llm_Named<"logits",
    (ins AnyRankedTensor:$x, AnyRankedTensor:$rows, AnyRankedTensor:$weight),
    (ins DefaultValuedAttr<F64Attr, "::llvm::APFloat(1.0)">:$factor,
         DefaultValuedAttr<F64Attr, "::llvm::APFloat(0.0)">:$cap),
    (outs AnyRankedTensor:$y)> {
  let summary = "factor * x[rows] weight^T";
  let description = "z, or cap tanh(z / cap) where cap is not 0.";
}

#endif // CHIPWRIGHT_DIALECTS_LLM_LLMOPS_TD
