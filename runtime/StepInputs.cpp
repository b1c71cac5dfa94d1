//===- StepInputs.cpp - What a step writes into a package's inputs --------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/StepInputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace chipwright;
using namespace chipwright::models;

int64_t chipwright::valueOf(const PackageSize &size, const StepSizes &sizes) {
  if (size.symbol.empty()) {
    return size.constant;
  }
  auto place = sizes.find(size.symbol);
  return place == sizes.end() ? 0 : size.constant * place->second;
}

int64_t chipwright::elementsOf(const PackageBuffer &buffer,
                               const StepSizes &sizes) {
  int64_t elements = 1;
  for (const PackageSize &size : buffer.shape) {
    elements *= valueOf(size, sizes);
  }
  return elements;
}

std::vector<AttentionEntry>
chipwright::attentionWork(const Step &step, size_t mask, int64_t block) {
  const Step::Bounds &bounds = step.masks[mask];
  std::vector<AttentionEntry> entries;
  for (size_t t = 0; t < step.ids.size(); ++t) {
    bool begins = entries.empty() || entries.back().tokens == block ||
                  step.sequences[t] != step.sequences[t - 1];
    if (begins) {
      entries.push_back(
          {static_cast<int32_t>(t), 0, bounds.lo[t], bounds.hi[t]});
    }
    AttentionEntry &entry = entries.back();
    ++entry.tokens;
    entry.firstSlot = std::min(entry.firstSlot, bounds.lo[t]);
    entry.endSlot = std::max(entry.endSlot, bounds.hi[t]);
  }
  return entries;
}

Result<StepSizes> chipwright::stepSizes(const Package &package,
                                        const Step &step) {
  StepSizes sizes;
  sizes["tokens"] = step.tokens();
  sizes["outputs"] = static_cast<int64_t>(step.outputs.size());
  if (auto slots = package.bounds.find("slots");
      slots != package.bounds.end()) {
    sizes["slots"] = slots->second;
  }
  for (const PackageBuffer &buffer : package.buffers) {
    bool isMask = buffer.content == BufferContent::MaskBounds ||
                  buffer.content == BufferContent::AttentionWork;
    if (!isMask) {
      continue;
    }
    if (static_cast<size_t>(buffer.index) >= step.masks.size()) {
      return Diagnostic{
          fmt::format("buffer {}: expected one of the {} masks of the model, "
                      "found mask {}; compile this model again",
                      buffer.name, step.masks.size(), buffer.index),
          ExitBadInput};
    }
    if (buffer.content == BufferContent::AttentionWork) {
      auto count = static_cast<int64_t>(
          attentionWork(step, static_cast<size_t>(buffer.index), buffer.block)
              .size());
      auto [place, isNew] =
          sizes.emplace(fmt::format("entries.{}", buffer.index), count);
      if (!isNew && place->second != count) {
        return Diagnostic{
            fmt::format("buffer {}: expected work lists of mask {} with blocks "
                        "of one size, found another one of {}; compile this "
                        "model again",
                        buffer.name, buffer.index, buffer.block),
            ExitBadInput};
      }
    }
  }
  for (const auto &[symbol, value] : sizes) {
    auto bound = package.bounds.find(symbol);
    if (bound != package.bounds.end() && value > bound->second) {
      return Diagnostic{
          fmt::format("a step has {} {}, the package was compiled for at most "
                      "{}; take smaller steps or compile for more "
                      "--max-tokens or --max-batch",
                      value, symbol, bound->second),
          ExitDoesNotFit};
    }
  }
  return sizes;
}

static std::vector<uint8_t> bytesOf(const std::vector<int32_t> &words) {
  std::vector<uint8_t> bytes(words.size() * sizeof(int32_t));
  if (!bytes.empty()) {
    std::memcpy(bytes.data(), words.data(), bytes.size());
  }
  return bytes;
}

std::vector<uint8_t> chipwright::inputBytes(const PackageBuffer &buffer,
                                            const Step &step) {
  std::vector<int32_t> words;
  auto mask = static_cast<size_t>(buffer.index);
  switch (buffer.content) {
  case BufferContent::TokenIds:
    return bytesOf(step.ids);
  case BufferContent::Positions:
    return bytesOf(step.positions);
  case BufferContent::Slots:
    return bytesOf(step.slots);
  case BufferContent::OutputRows:
    return bytesOf(step.outputs);
  case BufferContent::MaskBounds:
    for (size_t t = 0; t < step.ids.size(); ++t) {
      words.push_back(step.masks[mask].lo[t]);
      words.push_back(step.masks[mask].hi[t]);
    }
    return bytesOf(words);
  case BufferContent::AttentionWork:
    for (const AttentionEntry &entry :
         attentionWork(step, mask, buffer.block)) {
      words.insert(words.end(), {entry.firstToken, entry.tokens,
                                 entry.firstSlot, entry.endSlot});
    }
    return bytesOf(words);
  case BufferContent::None:
  case BufferContent::RopeTable:
  case BufferContent::Temperatures:
  case BufferContent::RowScales:
  case BufferContent::BlockScales:
    break;
  }
  return {};
}

/// \returns the different attributes of a kind, in order of their first use.
template <typename T, typename Same>
static std::vector<T> distinct(const Graph &graph, Same same) {
  std::vector<T> found;
  for (const Op &op : graph.ops) {
    const T *attributes = std::get_if<T>(&op.attributes);
    bool isNew = attributes &&
                 std::none_of(found.begin(), found.end(),
                              [&](const T &f) { return same(f, *attributes); });
    if (isNew) {
      found.push_back(*attributes);
    }
  }
  return found;
}

/// Cosines of all columns, then sines, which change sign in even columns: a
/// pair (a, b) becomes (a cos - b sin, b cos + a sin).
static void ropeRow(const RopeAttributes &rope, int64_t position, float *row) {
  for (size_t i = 0; i < rope.inverseFrequencies.size(); ++i) {
    float angle = static_cast<float>(position) * rope.inverseFrequencies[i];
    auto cosine = static_cast<float>(std::cos(double(angle)) * rope.magnitude);
    auto sine = static_cast<float>(std::sin(double(angle)) * rope.magnitude);
    float *sines = row + rope.headSize;
    row[2 * i] = row[2 * i + 1] = cosine;
    sines[2 * i] = -sine;
    sines[2 * i + 1] = sine;
  }
}

Result<std::vector<uint8_t>> chipwright::tableBytes(const PackageBuffer &buffer,
                                                    const Graph &graph) {
  // The shape of a table has no symbol of a step.
  int64_t positions = buffer.shape[0].constant;
  int64_t columns = buffer.shape[1].constant;
  std::vector<float> values(static_cast<size_t>(positions * columns));
  auto index = static_cast<size_t>(buffer.index);
  Diagnostic wrong{
      fmt::format("buffer {}: expected a table of the model, found {} number "
                  "{} of {} columns; compile this model again",
                  buffer.name,
                  buffer.content == BufferContent::RopeTable ? "rotation"
                                                             : "temperature",
                  buffer.index, columns),
      ExitBadInput};
  if (buffer.content == BufferContent::RopeTable) {
    auto ropes = distinct<RopeAttributes>(
        graph, [](const RopeAttributes &a, const RopeAttributes &b) {
          return a.headSize == b.headSize && a.magnitude == b.magnitude &&
                 a.inverseFrequencies == b.inverseFrequencies;
        });
    if (index >= ropes.size() || columns != 2 * ropes[index].headSize) {
      return wrong;
    }
    for (int64_t p = 0; p < positions; ++p) {
      ropeRow(ropes[index], p, values.data() + p * columns);
    }
  } else {
    auto kinds = distinct<TemperatureAttributes>(
        graph,
        [](const TemperatureAttributes &a, const TemperatureAttributes &b) {
          return a.config == b.config;
        });
    if (index >= kinds.size()) {
      return wrong;
    }
    for (int64_t p = 0; p < positions; ++p) {
      values[static_cast<size_t>(p)] =
          static_cast<float>(temperatureAt(kinds[index].config, p));
    }
  }
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return bytes;
}
