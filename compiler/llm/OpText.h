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

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_OPTEXT_H
