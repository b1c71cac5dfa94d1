//===- MatrixPass.cpp - What the dot-product engine computes --------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/MatrixPass.h"

#include "sim/numerics/Element.h"

#include <algorithm>
#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// Elements of k converted at a time. Partial sums of this many int8 products
/// (below 2^14 each) are integers below 2^24, hence exact in fp32.
constexpr unsigned chunkK = 256;
static_assert(chunkK * 128u * 128u <= 1u << 24);

/// Columns of the bank are padded to this in the cached operand.
constexpr unsigned columnPad = 32;

/// fp32 lanes of a host vector and bank rows of a register tile.
template <HostIsa Isa> struct Tile {
  static constexpr unsigned lanes = Isa == HostIsa::Avx512 ? 16
                                    : Isa == HostIsa::Avx2 ? 8
                                                           : 4;
  static constexpr unsigned rows = Isa == HostIsa::Avx512 ? 8 : 4;
  static constexpr unsigned columns = 2 * lanes;
  using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
  using Integers = int32_t __attribute__((vector_size(lanes * sizeof(float))));
};

enum class Arithmetic {
  ExactProducts,   // the product is exact in fp32: fma is mul and add
  RoundedProducts, // the product may round: mul, then add
  Integer          // exact partial sums, added to int32 words
};

bool hasExactProducts(DType type) {
  return type == DType::F16 || type == DType::F8E4M3 || type == DType::F8E5M2;
}

struct Kernel {
  template <class Vector>
  static CHIPWRIGHT_ALWAYS_INLINE void load(Vector &vector, const void *from) {
    std::memcpy(&vector, from, sizeof(vector));
  }

  template <HostIsa Isa, Arithmetic Kind, class Vector>
  static CHIPWRIGHT_ALWAYS_INLINE void multiplyAdd(Vector &acc, const Vector &a,
                                                   const Vector &b) {
#if __has_builtin(__builtin_elementwise_fma)
    if constexpr (Kind != Arithmetic::RoundedProducts && hasHardwareFma(Isa)) {
      acc = __builtin_elementwise_fma(a, b, acc);
      return;
    }
#endif
    acc = acc + a * b;
  }

  /// One register tile: Tile::rows bank rows, two vectors of columns.
  template <HostIsa Isa, Arithmetic Kind>
  static CHIPWRIGHT_ALWAYS_INLINE void
  tile(const float *__restrict a, const float *__restrict b, size_t bPitch,
       unsigned k, bool accumulate, uint32_t *__restrict bank,
       size_t bankPitch) {
    using Vector = typename Tile<Isa>::Vector;
    using Integers = typename Tile<Isa>::Integers;
    constexpr unsigned lanes = Tile<Isa>::lanes;
    constexpr unsigned rows = Tile<Isa>::rows;
    Vector acc[rows][2];
    for (unsigned r = 0; r < rows; ++r) {
      acc[r][0] = acc[r][1] = Vector{};
      if (Kind != Arithmetic::Integer && accumulate) {
        load(acc[r][0], bank + r * bankPitch);
        load(acc[r][1], bank + r * bankPitch + lanes);
      }
    }
    for (unsigned i = 0; i < k; ++i) {
      Vector b0, b1;
      load(b0, b + i * bPitch);
      load(b1, b + i * bPitch + lanes);
#pragma clang loop unroll(full)
      for (unsigned r = 0; r < rows; ++r) {
        Vector broadcast = Vector{} + a[i * rows + r];
        multiplyAdd<Isa, Kind>(acc[r][0], broadcast, b0);
        multiplyAdd<Isa, Kind>(acc[r][1], broadcast, b1);
      }
    }
    for (unsigned r = 0; r < rows; ++r) {
      for (unsigned half = 0; half < 2; ++half) {
        uint32_t *words = bank + r * bankPitch + half * lanes;
        if constexpr (Kind == Arithmetic::Integer) {
          Integers sum = __builtin_convertvector(acc[r][half], Integers);
          if (accumulate) {
            using Words =
                uint32_t __attribute__((vector_size(lanes * sizeof(uint32_t))));
            Words previous;
            load(previous, words);
            sum = (Integers)(previous + (Words)sum);
          }
          std::memcpy(words, &sum, sizeof(sum));
        } else {
          Vector value = acc[r][half];
          Vector nan = Vector{} + bitsFloat(canonicalNanBits);
          value = value == value ? value : nan;
          std::memcpy(words, &value, sizeof(value));
        }
      }
    }
  }

  /// All columns of one strip of Tile::rows bank rows, of which \p valid
  /// exist. A tile that reaches beyond the bank works on a copy.
  template <HostIsa Isa, Arithmetic Kind>
  static CHIPWRIGHT_ALWAYS_INLINE void
  strip(const float *a, const float *b, size_t bPitch, unsigned k,
        bool accumulate, uint32_t *bank, size_t bankPitch, unsigned valid,
        unsigned columns) {
    constexpr unsigned rows = Tile<Isa>::rows;
    constexpr unsigned width = Tile<Isa>::columns;
    for (unsigned j = 0; j < columns; j += width) {
      unsigned count = std::min(width, columns - j);
      if (valid == rows && count == width) {
        tile<Isa, Kind>(a, b + j, bPitch, k, accumulate, bank + j, bankPitch);
        continue;
      }
      uint32_t copy[rows * width] = {};
      for (unsigned r = 0; accumulate && r < valid; ++r) {
        std::memcpy(copy + r * width, bank + r * bankPitch + j,
                    count * sizeof(uint32_t));
      }
      tile<Isa, Kind>(a, b + j, bPitch, k, accumulate, copy, width);
      for (unsigned r = 0; r < valid; ++r) {
        std::memcpy(bank + r * bankPitch + j, copy + r * width,
                    count * sizeof(uint32_t));
      }
    }
  }

  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void
  run(Arithmetic kind, const float *a, const float *b, size_t bPitch,
      unsigned k, bool accumulate, uint32_t *bank, size_t bankPitch,
      unsigned valid, unsigned columns) {
    switch (kind) {
    case Arithmetic::ExactProducts:
      return strip<Isa, Arithmetic::ExactProducts>(
          a, b, bPitch, k, accumulate, bank, bankPitch, valid, columns);
    case Arithmetic::RoundedProducts:
      return strip<Isa, Arithmetic::RoundedProducts>(
          a, b, bPitch, k, accumulate, bank, bankPitch, valid, columns);
    case Arithmetic::Integer:
      return strip<Isa, Arithmetic::Integer>(a, b, bPitch, k, accumulate, bank,
                                             bankPitch, valid, columns);
    }
  }
};

/// dst[k][row] = src[row][k] for a block of rows.
struct TransposeBlock {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void
  run(const float *__restrict src, size_t srcPitch, unsigned rows, unsigned k,
      float *__restrict dst, size_t dstPitch) {
    for (unsigned i = 0; i < k; ++i) {
      for (unsigned r = 0; r < rows; ++r) {
        dst[i * dstPitch + r] = src[r * srcPitch + i];
      }
    }
  }
};

unsigned stripRows(HostIsa isa) {
  return isa == HostIsa::Avx512 ? Tile<HostIsa::Avx512>::rows
                                : Tile<HostIsa::Baseline>::rows;
}

} // namespace

void CachedOperand::load(const MatrixOperand &operand, HostIsa isa) {
  type = operand.dtype;
  numRows = operand.rows;
  depth = operand.k;
  paddedRows = (numRows + columnPad - 1) / columnPad * columnPad;
  // A row even for k = 0, so that column offsets stay inside the object.
  lines.resize(paddedRows * std::max(depth, 1u) / 16);
  if (lines.empty()) {
    return;
  }
  float *values = lines[0].v;
  for (unsigned i = 0; i < depth && numRows < paddedRows; ++i) {
    std::fill(values + i * paddedRows + numRows, values + (i + 1) * paddedRows,
              0.0f);
  }
  if (operand.kn) {
    loadRows(type, operand.data, operand.pitch, values, paddedRows, depth,
             numRows, isa);
    return;
  }
  constexpr unsigned block = 16;
  alignas(64) float rows[block * chunkK];
  for (unsigned first = 0; first < numRows; first += block) {
    unsigned count = std::min(block, numRows - first);
    for (unsigned begin = 0; begin < depth; begin += chunkK) {
      unsigned n = std::min(chunkK, depth - begin);
      loadRows(type,
               operand.data + first * operand.pitch +
                   size_t(begin) * elementBytes(type),
               operand.pitch, rows, chunkK, count, n, isa);
      dispatch<TransposeBlock>(isa, static_cast<const float *>(rows),
                               size_t(chunkK), count, n,
                               values + begin * paddedRows + first, paddedRows);
    }
  }
}

std::string chipwright::sim::matrixTypesError(DType a, DType b) {
  for (DType type : {a, b}) {
    if (elementBytes(type) == 0 || isReadOnly(type) || type == DType::I32) {
      return "a matrix operand needs a floating-point or int8 type, found "
             "type code " +
             std::to_string(unsigned(type));
    }
  }
  if ((a == DType::I8) != (b == DType::I8)) {
    return "int8 multiplies int8 only, found type codes " +
           std::to_string(unsigned(a)) + " and " + std::to_string(unsigned(b));
  }
  return {};
}

void chipwright::sim::matrixPass(const MatrixPassArgs &args, HostIsa isa) {
  const MatrixOperand &a = args.a;
  const CachedOperand &b = *args.b;
  Arithmetic kind = a.dtype == DType::I8 ? Arithmetic::Integer
                    : hasExactProducts(a.dtype) && hasExactProducts(b.dtype())
                        ? Arithmetic::ExactProducts
                        : Arithmetic::RoundedProducts;
  const unsigned rows = stripRows(isa);
  constexpr unsigned maxRows = Tile<HostIsa::Avx512>::rows;
  alignas(64) float loaded[maxRows * chunkK];
  alignas(64) float streamed[maxRows * chunkK];
  for (unsigned row = 0; row < a.rows; row += rows) {
    unsigned valid = std::min(rows, a.rows - row);
    bool accumulate = args.accumulate;
    // With k = 0 one empty chunk still clears or keeps the bank.
    unsigned begin = 0;
    do {
      unsigned n = std::min(chunkK, a.k - begin);
      if (valid < rows) {
        std::fill(loaded, loaded + rows * n, 0.0f);
      }
      loadRows(a.dtype,
               a.data + row * a.pitch + size_t(begin) * elementBytes(a.dtype),
               a.pitch, loaded, n, valid, n, isa);
      dispatch<TransposeBlock>(isa, static_cast<const float *>(loaded),
                               size_t(n), rows, n,
                               static_cast<float *>(streamed), size_t(rows));
      dispatch<Kernel>(isa, kind, static_cast<const float *>(streamed),
                       b.values() + begin * b.pitch(), b.pitch(), n, accumulate,
                       args.bank + row * args.bankPitch, args.bankPitch, valid,
                       b.rows());
      accumulate = true;
      begin += n;
    } while (begin < a.k);
  }
}
