//===- SafetensorsFuzz.cpp - Headers of safetensors files -----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Safetensors.h"
#include "tests/fuzz/Fuzz.h"

#include <cstdint>

using namespace chipwright;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::span<const std::byte> file(reinterpret_cast<const std::byte *>(data),
                                  size);
  auto tensors = models::parseSafetensors(file, "f.safetensors");
  if (!tensors) {
    fuzz::checkMessage(tensors.error().message, "f.safetensors");
    return 0;
  }
  // A reader of the data may trust these.
  for (const models::StoredTensor &tensor : *tensors) {
    fuzz::check(tensor.data >= file.data() && tensor.bytes <= file.size() &&
                    tensor.data - file.data() <=
                        static_cast<ptrdiff_t>(file.size() - tensor.bytes),
                "data lie in the file", tensor.name);
    uint64_t bits = models::storedTypeBits(tensor.type);
    for (int64_t extent : tensor.shape) {
      fuzz::check(extent >= 0, "extents are not negative", tensor.name);
      bits *= static_cast<uint64_t>(extent);
    }
    fuzz::check(bits == tensor.bytes * 8, "bytes follow from type and shape",
                tensor.name);
  }
  return 0;
}
