//===- QuantisedSources.h - Elements from codes and scales ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
//
// Internal to models/quantised: one source per form. They trust their tensors,
// whose types and shapes QuantisedTensors.cpp has checked.
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_QUANTISED_QUANTISEDSOURCES_H
#define CHIPWRIGHT_MODELS_QUANTISED_QUANTISEDSOURCES_H

#include "models/TensorStore.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace chipwright::models {

/// \returns an element of a tensor of scales: a readable one, F8_E4M3, or
/// powers of two (F8_E8M0 or U8).
float scaleAt(const StoredTensor &scales, int64_t index);

/// Sources of matrices read rows piece by piece.
class MatrixSource : public ElementSource {
public:
  MatrixSource(std::string form, int64_t width)
      : name(std::move(form)), columns(width) {}

  void read(int64_t first, int64_t count, float *target) const override {
    while (count > 0) {
      int64_t column = first % columns;
      int64_t n = std::min(columns - column, count);
      readRow(first / columns, column, n, target);
      first += n;
      count -= n;
      target += n;
    }
  }

  std::string_view format() const override { return name; }

protected:
  virtual void readRow(int64_t row, int64_t column, int64_t count,
                       float *target) const = 0;

  /// Calls \p piece(start, end) for the parts of [column, column + count) that
  /// lie within one group of \p size columns each.
  template <typename Piece>
  static void forGroups(int64_t column, int64_t count, int64_t size,
                        Piece piece) {
    int64_t end = column + count;
    while (column < end) {
      int64_t next = std::min(end, (column / size + 1) * size);
      piece(column, next);
      column = next;
    }
  }

private:
  std::string name;

protected:
  int64_t columns;
};

/// Scales of blocks [rows, columns], `across` of them side by side.
struct BlockScales {
  StoredTensor tensor;
  int64_t blockRows = 1, blockColumns = 1, across = 1;

  int64_t indexOf(int64_t row, int64_t column) const {
    return row / blockRows * across + column / blockColumns;
  }
};

/// (code - zero) * scale; codes F8_E4M3, F8_E5M2 or I8 [rows, columns].
class ScaledSource : public MatrixSource {
public:
  /// \p zeroPoints has an I8 for each scale; without data there are none.
  ScaledSource(std::string form, const StoredTensor &stored,
               BlockScales blockScales, const StoredTensor &zeroPoints)
      : MatrixSource(std::move(form), stored.shape[1]), codes(stored),
        scales(std::move(blockScales)), zeros(zeroPoints) {}

protected:
  void readRow(int64_t row, int64_t column, int64_t count,
               float *target) const override;

private:
  StoredTensor codes;
  BlockScales scales;
  StoredTensor zeros;
};

/// (code - zero) * scale with unsigned codes of 4 or 8 bits in words of 32.
class WordSource : public MatrixSource {
public:
  /// Where code (i, j) of a matrix of codes lies: `perWord` neighbours along
  /// one side share a word, lowest bits first, or in the order of `slots`.
  struct Words {
    StoredTensor tensor;      // I32
    int64_t width = 0;        // words of a stored row
    bool alongRows = false;   // neighbours of one column share a word
    bool interleaved = false; // AWQ's order of eight
    unsigned bits = 4;

    unsigned at(int64_t row, int64_t column) const;
  };

  struct Parts {
    Words codes; // (input, output) where `transposed`, else (output, input)
    Words zeros; // of (group, output) or (output, group), as the scales
    StoredTensor scales;
    bool transposed = false;
    bool hasZeros = false;
    int64_t fixedZero = 0;  // without zeros
    int64_t zeroOffset = 0; // added to stored ones
    int64_t outputs = 0, groups = 0, groupSize = 0;
    std::vector<int32_t> groupOf; // by input; empty: input / groupSize
  };

  WordSource(std::string form, int64_t inputs, Parts stored)
      : MatrixSource(std::move(form), inputs), parts(std::move(stored)) {}

protected:
  void readRow(int64_t row, int64_t column, int64_t count,
               float *target) const override;

private:
  Parts parts;
};

/// E2M1 codes in bytes, even columns in the low nibbles, and E4M3 scales of 16.
class Nvfp4Source : public MatrixSource {
public:
  Nvfp4Source(std::string form, const StoredTensor &stored,
              const StoredTensor &blockScales, float tensorScale, bool divides)
      : MatrixSource(std::move(form), stored.shape[1] * 2), codes(stored),
        scales(blockScales), scale(tensorScale), divided(divides) {}

protected:
  void readRow(int64_t row, int64_t column, int64_t count,
               float *target) const override;

private:
  StoredTensor codes, scales;
  float scale;
  bool divided;
};

/// E2M1 codes [experts, out, in / 32, 16] and E8M0 scales, shown as [experts,
/// in, out].
class StackedMxfp4Source : public MatrixSource {
public:
  StackedMxfp4Source(std::string form, const StoredTensor &stored,
                     const StoredTensor &blockScales)
      : MatrixSource(std::move(form), stored.shape[1]), codes(stored),
        scales(blockScales) {}

protected:
  void readRow(int64_t row, int64_t column, int64_t count,
               float *target) const override;

private:
  StoredTensor codes, scales;
};

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_QUANTISED_QUANTISEDSOURCES_H
