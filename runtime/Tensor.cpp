//===- Tensor.cpp - Contents of buffers -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/Tensor.h"

#include "sim/numerics/Element.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace chipwright;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, OOPSLA 2014).
static uint64_t nextRandom(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

static bool isInteger(DType type) {
  return type == DType::I8 || type == DType::I32;
}

void chipwright::fillRandom(const KernelBuffer &buffer, uint64_t seed,
                            uint8_t *data) {
  if (isReadOnly(buffer.dtype)) {
    const bool isScale = buffer.dtype == DType::F8E8M0;
    const double low = std::ceil(buffer.low),
                 span = std::floor(buffer.high) - low + 1;
    for (uint64_t i = 0; i < buffer.bytes(); ++i) {
      const uint64_t drawn = nextRandom(seed) >> 11;
      data[i] =
          isScale
              ? static_cast<uint8_t>(
                    127 + low + std::floor(span * (double(drawn) * 0x1p-53)))
              : static_cast<uint8_t>(drawn);
    }
    return;
  }
  constexpr size_t kBlock = 4096;
  float block[kBlock];
  uint64_t elements = buffer.rows * buffer.cols;
  unsigned size = dtypeBytes(buffer.dtype);
  bool integers = isInteger(buffer.dtype);
  // Integers: every one of the range is equally likely.
  double low = buffer.low, span = buffer.high - low + (integers ? 1 : 0);
  for (uint64_t first = 0; first < elements; first += kBlock) {
    size_t count = std::min<uint64_t>(kBlock, elements - first);
    for (size_t i = 0; i < count; ++i) {
      double value = low + span * (double(nextRandom(seed) >> 11) * 0x1p-53);
      block[i] = static_cast<float>(integers ? std::floor(value) : value);
    }
    sim::storeRow(buffer.dtype, block, data + first * size, count);
  }
}

void chipwright::fillValues(const KernelBuffer &buffer, uint8_t *data) {
  unsigned size = dtypeBytes(buffer.dtype);
  for (uint64_t row = 0; row < buffer.rows; ++row) {
    for (uint64_t col = 0; col < buffer.cols; ++col) {
      auto value = static_cast<float>(buffer.value(row, col));
      sim::storeRow(buffer.dtype, &value,
                    data + (row * buffer.cols + col) * size, 1);
    }
  }
}

void chipwright::poison(const KernelBuffer &buffer, uint8_t *data) {
  if (isInteger(buffer.dtype)) {
    unsigned size = dtypeBytes(buffer.dtype);
    std::memset(data, 0, buffer.bytes());
    for (uint64_t i = size - 1; i < buffer.bytes(); i += size) {
      data[i] = 0x80;
    }
    return;
  }
  // All bits set is a NaN in every floating-point type.
  std::memset(data, 0xff, buffer.bytes());
}

void chipwright::fillBuffer(const KernelBuffer &buffer, uint64_t seed,
                            size_t number, uint8_t *data) {
  if (buffer.isOutput) {
    poison(buffer, data);
  } else if (buffer.value) {
    fillValues(buffer, data);
  } else {
    // Every buffer has a stream of random numbers of its own.
    fillRandom(buffer, seed * 0x9e3779b97f4a7c15 + number, data);
  }
}

Matrix chipwright::toMatrix(const KernelBuffer &buffer, const uint8_t *data) {
  Matrix result(static_cast<Eigen::Index>(buffer.rows),
                static_cast<Eigen::Index>(buffer.cols));
  constexpr size_t kBlock = 4096;
  float block[kBlock];
  uint64_t elements = buffer.rows * buffer.cols;
  for (uint64_t first = 0; first < elements; first += kBlock) {
    size_t count = std::min<uint64_t>(kBlock, elements - first);
    sim::loadRow(buffer.dtype, data + dtypeBytes(buffer.dtype, first), block,
                 count);
    std::copy_n(block, count, result.data() + first);
  }
  return result;
}

double chipwright::relativeError(const Matrix &out, const Matrix &reference) {
  double scale = reference.norm();
  double difference = (out - reference).norm();
  return scale > 0 ? difference / scale : difference;
}
