//===- ModelOptions.h - Models and packages on the command line -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_TOOLS_MODELOPTIONS_H
#define CHIPWRIGHT_TOOLS_MODELOPTIONS_H

#include "chips/Diagnostic.h"
#include "chips/ResolvedChip.h"
#include "compiler/CompileModel.h"
#include "models/Checkpoint.h"

#include <boost/program_options.hpp>

#include <memory>
#include <optional>
#include <string>

namespace chipwright::tools {

/// Adds what names a chip, and what decides a package's type and bounds.
void addChipOptions(boost::program_options::options_description &options);
void addCompileOptions(boost::program_options::options_description &options);

/// Bounds and type as the command line gives them.
struct CompileWish {
  std::optional<uint64_t> maxTokens, maxBatch, maxContext;
  std::optional<DType> dtype;      // of products, 16 bits
  std::optional<DType> linearType; // of linear maps, 8 bits
  std::optional<DType> weightType; // of stored weights, 4 bits

  bool isEmpty() const {
    return !maxTokens && !maxBatch && !maxContext && !dtype && !weightType;
  }
};

/// Reads addCompileOptions(). Refused: numbers of 0 or beyond 2^30, types that
/// no model is compiled for.
Result<CompileWish>
readCompileWish(const boost::program_options::variables_map &values,
                const std::string &command);

/// The chip that addChipOptions() names.
Result<ResolvedChip>
readChip(const boost::program_options::variables_map &values);

/// A model from a directory or a GGUF file, with its weights or, where only
/// times are asked for, without.
struct OpenedModel {
  models::ModelConfig config;
  models::Graph graph;
  std::optional<models::Weights> weights;
};
Result<OpenedModel> openModel(const std::string &directory, bool withWeights);

} // namespace chipwright::tools

#endif // CHIPWRIGHT_TOOLS_MODELOPTIONS_H
