//===- Safetensors.h - The safetensors file format --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Eight bytes of header length, a JSON header, the data: as specified in the
// public huggingface/safetensors repository, whose refusals are these:
// file or header too short or too long, header no JSON or with equal keys,
// unknown type, size that does not follow from type and shape, offsets that
// leave gaps, overlap, or do not end with the file.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_SAFETENSORS_H
#define CHIPWRIGHT_MODELS_SAFETENSORS_H

#include "chips/Diagnostic.h"
#include "models/TensorStore.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chipwright::models {

/// Reads the header of the safetensors file with the contents \p file; \p path
/// names it in messages. The tensors point into \p file.
Result<std::vector<StoredTensor>>
parseSafetensors(std::span<const std::byte> file, const std::string &path);

/// Opens one .safetensors file, mapped: data are read when they are used.
Result<std::unique_ptr<TensorStore>>
openSafetensorsFile(const std::string &path);

/// Opens the weights of a checkpoint directory: the shards that
/// model.safetensors.index.json names, else model.safetensors. Refused beside
/// what a single file is refused for: a shard whose name is not a plain file
/// name or that is missing, a tensor that is not in the shard that the index
/// gives, a tensor of a shard that the index does not name.
Result<std::unique_ptr<TensorStore>>
openSafetensorsDirectory(const std::string &directory);

/// A tensor to write.
struct TensorToWrite {
  TensorSpec spec;
  /// Called once, in order of the file, with room for the tensor's bytes.
  std::function<void(std::byte *data)> fill;
};

/// Writes a safetensors file: tensors by falling element size, then by name,
/// header padded to 8 bytes, metadata {"format": "pt"}, which the public
/// implementations ask for. The file appears under \p path when complete; one
/// that is there is replaced. Holds one tensor in memory at a time.
Result<void> writeSafetensorsFile(const std::string &path,
                                  std::vector<TensorToWrite> tensors);

/// Writes \p tensors as shards of at most \p shardBytes of data (a larger
/// tensor has a shard of its own) and the index, which appears last. With one
/// shard, model.safetensors without index.
Result<void> writeSafetensorsDirectory(const std::string &directory,
                                       std::vector<TensorToWrite> tensors,
                                       uint64_t shardBytes);

/// Writes \p text to \p path under a temporary name, then renames it.
Result<void> writeTextFile(const std::string &path, std::string_view text);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_SAFETENSORS_H
