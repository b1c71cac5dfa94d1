//===- ImportGraph.h - A model's graph as a function of llm -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_LLM_IMPORTGRAPH_H
#define CHIPWRIGHT_COMPILER_LLM_IMPORTGRAPH_H

#include "models/Graph.h"

#include "mlir/IR/BuiltinOps.h"

namespace chipwright {

/// Builds a module with the function @step for \p graph. Operands of products
/// are stored as \p product (f16 or bf16), everything else as f32; tables by
/// position have \p positions rows.
/// \returns null after a diagnostic if the graph uses what llm lacks.
mlir::OwningOpRef<mlir::ModuleOp>
importGraph(const models::Graph &graph, mlir::Type product, int64_t positions);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_LLM_IMPORTGRAPH_H
