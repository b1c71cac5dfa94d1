//===- WeightUpload.cpp - Parameters into a package's buffers -------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/WeightUpload.h"

#include "models/BlockQuantisation.h"
#include "models/RowQuantisation.h"
#include "package/PackageFile.h"
#include "sim/numerics/Element.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

using namespace chipwright;
using namespace chipwright::models;

// Elements converted at a time: 4 MiB in fp32.
static constexpr int64_t kBlockElements = 1 << 20;

/// Bytes of a buffer and of the scales that belong to it.
struct Bytes {
  uint64_t target = 0, scales = 0;
};

static Bytes bytesOf(DType type, const Weights::Size &size) {
  const uint64_t rows =
      static_cast<uint64_t>(size.matrices) * static_cast<uint64_t>(size.rows);
  if (auto blocks = blockTypeOf(type)) {
    return {rows * static_cast<uint64_t>(codeBytes(size.columns)),
            rows * static_cast<uint64_t>(scaleBytes(*blocks, size.columns))};
  }
  return {rows * static_cast<uint64_t>(size.columns) * dtypeBytes(type),
          rowTypeOf(type) ? rows * sizeof(float) : 0};
}

/// Fills \p target, and \p scales with a number for each row if the buffer's
/// type has 8 bits, for each block of a row if it has 4.
static Result<void> uploadOne(const PackageBuffer &buffer,
                              std::span<uint8_t> target,
                              std::span<uint8_t> scales, ParameterId parameter,
                              const Weights &weights, PageLimit &pages) {
  Weights::Size size = weights.size(parameter);
  const std::optional<RowType> quantised = rowTypeOf(buffer.dtype);
  const std::optional<BlockType> blocks = blockTypeOf(buffer.dtype);
  const Bytes bytes = bytesOf(buffer.dtype, size);
  if (bytes.target != target.size() || bytes.scales != scales.size()) {
    return Diagnostic{
        fmt::format("buffer {}: expected the {} bytes of {} ({} x {} x {} in "
                    "{}{}), found {}; compile this model again",
                    buffer.name, bytes.target, buffer.parameter, size.matrices,
                    size.rows, size.columns, dtypeName(buffer.dtype),
                    quantised ? " with a scale for each row"
                    : blocks  ? " with a scale for each 32 columns"
                              : "",
                    target.size()),
        ExitBadInput};
  }
  int64_t step = std::max<int64_t>(1, kBlockElements / size.columns);
  std::vector<float> block;
  uint8_t *place = target.data(), *scalePlace = scales.data();
  for (int64_t matrix = 0; matrix < size.matrices; ++matrix) {
    for (int64_t row = 0; row < size.rows; row += step) {
      int64_t rows = std::min(step, size.rows - row);
      auto count = static_cast<size_t>(rows * size.columns);
      block.resize(count);
      auto read =
          weights.read(parameter, Tile{matrix, row, rows, 0, size.columns},
                       block.data(), size.columns);
      if (!read) {
        return read;
      }
      pages.count(weights, rows * size.columns);
      for (int64_t r = 0; quantised && r < rows; ++r) {
        float scale = scaleWeightRow(
            *quantised, block.data() + r * size.columns, size.columns);
        std::memcpy(scalePlace, &scale, sizeof(scale));
        scalePlace += sizeof(scale);
      }
      for (int64_t r = 0; blocks && r < rows; ++r) {
        encodeRow(*blocks, block.data() + r * size.columns, size.columns, place,
                  scalePlace);
        place += codeBytes(size.columns);
        scalePlace += scaleBytes(*blocks, size.columns);
      }
      if (!blocks) {
        sim::storeRow(buffer.dtype, block.data(), place, count);
        place += count * dtypeBytes(buffer.dtype);
      }
    }
  }
  return {};
}

static bool isScales(const PackageBuffer &buffer) {
  return buffer.content == BufferContent::RowScales ||
         buffer.content == BufferContent::BlockScales;
}

Result<void> chipwright::uploadWeights(PackageMachine &machine,
                                       const Graph &graph,
                                       const Weights &weights) {
  std::map<std::string, ParameterId> byName;
  for (const Parameter &parameter : graph.parameters) {
    byName[parameter.name] = parameter.id;
  }
  const std::vector<PackageBuffer> &buffers = machine.package().buffers;
  std::map<std::string, int64_t> scalesOf; // parameter to buffer
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (isScales(buffers[i])) {
      scalesOf[buffers[i].parameter] = static_cast<int64_t>(i);
    }
  }
  PageLimit pages;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].role != BufferRole::Weight || isScales(buffers[i])) {
      continue; // scales are filled with the rows
    }
    auto parameter = byName.find(buffers[i].parameter);
    if (parameter == byName.end()) {
      return Diagnostic{
          fmt::format("buffer {}: expected a parameter of the model, found "
                      "'{}'; compile this model again",
                      buffers[i].name, buffers[i].parameter),
          ExitBadInput};
    }
    std::span<uint8_t> scales;
    if (auto own = scalesOf.find(buffers[i].parameter);
        own != scalesOf.end() &&
        (rowTypeOf(buffers[i].dtype) || blockTypeOf(buffers[i].dtype))) {
      scales = machine.stored(own->second);
    }
    auto done = uploadOne(buffers[i], machine.stored(static_cast<int64_t>(i)),
                          scales, parameter->second, weights, pages);
    if (!done) {
      return done;
    }
  }
  weights.release();
  return {};
}
