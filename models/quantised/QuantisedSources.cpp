//===- QuantisedSources.cpp - Elements from codes and scales ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/quantised/QuantisedSources.h"
#include "models/quantised/SmallFloat.h"

#include <array>
#include <cstring>

namespace chipwright::models {

namespace {

template <SmallFloat Format> constexpr std::array<float, 256> makeTable() {
  std::array<float, 256> table = {};
  for (unsigned code = 0; code < 256; ++code) {
    table[code] = floatOfSmall(Format, static_cast<uint8_t>(code));
  }
  return table;
}

constexpr std::array<float, 256> e4m3Table = makeTable<SmallFloat::E4M3>();
constexpr std::array<float, 256> e5m2Table = makeTable<SmallFloat::E5M2>();
// The low four bits only.
constexpr std::array<float, 256> e2m1Table = makeTable<SmallFloat::E2M1>();

uint8_t byteAt(const StoredTensor &tensor, int64_t index) {
  return std::to_integer<uint8_t>(tensor.data[index]);
}

} // namespace

float scaleAt(const StoredTensor &scales, int64_t index) {
  switch (scales.type) {
  case StoredType::F8E8M0:
  case StoredType::U8:
    return floatOfE8m0(byteAt(scales, index));
  case StoredType::F8E4M3:
    return e4m3Table[byteAt(scales, index)];
  default: {
    float value = 0;
    readElements(scales, index, 1, 1, &value, 1);
    return value;
  }
  }
}

void ScaledSource::readRow(int64_t row, int64_t column, int64_t count,
                           float *target) const {
  const std::byte *line = codes.data + row * columns;
  float *place = target;
  forGroups(
      column, count, scales.blockColumns, [&](int64_t start, int64_t end) {
        int64_t index = scales.indexOf(row, start);
        float scale = scaleAt(scales.tensor, index);
        if (codes.type == StoredType::I8) {
          int zero = zeros.data ? static_cast<int8_t>(byteAt(zeros, index)) : 0;
          for (int64_t c = start; c < end; ++c) {
            int code = static_cast<int8_t>(std::to_integer<uint8_t>(line[c]));
            *place++ = static_cast<float>(code - zero) * scale;
          }
          return;
        }
        const auto &table =
            codes.type == StoredType::F8E5M2 ? e5m2Table : e4m3Table;
        for (int64_t c = start; c < end; ++c) {
          *place++ = table[std::to_integer<uint8_t>(line[c])] * scale;
        }
      });
}

unsigned WordSource::Words::at(int64_t row, int64_t column) const {
  // Slot of each of AWQ's eight columns.
  static constexpr unsigned slots[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  unsigned perWordLog = bits == 4 ? 3 : 2; // divisions would take most time
  int64_t side = alongRows ? row : column;
  auto slot = static_cast<unsigned>(side & ((1 << perWordLog) - 1));
  int64_t index = alongRows ? (row >> perWordLog) * width + column
                            : row * width + (column >> perWordLog);
  uint32_t word;
  std::memcpy(&word, tensor.data + index * 4, sizeof(word));
  return word >> (interleaved ? slots[slot] : slot) * bits & ((1u << bits) - 1);
}

void WordSource::readRow(int64_t row, int64_t column, int64_t count,
                         float *target) const {
  bool swapped = parts.transposed;
  // Inputs [start, end) of one group.
  auto convert = [&](int64_t group, int64_t start, int64_t end) {
    float scale = scaleAt(parts.scales, swapped ? group * parts.outputs + row
                                                : row * parts.groups + group);
    int64_t zero = parts.fixedZero;
    if (parts.hasZeros) {
      zero = parts.zeroOffset + (swapped ? parts.zeros.at(group, row)
                                         : parts.zeros.at(row, group));
    }
    for (int64_t input = start; input < end; ++input) {
      int64_t code =
          swapped ? parts.codes.at(input, row) : parts.codes.at(row, input);
      target[input - column] = static_cast<float>(code - zero) * scale;
    }
  };
  if (parts.groupOf.empty()) {
    forGroups(column, count, parts.groupSize, [&](int64_t start, int64_t end) {
      convert(start / parts.groupSize, start, end);
    });
    return;
  }
  for (int64_t start = column; start < column + count;) {
    int32_t group = parts.groupOf[static_cast<size_t>(start)];
    int64_t end = start + 1;
    while (end < column + count &&
           parts.groupOf[static_cast<size_t>(end)] == group) {
      ++end;
    }
    convert(group, start, end);
    start = end;
  }
}

void Nvfp4Source::readRow(int64_t row, int64_t column, int64_t count,
                          float *target) const {
  constexpr int64_t block = 16;
  float *place = target;
  forGroups(column, count, block, [&](int64_t start, int64_t end) {
    float own = scaleAt(scales, row * (columns / block) + start / block);
    float step = divided ? own / scale : own * scale;
    for (int64_t c = start; c < end; ++c) {
      unsigned byte = byteAt(codes, row * (columns / 2) + c / 2);
      *place++ = e2m1Table[byte >> c % 2 * 4 & 15] * step;
    }
  });
}

void StackedMxfp4Source::readRow(int64_t row, int64_t column, int64_t count,
                                 float *target) const {
  constexpr int64_t block = 32;
  int64_t outputs = columns, groups = codes.shape[2];
  int64_t inputs = groups * block;
  int64_t expert = row / inputs, input = row % inputs;
  for (int64_t i = 0; i < count; ++i) {
    int64_t group = (expert * outputs + column + i) * groups + input / block;
    unsigned byte = byteAt(codes, group * 16 + input % block / 2);
    target[i] = e2m1Table[byte >> input % 2 * 4 & 15] * scaleAt(scales, group);
  }
}

} // namespace chipwright::models
