//===- OpText.h - Helpers of operations' tile programs ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_OPTEXT_H
#define CHIPWRIGHT_COMPILER_LLM_OPTEXT_H

#include "compiler/llm/GenericText.h"

#include "mlir/IR/Value.h"

#include <string>

namespace chipwright {

/// Columns and element type ("bf16") of a tensor of a model.
int64_t columnsOf(mlir::Value value);
std::string elementText(mlir::Value value);
inline int64_t bytesOfElement(const std::string &type) {
  return type == "f32" || type == "i32" || type == "tf32" ? 4
         : type == "f16" || type == "bf16"                ? 2
                                                          : 1;
}

/// Adds a conversion of \p in to \p body if the types differ. \returns the
/// name of the converted tile.
std::string rounded(std::string &body, const std::string &in, SizeText rows,
                    SizeText cols, const std::string &element);
std::string widened(std::string &body, const std::string &in, SizeText rows,
                    SizeText cols, const std::string &element);

/// A weight of 4 bits (`codes`: "i4" or "f4E2M1FN") with a scale for each 32
/// columns, of which a step loads tiles of \p rows x k.
struct BlockWeight {
  std::string codes, scales; // element types
};

/// \returns the types of \p codes and \p scales.
BlockWeight blocksOf(mlir::Value codes, mlir::Value scales);

/// Adds to the step of \p g the scales of its operand \p operand, a tile of
/// such a weight, as its last operand: they lie in \p buffer at \p index, which
/// ends with "k floordiv 32". Adds what makes a tile in \p element of both.
/// \returns the name of that tile.
std::string dequantised(GenericText &g, size_t operand, SizeText rows,
                        const BlockWeight &weight, const std::string &buffer,
                        const std::string &index, const std::string &element);

/// An operation that quantises rows of the buffer \p x, \p cols elements of
/// type \p in each: q = x / s rounded to \p type, s = max |row| / largest.
GenericText quantiseRows(ProgramText &p, const std::string &x,
                         const std::string &q, const std::string &s,
                         int64_t cols, const std::string &in,
                         const std::string &type);

/// Adds to \p body the product of \p sum, an m x n tile of sums of products in
/// the 8-bit type \p type, with the scales \p rows (m x 1) and \p cols (1 x n).
/// \returns the name of the result, in f32.
std::string scaledSum(std::string &body, const std::string &sum,
                      const std::string &rows, const std::string &cols,
                      const std::string &type);

/// The element type of sums of products in \p type.
inline std::string sumElement(const std::string &type) {
  return type == "i8" ? "i32" : "f32";
}

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_OPTEXT_H
