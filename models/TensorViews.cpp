//===- TensorViews.cpp - Tensors that show parts of others ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/TensorViews.h"

#include <algorithm>

namespace chipwright::models {

namespace {

class ViewSource : public ElementSource {
public:
  ViewSource(std::vector<StoredTensor> tensors, ViewOrder runs)
      : parts(std::move(tensors)), order(std::move(runs)) {}

  void read(int64_t first, int64_t count, float *target) const override {
    while (count > 0) {
      ViewRun run = order(first);
      int64_t n = std::min(count, run.length);
      readElements(parts[run.part], run.first, run.stride, n, target, 1);
      first += n;
      count -= n;
      target += n;
    }
  }

  std::string_view format() const override {
    const StoredTensor &tensor = parts.front();
    return tensor.source ? tensor.source->format()
                         : storedTypeName(tensor.type);
  }

private:
  std::vector<StoredTensor> parts;
  ViewOrder order;
};

class SliceSource : public ElementSource {
public:
  SliceSource(std::shared_ptr<const ElementSource> source, int64_t from)
      : whole(std::move(source)), start(from) {}

  void read(int64_t first, int64_t count, float *target) const override {
    whole->read(start + first, count, target);
  }

  std::string_view format() const override { return whole->format(); }

private:
  std::shared_ptr<const ElementSource> whole;
  int64_t start;
};

} // namespace

StoredTensor viewTensor(std::string name, std::vector<int64_t> shape,
                        std::vector<StoredTensor> parts, ViewOrder order) {
  StoredTensor view;
  view.name = std::move(name);
  view.shape = std::move(shape);
  view.file = parts.front().file;
  for (const StoredTensor &part : parts) {
    view.bytes += part.bytes;
  }
  view.source =
      std::make_shared<ViewSource>(std::move(parts), std::move(order));
  return view;
}

StoredTensor sliceTensor(const StoredTensor &tensor, std::string name,
                         int64_t first, std::vector<int64_t> shape) {
  StoredTensor slice = tensor;
  slice.name = std::move(name);
  int64_t elements = 1, all = 1;
  for (int64_t size : shape) {
    elements *= size;
  }
  for (int64_t size : tensor.shape) {
    all *= size;
  }
  slice.shape = std::move(shape);
  if (tensor.source) {
    slice.source = std::make_shared<SliceSource>(tensor.source, first);
    // Its share of the stored bytes: blocks do not divide evenly otherwise.
    slice.bytes = static_cast<uint64_t>(
        all ? static_cast<double>(tensor.bytes) *
                  static_cast<double>(elements) / static_cast<double>(all)
            : 0);
  } else {
    int64_t bytes = storedTypeBits(tensor.type) / 8;
    slice.data = tensor.data + first * bytes;
    slice.bytes = static_cast<uint64_t>(elements * bytes);
  }
  return slice;
}

} // namespace chipwright::models
