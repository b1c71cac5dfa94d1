//===- GgufFuzz.cpp - GGUF files ------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/ConfigReader.h"
#include "models/gguf/GgufCheckpoint.h"
#include "models/gguf/GgufVocabulary.h"
#include "tests/fuzz/Fuzz.h"

#include <cstdint>

using namespace chipwright;

namespace {

const std::string path = "f.gguf";

int64_t elementsOf(const models::StoredTensor &tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.shape) {
    fuzz::check(size > 0, "sizes are positive", tensor.name);
    count *= size;
  }
  return count;
}

/// Reads every element, and the last ones alone.
void readAll(const models::StoredTensor &tensor) {
  int64_t count = elementsOf(tensor);
  if (!tensor.isReadable() || count > 1 << 16) {
    return;
  }
  std::vector<float> values(static_cast<size_t>(count));
  readElements(tensor, 0, 1, count, values.data(), 1);
  for (int64_t i = count > 3 ? count - 3 : 0; i < count; ++i) {
    float value = 0;
    readElements(tensor, i, 1, 1, &value, 1);
    float &whole = values[static_cast<size_t>(i)];
    fuzz::check(value == whole || (value != value && whole != whole),
                "pieces are the whole", tensor.name);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::span<const std::byte> bytes(reinterpret_cast<const std::byte *>(data),
                                   size);
  auto file = models::GgufFile::parse(bytes, path);
  if (!file) {
    fuzz::checkMessage(file.error().message, path);
    return 0;
  }
  for (const auto &[name, tensor] : (*file)->tensors()) {
    if (!tensor.source) {
      fuzz::check(tensor.data >= bytes.data() && tensor.bytes <= size &&
                      tensor.data - bytes.data() <=
                          static_cast<ptrdiff_t>(size - tensor.bytes),
                  "data lie in the file", name);
      fuzz::check(static_cast<uint64_t>(elementsOf(tensor)) *
                          models::storedTypeBits(tensor.type) / 8 ==
                      tensor.bytes,
                  "bytes follow from type and shape", name);
    }
    readAll(tensor);
  }
  auto vocabulary = models::readGgufVocabulary((*file)->metadata());
  if (!vocabulary) {
    fuzz::checkMessage(vocabulary.error().message, path);
  }
  auto text = models::ggufConfigText(**file);
  if (!text) {
    fuzz::checkMessage(text.error().message, path);
  } else if (auto config = models::parseModelConfig(*text, path); !config) {
    fuzz::checkMessage(config.error().message, path);
  }
  auto tensors = models::ggufTensors(*file);
  if (!tensors) {
    fuzz::checkMessage(tensors.error().message, path);
    return 0;
  }
  for (const auto &[name, tensor] : (*tensors)->tensors()) {
    readAll(tensor);
  }
  return 0;
}
