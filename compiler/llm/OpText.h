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

/// Adds to the step of \p g the scales of its operand \p operand, a tile of
/// such a weight, as its last operand: they lie in \p buffer at \p index, which
/// ends with "k floordiv 32". Adds what makes a tile in \p element of both.
/// \returns the name of that tile.
std::string dequantised(GenericText &g, size_t operand, SizeText rows,
                        const BlockWeight &weight, const std::string &buffer,
                        const std::string &index, const std::string &element);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_OPTEXT_H
