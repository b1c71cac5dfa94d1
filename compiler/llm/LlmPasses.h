//===- LlmPasses.h - Passes on models ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_LLMPASSES_H
#define CHIPWRIGHT_COMPILER_LLM_LLMPASSES_H

#include "dialects/grid/Grid.h"
#include "dialects/llm/Llm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace chipwright {

#define GEN_PASS_DECL
#include "compiler/llm/LlmPasses.h.inc"

void registerLlmPasses();

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_LLMPASSES_H
