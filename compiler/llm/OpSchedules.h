//===- OpSchedules.h - Helpers of operations' tile programs -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_OPSCHEDULES_H
#define CHIPWRIGHT_COMPILER_LLM_OPSCHEDULES_H

#include "compiler/Target.h"
#include "compiler/llm/GenericText.h"

#include "mlir/IR/Value.h"

#include <string>
#include <vector>

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

/// Rows of \p rowBytes bytes of all tiles; further dimensions are single. All
/// of them are dealt out together. \p full: size of a last dimension that is
/// one block, 0 if there is none.
std::string rowSchedule(const Target &target, int64_t rowBytes,
                        std::vector<std::string> dims, int64_t full = 0);
/// Blocks of rows and columns of an element-wise operation.
std::string blockSchedule(const Target &target, int64_t cols);
/// A product with dimensions m, n, k.
std::string matmulSchedule(const Target &target, int64_t n,
                           int64_t elementBytes);
/// Elements of K per block of a product.
int64_t kTile(const Target &target, int64_t elementBytes);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_OPSCHEDULES_H
