//===- KernelPrograms.h - Operators as tile programs ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// The text of one `grid.program` per operator, with one `grid.generic` and no
// schedule. Arguments are the addresses of the buffers in the order given; all
// sizes are constants. What is a part of a model is text of the model's own
// operations. No type of MLIR crosses this header.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_OPS_KERNELPROGRAMS_H
#define CHIPWRIGHT_COMPILER_OPS_KERNELPROGRAMS_H

#include "chips/ChipSpec.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chipwright::programs {

/// c[m,n] = a[m,k] b[n,k]^T; buffers a, b, c, all of \p type, a floating-point
/// one. Sums are fp32.
std::string matmul(DType type, uint64_t m, uint64_t n, uint64_t k);

/// \returns the number that the largest magnitude of a row becomes when it is
/// quantised to \p product: 127 of int8, the largest finite fp8 number.
double largestQuantised(DType product);

/// c[m,n] = a[m,k] (b[n,k] * scales[n])^T with products in \p product, int8 or
/// fp8; a and c are of type \p activation (fp16, bf16). Rows of a are quantised
/// when the program runs: divided by s = max |row| / largestQuantised(product)
/// and rounded. Buffers a, b, scales[1,n] (fp32), then q[m,k] and s[m,1] (fp32)
/// that the program fills on its way, c. Sums are int32 of int8, fp32 of fp8;
/// both scales are applied in fp32.
std::string quantisedMatmul(DType activation, DType product, uint64_t m,
                            uint64_t n, uint64_t k);

/// c[m,n] = a[m,k] w^T, where w is the product of the 4-bit numbers codes[n,k']
/// (\p codes: int4 or fp4_e2m1) and, for each 32 columns, of a scale
/// scales[n,k'/32] (bf16 or e8m0), rounded to \p type, that of a and c. k' is k
/// rounded up to a multiple of 32. Buffers a, codes, scales, c. Sums are fp32.
std::string blockMatmul(DType type, DType codes, uint64_t m, uint64_t n,
                        uint64_t k);

/// out = in; buffers in, out with \p elements elements.
std::string copy(DType type, uint64_t elements);

/// out = a + b; buffers a, b, out. The sum is in fp32.
std::string add(DType type, uint64_t elements);

/// out[cols,rows] = in[rows,cols]^T; buffers in, out.
std::string transpose(DType type, uint64_t rows, uint64_t cols);

/// Softmax of each row; buffers in, out. In fp32 up to the result.
std::string softmax(DType type, uint64_t rows, uint64_t cols);

/// Each row over its root mean square, times weights; buffers in, weight
/// [1,cols], out. In fp32 up to the result.
std::string rmsnorm(DType type, uint64_t rows, uint64_t cols, float epsilon);

/// What attention() computes.
struct AttentionShape {
  uint64_t tokens = 1;  // new ones, the last of the context
  uint64_t context = 1; // keys and values, at least `tokens`
  uint64_t heads = 1, kvHeads = 1, headSize = 64;
  uint64_t blockTokens = 1; // of a tile
};

/// Causal attention of the last `tokens` tokens of a context; buffers
/// q[tokens, heads * headSize], k and v[context, kvHeads * headSize],
/// limits[tokens, 2] (int32: first key and end of keys of each token), out as
/// q. Scores and sums in fp32, weights rounded to \p type for their product.
std::string attention(DType type, const AttentionShape &shape);

/// What moe() computes.
struct MoeShape {
  uint64_t tokens = 1, hidden = 1;
  uint64_t intermediate = 1; // of one expert
  uint64_t experts = 1;
  uint64_t chosen = 1;             // experts of one token
  uint64_t sharedIntermediate = 0; // 0: no shared expert
  /// The 8-bit type of the experts' products, if they have one: weights then
  /// have scales beside them.
  std::optional<DType> product = {};
  /// Whether that includes the maps of products of two activations, down and
  /// shared.down.
  bool quantisesProducts = false;
};

/// A feed-forward with routed experts, as models have it: not a program but a
/// function @step of the llm dialect, which the compiler makes into the same
/// launches as those of a model (compiler/StepCompiler.h). Its input is
/// x[tokens, hidden], its result fp32 of that size; weights of \p type are
/// router[experts, hidden], gate and up[experts, intermediate, hidden],
/// down[experts, hidden, intermediate] and shared.gate, shared.up and
/// shared.down without the first size; those with 8-bit products have scales
/// (fp32), called gate.scales and so on, [experts, rows] or [1, rows]. An
/// expert sees x times the sigmoid of the router's logit.
std::string moe(DType type, const MoeShape &shape);

} // namespace chipwright::programs

#endif // CHIPWRIGHT_COMPILER_OPS_KERNELPROGRAMS_H
