//===- Weights.cpp - Numbers of a graph's parameters ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/Weights.h"
#include "models/JsonText.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace chipwright::models {

namespace {

Result<void> checkTensor(const StoredTensor &tensor, const TensorSpec &wanted) {
  if (tensor.shape != wanted.shape) {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected shape [{}], found [{}]; config.json and "
        "weights are of different models",
        tensor.file, quoteText(tensor.name), fmt::join(wanted.shape, ", "),
        fmt::join(tensor.shape, ", "))};
  }
  if (!tensor.isReadable()) {
    return Diagnostic{fmt::format(
        "{}: tensor {}: expected dtype BF16, F16, F32 or F64, found {}; take "
        "the checkpoint before quantisation",
        tensor.file, quoteText(tensor.name), storedTypeName(tensor.type))};
  }
  return {};
}

} // namespace

Result<Weights> Weights::bind(const ModelConfig &config, const Graph &graph,
                              std::shared_ptr<const TensorStore> store,
                              const std::string &place) {
  Result<StorageForm> form = detectForm(config, *store, place);
  if (!form) {
    return form.error();
  }
  Weights weights;
  std::vector<ParameterBinding> bindings = bindParameters(graph, *form);
  std::set<std::string> used;
  for (size_t id = 0; id < bindings.size(); ++id) {
    const Parameter &parameter = graph.parameters[id];
    const std::vector<int64_t> &shape = parameter.shape;
    Bound entry;
    entry.name = parameter.name;
    entry.size = {shape.size() == 3 ? shape[0] : 1,
                  shape.size() == 1 ? 1 : shape[shape.size() - 2],
                  shape.back()};
    for (const StoredPart &part : bindings[id].parts) {
      const StoredTensor *tensor = store->find(part.tensor.name);
      if (!tensor) {
        return Diagnostic{fmt::format(
            "{}: tensor {}: expected with shape [{}], found no such tensor; "
            "take all files of the checkpoint",
            place, quoteText(part.tensor.name),
            fmt::join(part.tensor.shape, ", "))};
      }
      if (auto done = checkTensor(*tensor, part.tensor); !done) {
        return done.error();
      }
      used.insert(tensor->name);
      entry.parts.push_back({tensor, part});
    }
    weights.bound.push_back(std::move(entry));
  }
  for (const auto &[name, tensor] : store->tensors()) {
    if (!used.contains(name) && !isUnusedTensor(config, *form, name)) {
      return Diagnostic{fmt::format(
          "{}: tensor {}: expected only tensors that a model with this "
          "config.json has, found {}; config.json and weights are of "
          "different models",
          tensor.file, quoteText(name), describeTensor(tensor))};
    }
  }
  weights.tensors = std::move(store);
  weights.storage = form.take();
  return weights;
}

Weights::Size Weights::size(ParameterId parameter) const {
  return bound[static_cast<size_t>(parameter)].size;
}

StoredType Weights::storedType(ParameterId parameter) const {
  return bound[static_cast<size_t>(parameter)].parts.front().tensor->type;
}

template <typename T>
Result<void> Weights::read(ParameterId parameter, const Tile &tile, T *target,
                           int64_t pitch) const {
  auto within = [](int64_t start, int64_t count, int64_t size) {
    return start >= 0 && count >= 0 && count <= size && start <= size - count;
  };
  if (parameter < 0 || static_cast<size_t>(parameter) >= bound.size()) {
    return Diagnostic{fmt::format("parameter {}: expected one of {} parameters "
                                  "of the model, found none",
                                  parameter, bound.size())};
  }
  const Bound &entry = bound[static_cast<size_t>(parameter)];
  if (!within(tile.matrix, 1, entry.size.matrices) ||
      !within(tile.row, tile.rows, entry.size.rows) ||
      !within(tile.column, tile.columns, entry.size.columns)) {
    return Diagnostic{fmt::format(
        "{}: expected a tile within [{}, {}, {}], found matrix {}, {} rows "
        "from "
        "{} on, {} columns from {} on",
        entry.name, entry.size.matrices, entry.size.rows, entry.size.columns,
        tile.matrix, tile.rows, tile.row, tile.columns, tile.column)};
  }
  bool single = entry.parts.size() == 1;
  const Part &part = entry.parts[single ? 0 : static_cast<size_t>(tile.matrix)];
  const StoredPart &place = part.place;
  bool isVector = place.tensor.shape.size() == 1;
  int64_t start =
      place.offset + (single ? tile.matrix * place.matrixStride : 0);
  bool isOrdered = place.rowOrder.head > 0;
  // Elements from the first row or column.
  auto rowAt = [&](int64_t r) {
    return isVector ? 0 : place.rowOrder.offset(tile.row + r, place.rowStride);
  };
  auto columnAt = [&](int64_t c) {
    return isVector ? place.rowOrder.offset(tile.column + c, place.columnStride)
                    : (tile.column + c) * place.columnStride;
  };
  auto run = [&](int64_t first, int64_t stride, int64_t count, T *to,
                 int64_t step) {
    readElements(*part.tensor, start + first, stride, count, to, step);
  };
  // The inner loop runs along what is contiguous in the file.
  if (isVector && isOrdered) {
    for (int64_t c = 0; c < tile.columns; ++c) {
      run(columnAt(c), 1, 1, target + c, 1);
    }
  } else if (place.columnStride == 1 || isOrdered) {
    for (int64_t r = 0; r < tile.rows; ++r) {
      run(rowAt(r) + columnAt(0), place.columnStride, tile.columns,
          target + r * pitch, 1);
    }
  } else {
    for (int64_t c = 0; c < tile.columns; ++c) {
      run(rowAt(0) + columnAt(c), place.rowStride, tile.rows, target + c,
          pitch);
    }
  }
  if (place.added != 0) {
    for (int64_t r = 0; r < tile.rows; ++r) {
      for (int64_t c = 0; c < tile.columns; ++c) {
        target[r * pitch + c] += static_cast<T>(place.added);
      }
    }
  }
  return {};
}

template Result<void> Weights::read<float>(ParameterId, const Tile &, float *,
                                           int64_t) const;
template Result<void> Weights::read<double>(ParameterId, const Tile &, double *,
                                            int64_t) const;

} // namespace chipwright::models
