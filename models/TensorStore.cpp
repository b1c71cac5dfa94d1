//===- TensorStore.cpp - Named tensors, stored or made ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/TensorStore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chipwright::models {

ElementSource::~ElementSource() = default;

std::string describeTensor(const TensorSpec &tensor) {
  return fmt::format("{} [{}]", storedTypeName(tensor.type),
                     fmt::join(tensor.shape, ", "));
}

std::string describeTensor(const StoredTensor &tensor) {
  return tensor.source
             ? fmt::format("{} [{}]", tensor.source->format(),
                           fmt::join(tensor.shape, ", "))
             : describeTensor(static_cast<const TensorSpec &>(tensor));
}

template <typename T>
void readElements(const StoredTensor &tensor, int64_t first, int64_t stride,
                  int64_t count, T *target, int64_t step) {
  if (!tensor.source) {
    int64_t bytes = storedTypeBits(tensor.type) / 8;
    convertElements(tensor.type, tensor.data + first * bytes, stride, count,
                    target, step);
    return;
  }
  constexpr int64_t room = 1024;
  // Beyond this stride, reading what lies between costs more than it saves.
  constexpr int64_t nearStride = 16;
  float values[room];
  int64_t span = stride >= 1 && stride <= nearStride ? stride : 0;
  int64_t atOnce = span ? (room - 1) / span + 1 : 1;
  for (int64_t done = 0; done < count; done += atOnce) {
    int64_t n = std::min(atOnce, count - done);
    tensor.source->read(first + done * stride, (n - 1) * span + 1, values);
    for (int64_t i = 0; i < n; ++i) {
      target[(done + i) * step] = static_cast<T>(values[i * span]);
    }
  }
}

template void readElements<float>(const StoredTensor &, int64_t, int64_t,
                                  int64_t, float *, int64_t);
template void readElements<double>(const StoredTensor &, int64_t, int64_t,
                                   int64_t, double *, int64_t);

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
