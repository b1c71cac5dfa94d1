// SPDX-License-Identifier: Apache-2.0
// What the verifiers of a model's operations refuse.
// RUN: chipwright-opt -split-input-file -verify-diagnostics %s

func.func @rank(%x: tensor<?x8xf32>, %w: tensor<8xbf16>) {
  // expected-error @+1 {{works on tensors of rank 2, found 'tensor<8xbf16>'}}
  %y = llm.linear "a"(%x, %w) : (tensor<?x8xf32>, tensor<8xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @result_rank(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{works on tensors of rank 2, found 'tensor<f32>'}}
  %y = llm.add "a"(%x, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<f32>
  return
}

// -----

func.func @experts_rank(%x: tensor<?x8xf32>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{works on tensors of rank 3, found 'tensor<4x8xbf16>'}}
  %y = llm.experts "a"(%x, %i, %s, %w, %w, %w) : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @embedding(%i: tensor<?x1xi32>, %t: tensor<9x8xbf16>) {
  // expected-error @+1 {{table and result have one number of columns, found 8 and 6}}
  %y = llm.embedding "a"(%i, %t) : (tensor<?x1xi32>, tensor<9x8xbf16>) -> tensor<?x6xf32>
  return
}

// -----

func.func @norm_columns(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{operand and result have one number of columns, found 8 and 6}}
  %y = llm.rms_norm "a"(%x) {epsilon = 1.0e-5 : f64, group = 8 : i64} : (tensor<?x8xf32>) -> tensor<?x6xf32>
  return
}

// -----

func.func @norm_group(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{groups of 3 columns do not divide 8}}
  %y = llm.rms_norm "a"(%x) {epsilon = 1.0e-5 : f64, group = 3 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @norm_no_group(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{groups of 0 columns do not divide 8}}
  %y = llm.rms_norm "a"(%x) {epsilon = 1.0e-5 : f64, group = 0 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @norm_weight(%x: tensor<?x8xf32>, %w: tensor<1x8xf32>) {
  // expected-error @+1 {{weight is 1 x 4, found 'tensor<1x8xf32>'}}
  %y = llm.rms_norm "a"(%x, %w) {epsilon = 1.0e-5 : f64, group = 4 : i64} : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @linear_columns(%x: tensor<?x8xbf16>, %w: tensor<4x6xbf16>) {
  // expected-error @+1 {{operand and weight have one number of columns, found 8 and 6}}
  %y = llm.linear "a"(%x, %w) : (tensor<?x8xbf16>, tensor<4x6xbf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @linear_rows(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{a weight with 4 rows gives as many columns, found 5}}
  %y = llm.linear "a"(%x, %w) : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> tensor<?x5xf32>
  return
}

// -----

func.func @logits(%x: tensor<?x8xbf16>, %r: tensor<?x1xi32>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{a weight with 4 rows gives as many columns, found 5}}
  %y = llm.logits "a"(%x, %r, %w) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<4x8xbf16>) -> tensor<?x5xf32>
  return
}

// -----

func.func @rope(%x: tensor<?x8xf32>, %p: tensor<?x1xi32>, %t: tensor<16x4xf32>) {
  // expected-error @+1 {{heads of 4 columns (an even number) divide the operand's 8, and the table has twice as many, found 4}}
  %y = llm.rope "a"(%x, %p, %t) {head = 4 : i64} : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<16x4xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @rope_odd(%x: tensor<?x9xf32>, %p: tensor<?x1xi32>, %t: tensor<16x6xf32>) {
  // expected-error @+1 {{heads of 3 columns (an even number)}}
  %y = llm.rope "a"(%x, %p, %t) {head = 3 : i64} : (tensor<?x9xf32>, tensor<?x1xi32>, tensor<16x6xf32>) -> tensor<?x9xf32>
  return
}

// -----

func.func @temperature(%x: tensor<?x8xf32>, %p: tensor<?x1xi32>, %t: tensor<16x1xf32>) {
  // expected-error @+1 {{operand and result have one number of columns, found 8 and 4}}
  %y = llm.temperature "a"(%x, %p, %t) : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<16x1xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @attention_heads(%q: tensor<?x12xbf16>, %k: tensor<?x4xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>, %c: tensor<?x4xbf16>) {
  // expected-error @+1 {{queries are heads x head_size wide and keys kv_heads x head_size, where kv_heads divides heads; found 12 and 4}}
  %y = llm.attention "a"(%q, %k, %k, %s, %b, %w, %c, %c) {head_size = 4 : i64, heads = 3 : i64, kv_heads = 2 : i64, scale = 1.0 : f64} : (tensor<?x12xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x4xbf16>, tensor<?x4xbf16>) -> tensor<?x12xf32>
  return
}

// -----

func.func @attention_cache(%q: tensor<?x12xbf16>, %k: tensor<?x4xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>, %c: tensor<?x8xbf16>) {
  // expected-error @+1 {{keys and their cache have one number of columns, found 4 and 8}}
  %y = llm.attention "a"(%q, %k, %k, %s, %b, %w, %c, %c) {head_size = 4 : i64, heads = 3 : i64, kv_heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x12xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x8xbf16>, tensor<?x8xbf16>) -> tensor<?x12xf32>
  return
}

// -----

func.func @attention_values(%q: tensor<?x12xbf16>, %k: tensor<?x4xbf16>, %v: tensor<?x8xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>, %c: tensor<?x4xbf16>) {
  // expected-error @+1 {{keys and values have one number of columns, found 4 and 8}}
  %y = llm.attention "a"(%q, %k, %v, %s, %b, %w, %c, %c) {head_size = 4 : i64, heads = 3 : i64, kv_heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x12xbf16>, tensor<?x4xbf16>, tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x4xbf16>, tensor<?x4xbf16>) -> tensor<?x12xf32>
  return
}

// -----

func.func @router(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{chooses 1 to 4 experts, found 5}}
  %l, %e, %s = llm.router "a"(%x, %w) {chosen = 5 : i64} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x5xi32>, tensor<?x5xf32>)
  return
}

// -----

func.func @experts(%x: tensor<?x8xf32>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xbf16>, %d: tensor<4x8x7xbf16>) {
  // expected-error @+1 {{gate and up are [experts, width, columns] and down [experts, columns, width], found 'tensor<4x6x8xbf16>', 'tensor<4x6x8xbf16>' and 'tensor<4x8x7xbf16>'}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d) : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xbf16>, tensor<4x6x8xbf16>, tensor<4x8x7xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @silu_mul(%x: tensor<?x8xf32>, %y: tensor<?x6xf32>) {
  // expected-error @+1 {{operands have one number of columns, found 8 and 6}}
  %z = llm.silu_mul "a"(%x, %y) : (tensor<?x8xf32>, tensor<?x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @add(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{operand and result have one number of columns, found 8 and 6}}
  %z = llm.add "a"(%x, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x6xf32>
  return
}

// -----

func.func @sigmoid_mul(%x: tensor<?x8xf32>, %y: tensor<?x6xf32>) {
  // expected-error @+1 {{operands have one number of columns, found 8 and 6}}
  %z = llm.sigmoid_mul "a"(%x, %y) : (tensor<?x8xf32>, tensor<?x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @linear_bias(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>, %b: tensor<1x8xf32>) {
  // expected-error @+1 {{a bias is 1 x 4, found 'tensor<1x8xf32>'}}
  %y = llm.linear "a"(%x, %w, %b) : (tensor<?x8xbf16>, tensor<4x8xbf16>, tensor<1x8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @head_linear(%x: tensor<?x8xbf16>, %w: tensor<2x3x4xbf16>) {
  // expected-error @+1 {{a weight [heads, out, in] takes heads x in columns to heads x out, found 'tensor<2x3x4xbf16>', 8 and 4}}
  %y = llm.head_linear "a"(%x, %w) {heads = 2 : i64} : (tensor<?x8xbf16>, tensor<2x3x4xbf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @attention_more(%q: tensor<?x8xbf16>, %k: tensor<?x4xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>) {
  // expected-error @+1 {{with rotary has the rotated part of the queries behind its caches, and may have sinks there; found 0 operands}}
  %y = llm.attention "a"(%q, %k, %k, %s, %b, %w, %k, %k) {head_size = 4 : i64, heads = 2 : i64, kv_heads = 1 : i64, rotary = 4 : i64, scale = 1.0 : f64} : (tensor<?x8xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x4xbf16>, tensor<?x4xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @attention_rotary(%q: tensor<?x8xbf16>, %k: tensor<?x4xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>) {
  // expected-error @+1 {{with rotary has one key head, rotated keys of that many columns and queries of heads x as many; found 1, 4 and 4}}
  %y = llm.attention "a"(%q, %k, %k, %s, %b, %w, %k, %k, %k) {head_size = 4 : i64, heads = 2 : i64, kv_heads = 1 : i64, rotary = 4 : i64, scale = 1.0 : f64} : (tensor<?x8xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @attention_sinks(%q: tensor<?x8xbf16>, %k: tensor<?x4xbf16>, %s: tensor<?x1xi32>, %b: tensor<?x2xi32>, %w: tensor<?x4xi32>, %z: tensor<1x3xf32>) {
  // expected-error @+1 {{sinks are 1 x heads, found 'tensor<1x3xf32>'}}
  %y = llm.attention "a"(%q, %k, %k, %s, %b, %w, %k, %k, %z) {head_size = 4 : i64, heads = 2 : i64, kv_heads = 1 : i64, scale = 1.0 : f64} : (tensor<?x8xbf16>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<?x1xi32>, tensor<?x2xi32>, tensor<?x4xi32>, tensor<?x4xbf16>, tensor<?x4xbf16>, tensor<1x3xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @router_groups(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{keeps some of groups that divide 4 experts, found 3 of 2}}
  %l, %e, %s = llm.router "a"(%x, %w) {chosen = 1 : i64, groups = 2 : i64, kept_groups = 3 : i64} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x1xi32>, tensor<?x1xf32>)
  return
}

// -----

func.func @router_score(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{scores by sigmoid, softmax or softmax_of_chosen, found 'relu'}}
  %l, %e, %s = llm.router "a"(%x, %w) {chosen = 1 : i64, score = "relu"} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x1xi32>, tensor<?x1xf32>)
  return
}

// -----

func.func @router_choice(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) {
  // expected-error @+1 {{has a bias of the choice, and logits beside the choice values, if choice_bias says so}}
  %l, %e, %s = llm.router "a"(%x, %w) {choice_bias = true, chosen = 1 : i64} : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> (tensor<?x4xf32>, tensor<?x1xi32>, tensor<?x1xf32>)
  return
}

// -----

func.func @experts_biases(%x: tensor<?x8xf32>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xbf16>, %d: tensor<4x8x6xbf16>, %b: tensor<4x6xf32>) {
  // expected-error @+1 {{biases are those of gate, up and down, [experts, width] and [experts, columns]; found 3}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %b, %b, %b) : (tensor<?x8xf32>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xbf16>, tensor<4x6x8xbf16>, tensor<4x8x6xbf16>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_scales_missing(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xi8>, %d: tensor<4x8x6xbf16>, %c: tensor<4x6xf32>) {
  // expected-error @+1 {{weights of 8 bits have scales, 2 operands, found 1}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xi8>, tensor<4x6x8xi8>, tensor<4x8x6xbf16>, tensor<4x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_scales(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xi8>, %d: tensor<4x8x6xf8E5M2>, %c: tensor<4x6xf32>) {
  // expected-error @+1 {{scales are experts x 8 in f32, found 'tensor<4x6xf32>'}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c, %c, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xi8>, tensor<4x6x8xi8>, tensor<4x8x6xf8E5M2>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_scales_type(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xbf16>, %d: tensor<4x8x6xi8>, %c: tensor<4x8xbf16>) {
  // expected-error @+1 {{scales are experts x 8 in f32, found 'tensor<4x8xbf16>'}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xbf16>, tensor<4x6x8xbf16>, tensor<4x8x6xi8>, tensor<4x8xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_scales_and_biases(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x8xi8>, %d: tensor<4x8x6xbf16>, %c: tensor<4x6xf32>) {
  // expected-error @+1 {{biases are those of gate, up and down, [experts, width] and [experts, columns]; found 1}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c, %c, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x8xi8>, tensor<4x6x8xi8>, tensor<4x8x6xbf16>, tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @quantised_type(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>, %s: tensor<1x4xf32>) {
  // expected-error @+1 {{weight is i8, f8E4M3FN or f8E5M2, found 'bf16'}}
  %y = llm.quantised_linear "a"(%x, %w, %s) : (tensor<?x8xbf16>, tensor<4x8xbf16>, tensor<1x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @quantised_scales(%x: tensor<?x8xbf16>, %w: tensor<4x8xi8>, %s: tensor<1x8xf32>) {
  // expected-error @+1 {{scales (and bias) are 1 x 4 in f32, found 'tensor<1x8xf32>'}}
  %y = llm.quantised_linear "a"(%x, %w, %s) : (tensor<?x8xbf16>, tensor<4x8xi8>, tensor<1x8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @block_type(%x: tensor<?x64xbf16>, %w: tensor<4x64xi8>, %s: tensor<4x2xbf16>) {
  // expected-error @+1 {{weight is i4 or f4E2M1FN, found 'i8'}}
  %y = llm.block_linear "a"(%x, %w, %s) : (tensor<?x64xbf16>, tensor<4x64xi8>, tensor<4x2xbf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @block_scale_type(%x: tensor<?x64xbf16>, %w: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xbf16>) {
  // expected-error @+1 {{scales of 'f4E2M1FN' are f8E8M0FNU, found 'bf16'}}
  %y = llm.block_linear "a"(%x, %w, %s) : (tensor<?x64xbf16>, tensor<4x64xf4E2M1FN>, tensor<4x2xbf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @block_columns(%x: tensor<?x40xbf16>, %w: tensor<4x40xi4>, %s: tensor<4x2xbf16>) {
  // expected-error @+1 {{a weight for 40 columns has 64 and a scale for each 32, found 'tensor<4x40xi4>' and 'tensor<4x2xbf16>'}}
  %y = llm.block_linear "a"(%x, %w, %s) : (tensor<?x40xbf16>, tensor<4x40xi4>, tensor<4x2xbf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @block_rows(%x: tensor<?x64xbf16>, %w: tensor<4x64xi4>, %s: tensor<4x2xbf16>) {
  // expected-error @+1 {{a weight with 4 rows gives as many columns, found 5}}
  %y = llm.block_linear "a"(%x, %w, %s) : (tensor<?x64xbf16>, tensor<4x64xi4>, tensor<4x2xbf16>) -> tensor<?x5xf32>
  return
}

// -----

func.func @block_bias(%x: tensor<?x64xbf16>, %w: tensor<4x64xi4>, %s: tensor<4x2xbf16>, %b: tensor<1x8xf32>) {
  // expected-error @+1 {{a bias is 1 x 4, found 'tensor<1x8xf32>'}}
  %y = llm.block_linear "a"(%x, %w, %s, %b) : (tensor<?x64xbf16>, tensor<4x64xi4>, tensor<4x2xbf16>, tensor<1x8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @experts_blocks_mixed(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x32xi4>, %d: tensor<4x8x6xbf16>, %c: tensor<4x6x1xbf16>) {
  // expected-error @+1 {{all weights have 4 bits or none, found 'tensor<4x6x32xi4>' and 'tensor<4x8x6xbf16>'}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c, %c, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x32xi4>, tensor<4x6x32xi4>, tensor<4x8x6xbf16>, tensor<4x6x1xbf16>, tensor<4x6x1xbf16>, tensor<4x6x1xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_blocks_missing(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x32xi4>, %d: tensor<4x8x32xi4>, %c: tensor<4x6x1xbf16>) {
  // expected-error @+1 {{weights of 4 bits have scales, 3 operands, found 2}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x32xi4>, tensor<4x6x32xi4>, tensor<4x8x32xi4>, tensor<4x6x1xbf16>, tensor<4x6x1xbf16>) -> tensor<?x8xf32>
  return
}

// -----

func.func @experts_blocks_shape(%x: tensor<?x8xbf16>, %i: tensor<?x1xi32>, %s: tensor<?x1xf32>, %g: tensor<4x6x32xi4>, %d: tensor<4x8x32xi4>, %c: tensor<4x6x1xbf16>) {
  // expected-error @+1 {{a weight for 6 columns has 32 and a scale for each 32, found 'tensor<4x8x32xi4>' and 'tensor<4x6x1xbf16>'}}
  %y = llm.experts "a"(%x, %i, %s, %g, %g, %d, %c, %c, %c) : (tensor<?x8xbf16>, tensor<?x1xi32>, tensor<?x1xf32>, tensor<4x6x32xi4>, tensor<4x6x32xi4>, tensor<4x8x32xi4>, tensor<4x6x1xbf16>, tensor<4x6x1xbf16>, tensor<4x6x1xbf16>) -> tensor<?x8xf32>
  return
}
