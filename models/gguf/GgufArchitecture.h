//===- GgufArchitecture.h - Families of GGUF files --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/gguf: what general.architecture says, and the names that
// the family's Hugging Face form has.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GGUF_GGUFARCHITECTURE_H
#define CHIPWRIGHT_MODELS_GGUF_GGUFARCHITECTURE_H

#include "chips/Diagnostic.h"
#include "models/gguf/GgufMetadata.h"

#include <string_view>

namespace chipwright::models {

enum class GgufFamily {
  Llama,
  Mixtral,
  Qwen3,
  Qwen3Moe,
  Llama4,
  Deepseek2,
  GptOss,
};

struct GgufArchitecture {
  std::string_view name;      // general.architecture, prefix of keys
  std::string_view modelType; // of config.json
  GgufFamily family;
  std::string_view feedForward; // module of a layer
  std::string_view router;      // within it
  std::string_view shared;      // within it; "": no shared expert
  /// gate, up and down of one expert.
  std::string_view expertParts[3];
  /// Rows of q and k heads are in pairs of neighbours, where the Hugging Face
  /// form has all first components before all second ones.
  bool pairedHeads;
};

/// \returns the architecture that general.architecture names.
Result<const GgufArchitecture *>
findGgufArchitecture(const GgufMetadata &metadata);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GGUF_GGUFARCHITECTURE_H
