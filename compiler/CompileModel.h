//===- CompileModel.h - A model's graph to a package ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_COMPILEMODEL_H
#define CHIPWRIGHT_COMPILER_COMPILEMODEL_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "models/Graph.h"
#include "models/ModelConfig.h"
#include "package/Package.h"

namespace chipwright {

struct CompileRequest {
  const models::ModelConfig *config = nullptr;
  const models::Graph *graph = nullptr;
  const ResolvedChip *chip = nullptr;
  DType productType = DType::BF16; // or F16
  int64_t maxTokens = 512;         // of one step
  int64_t maxBatch = 8;            // sequences
  int64_t maxContext = 4096;       // tokens of one sequence
  /// "" or a level whose text replaces the package: llm, grid, program, pe.
  std::string stopAfter;
};

struct CompileResult {
  Package package;
  std::string text; // with stopAfter
};

/// \returns an error that names the op if the model does not fit the chip or
/// uses what the compiler lacks.
Result<CompileResult> compileModel(const CompileRequest &request);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_COMPILEMODEL_H
