//===- GgufCheckpoint.h - A GGUF file as a checkpoint -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// A GGUF file holds what a Hugging Face directory holds under other names and
// in part in another order. Here it takes that directory's form, so that one
// reader of configurations and one binding of weights serve both.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GGUF_GGUFCHECKPOINT_H
#define CHIPWRIGHT_MODELS_GGUF_GGUFCHECKPOINT_H

#include "chips/Diagnostic.h"
#include "models/gguf/GgufFile.h"

#include <memory>
#include <string>

namespace chipwright::models {

/// \returns the text of the config.json that says what \p file says, for the
/// architectures llama (with experts: mixtral), llama4, qwen3, qwen3moe,
/// deepseek2 and gpt-oss. Refused: other architectures, missing keys, values of
/// other types, and what the form has no word for.
Result<std::string> ggufConfigText(const GgufFile &file);

/// \returns the tensors of \p file as the model's Hugging Face form has them:
/// names ("model.layers.0.self_attn.q_proj.weight"), order of rows, one tensor
/// per expert (gpt-oss: stacked). Tensors that have no name there keep theirs,
/// so that binding refuses them. The store keeps the file open.
Result<std::shared_ptr<const TensorStore>>
ggufTensors(std::shared_ptr<const GgufFile> file);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GGUF_GGUFCHECKPOINT_H
