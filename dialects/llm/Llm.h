//===- Llm.h - The llm dialect ----------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_DIALECTS_LLM_LLM_H
#define CHIPWRIGHT_DIALECTS_LLM_LLM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/llm/LlmDialect.h.inc"

namespace chipwright::llm {
/// \returns whether \p weight has elements of 8 bits, and scales beside it.
bool isQuantised(mlir::Value weight);
/// \returns whether \p weight has elements of 4 bits, and scales of blocks
/// beside it.
bool isInBlocks(mlir::Value weight);
} // namespace chipwright::llm

#define GET_OP_CLASSES
#include "dialects/llm/LlmOps.h.inc"

#endif // CHIPWRIGHT_DIALECTS_LLM_LLM_H
