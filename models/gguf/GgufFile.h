//===- GgufFile.h - The GGUF file format ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Version 3, little-endian: counts, key-value pairs, tensor descriptions, and
// after them the data, each tensor at a multiple of general.alignment. The
// format is specified in the public ggml-org/ggml repository (docs/gguf.md).
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_GGUF_GGUFFILE_H
#define CHIPWRIGHT_MODELS_GGUF_GGUFFILE_H

#include "chips/Diagnostic.h"
#include "models/MappedFile.h"
#include "models/TensorStore.h"
#include "models/gguf/GgufMetadata.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chipwright::models {

/// What a file says, pointing into its bytes.
struct GgufContents {
  GgufMetadata metadata;
  /// In the order of the file, under their names there. Shapes are row-major
  /// (the file's sizes reversed). F32, F16, BF16, F64 and integers are plain;
  /// tensors of blocks have a source.
  std::vector<StoredTensor> tensors;
  uint64_t alignment = 32;
  uint64_t dataStart = 0; // from the start of the file
};

/// Reads the header of the GGUF file with the contents \p file; \p path names
/// it in messages. Refused: another magic, version or byte order; counts,
/// lengths and sizes that the file has no room for; unknown types of values
/// and tensors; equal keys, equal tensor names; more than four sizes, a size of
/// 0, rows that are no whole blocks; alignments that are no power of two from
/// 8 on; tensors that are misaligned, overlap, or leave the file.
Result<GgufContents> parseGguf(std::span<const std::byte> file,
                               const std::string &path);

/// A mapped GGUF file: data are read when they are used.
class GgufFile : public TensorStore {
public:
  /// Opens \p path. Of a model that is split over files, this is the first
  /// part, NAME-00001-of-N.gguf; the others are opened beside it. Refused
  /// beside what parseGguf() refuses: another part than the first, parts that
  /// are missing or of another model, a tensor in two of them.
  static Result<std::shared_ptr<const GgufFile>> open(const std::string &path);

  /// Reads the contents of a file in memory, which must outlive the result.
  /// A part of a split model is refused.
  static Result<std::shared_ptr<const GgufFile>>
  parse(std::span<const std::byte> contents, const std::string &path);

  /// \returns the key-value pairs, of a split model those of its first part.
  const GgufMetadata &metadata() const { return keys; }

  const std::string &path() const { return fileName; }

  void release() const override {
    for (const MappedFile &file : files) {
      file.release();
    }
  }

private:
  GgufFile(GgufMetadata metadata, std::string path)
      : keys(std::move(metadata)), fileName(std::move(path)) {}

  Result<void> add(std::vector<StoredTensor> tensors);
  Result<void> addParts(int64_t count);

  std::vector<MappedFile> files;
  GgufMetadata keys;
  std::string fileName;
};

/// \returns true if \p path is a file that begins as a GGUF file does.
bool looksLikeGguf(const std::string &path);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_GGUF_GGUFFILE_H
