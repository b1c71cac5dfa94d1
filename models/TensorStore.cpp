//===- TensorStore.cpp - Named tensors, stored or made ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/TensorStore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chipwright::models {

std::string describeTensor(const TensorSpec &tensor) {
  return fmt::format("{} [{}]", storedTypeName(tensor.type),
                     fmt::join(tensor.shape, ", "));
}

std::byte *MemoryTensors::add(const TensorSpec &spec) {
  uint64_t bytes = storedTypeBits(spec.type) / 8;
  for (int64_t size : spec.shape) {
    bytes *= static_cast<uint64_t>(size);
  }
  std::vector<std::byte> &data = storage[spec.name];
  data.assign(bytes, std::byte(0));
  StoredTensor tensor;
  static_cast<TensorSpec &>(tensor) = spec;
  tensor.data = data.data();
  tensor.bytes = bytes;
  tensor.file = "memory";
  byName[spec.name] = std::move(tensor);
  return data.data();
}

} // namespace chipwright::models
