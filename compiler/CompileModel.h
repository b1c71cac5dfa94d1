//===- CompileModel.h - A model's graph to a package ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Between a model and its package lie levels of text. Each can be printed,
// edited, and compiled further from there; the package is the same as without
// the stop. Texts carry the chip's architecture, the type of products and the
// bounds, so that only what a package says of its model needs the model again.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_COMPILEMODEL_H
#define CHIPWRIGHT_COMPILER_COMPILEMODEL_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "models/Graph.h"
#include "models/ModelConfig.h"
#include "package/Package.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace chipwright {

/// Levels, in order.
enum class Stage : uint8_t {
  Llm,     // the model's operations
  Grid,    // declared tile programs, and the launches of a step
  Program, // scheduled and written out as loops over tiles
  Pe,      // commands of the two harts, a module for each program
  Llvm,    // the LLVM dialect, a module for each program
  Asm,     // assembly
  Package,
};

/// \returns "grid" and so on.
const char *stageName(Stage stage);
/// \returns the level of text called so, or nothing.
std::optional<Stage> stageFromName(std::string_view name);

struct CompileRequest {
  const models::ModelConfig *config = nullptr;
  /// May be null where a text is compiled to a text.
  const models::Graph *graph = nullptr;
  const ResolvedChip *chip = nullptr;
  DType productType = DType::BF16; // or F16
  /// Linear maps and experts multiply in this 8-bit type; their weights and
  /// activations are quantised row by row.
  std::optional<DType> linearType = {};
  /// Weights of linear maps and experts lie in memory in this 4-bit type (I4 or
  /// F4E2M1) with a scale for each 32 columns; not together with `linearType`.
  std::optional<DType> weightType = {};
  /// Whether that includes maps of products of two activations; else what
  /// models::mayQuantiseProducts() says.
  std::optional<bool> quantisesProducts = {};
  int64_t maxTokens = 512;   // of one step
  int64_t maxBatch = 8;      // sequences
  int64_t maxContext = 4096; // tokens of one sequence

  /// The level whose text is wanted instead of a package.
  Stage stopAfter = Stage::Package;
  /// Begins with this text of a level instead of the graph. Type of products
  /// and bounds are then as the text says.
  std::optional<Stage> startFrom;
  std::string text, textName;
  /// Schedules that take the place of the compiler's choice, in the form of
  /// CompileResult::schedules; empty: none. The name is for messages.
  std::string schedules, schedulesName;
  /// Called with the name of a file and its contents for every level that is
  /// reached, as a whole ("grid.mlir") and by program
  /// ("programs/linear_0.grid.mlir").
  std::function<Result<void>(const std::string &file,
                             const std::string &contents)>
      dump = {};
  bool wantsTiming = false;
};

struct CompileResult {
  Package package;
  std::string text;      // with stopAfter
  std::string schedules; // of all programs, if level `program` was passed
  std::string timing;    // with wantsTiming: a table
};

/// \returns an error that names the op if the model does not fit the chip or
/// uses what the compiler lacks, or the place in the text or the schedules that
/// is wrong.
Result<CompileResult> compileModel(const CompileRequest &request);

} // namespace chipwright

#endif // CHIPWRIGHT_COMPILER_COMPILEMODEL_H
