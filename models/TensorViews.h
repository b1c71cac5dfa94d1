//===- TensorViews.h - Tensors that show parts of others --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Formats differ in how they order rows, join and split tensors. A view shows
// stored tensors in another order without a copy of them.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_TENSORVIEWS_H
#define CHIPWRIGHT_MODELS_TENSORVIEWS_H

#include "models/TensorStore.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace chipwright::models {

/// A run of a view's elements: `length` elements, which are those of the
/// view's part number `part`, `stride` elements apart from `first` on.
struct ViewRun {
  size_t part = 0;
  int64_t first = 0;
  int64_t stride = 1;
  int64_t length = 1;
};

/// \returns the longest known run that begins at element \p index of the view.
using ViewOrder = std::function<ViewRun(int64_t index)>;

/// \returns a tensor of shape \p shape whose elements are those of \p parts in
/// the order that \p order says. The parts are readable, are not empty, and
/// what they point to must outlive the view.
StoredTensor viewTensor(std::string name, std::vector<int64_t> shape,
                        std::vector<StoredTensor> parts, ViewOrder order);

/// \returns elements [\p first, ...) of \p tensor as a tensor of shape
/// \p shape. A slice of a plain tensor is a plain tensor.
StoredTensor sliceTensor(const StoredTensor &tensor, std::string name,
                         int64_t first, std::vector<int64_t> shape);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_TENSORVIEWS_H
