//===- MadeUpWeights.h - Weights that follow from names ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Models without training: weights by a rule that any program can repeat from
// the tensors' names (golden values, demonstrations), or random ones from a
// seed (tests). Both are integer arithmetic and exact fp32 operations, so a
// checkpoint has the same bytes wherever it is made.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_MADEUPWEIGHTS_H
#define CHIPWRIGHT_MODELS_MADEUPWEIGHTS_H

#include "chips/Diagnostic.h"
#include "models/Safetensors.h"
#include "models/TensorStore.h"
#include "models/WeightLayout.h"

#include <optional>
#include <string_view>

namespace chipwright::models {

/// \returns FNV-1a-32 of \p text.
uint32_t fnv1a(std::string_view text);

/// \returns element \p index (row-major) of the tensor \p name by the rule:
/// u = fnv1a(name) ^ index * 0x9E3779B1, mixed with murmur3's finaliser;
/// 1 + ((u & 63) - 32) / 64 for norm weights, else v = ((u & 255) - 128) / 256,
/// times 2 for embed_tokens and sinks, 0.25 for e_score_correction_bias, 0.5
/// for all else. Exact in bf16.
float namedWeight(std::string_view name, uint64_t index);

/// Which weights to make.
struct WeightRule {
  /// Without a seed namedWeight(); with one, uniform numbers of variance
  /// 1 / (input width) (norms: 1/2 to 3/2; embeddings: variance 1).
  std::optional<uint64_t> seed;
  StoredType type = StoredType::BF16; // BF16, F16, F32 or F64
};

/// \returns the tensors of \p graph in \p form with functions that make them.
/// Values are rounded to bf16 first, so that checkpoints of different types
/// are the same model.
std::vector<TensorToWrite> madeUpTensors(const Graph &graph,
                                         const StorageForm &form,
                                         const WeightRule &rule);

/// The same in memory.
std::shared_ptr<MemoryTensors> makeTensors(const Graph &graph,
                                           const StorageForm &form,
                                           const WeightRule &rule);

/// Writes a checkpoint in Hugging Face form: config.json with the contents
/// \p configText and the made-up tensors in safetensors files of at most
/// \p shardBytes each. The directory is made if it is not there.
Result<void> writeMadeUpCheckpoint(const std::string &directory,
                                   std::string_view configText,
                                   const WeightRule &rule, ExpertLayout layout,
                                   uint64_t shardBytes);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_MADEUPWEIGHTS_H
