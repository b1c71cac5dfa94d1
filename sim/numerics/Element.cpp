//===- Element.cpp - Element formats and their conversions ----------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/numerics/Element.h"

#include <cstring>

using namespace chipwright;
using namespace chipwright::sim;

namespace {

/// Elements lie at any byte address; memcpy is the portable unaligned access.
template <class Code>
CHIPWRIGHT_ALWAYS_INLINE Code loadCode(const uint8_t *src, size_t i) {
  Code code;
  std::memcpy(&code, src + i * sizeof(Code), sizeof(Code));
  return code;
}

template <class Code>
CHIPWRIGHT_ALWAYS_INLINE void storeCode(uint8_t *dst, size_t i, Code code) {
  std::memcpy(dst + i * sizeof(Code), &code, sizeof(Code));
}

struct LoadRow {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(DType type,
                                           const uint8_t *__restrict src,
                                           float *__restrict dst, size_t n) {
    switch (type) {
    case DType::F32:
      std::memcpy(dst, src, n * sizeof(float));
      return;
    case DType::F16:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = f16ToF32(loadCode<uint16_t>(src, i));
      }
      return;
    case DType::BF16:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = bf16ToF32(loadCode<uint16_t>(src, i));
      }
      return;
    case DType::I8:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = static_cast<float>(loadCode<int8_t>(src, i));
      }
      return;
    case DType::I32:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = static_cast<float>(loadCode<int32_t>(src, i));
      }
      return;
    case DType::F8E4M3:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = e4m3ToF32(src[i]);
      }
      return;
    case DType::F8E5M2:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = e5m2ToF32(src[i]);
      }
      return;
    case DType::TF32:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = roundToTf32(loadCode<float>(src, i));
      }
      return;
    case DType::I4:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = static_cast<float>(int(nibble(src, i) ^ 8u) - 8);
      }
      return;
    case DType::F4E2M1:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = e2m1Values[nibble(src, i)];
      }
      return;
    case DType::F8E8M0:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = e8m0ToF32(src[i]);
      }
      return;
    }
    std::memset(dst, 0, n * sizeof(float));
  }
};

struct LoadRows {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void
  run(DType type, const uint8_t *src, size_t srcPitch, float *dst,
      size_t dstPitch, unsigned rows, size_t n) {
    for (unsigned row = 0; row < rows; ++row) {
      LoadRow::run<Isa>(type, src + row * srcPitch, dst + row * dstPitch, n);
    }
  }
};

struct StoreRow {
  template <HostIsa Isa>
  static CHIPWRIGHT_ALWAYS_INLINE void run(DType type,
                                           const float *__restrict src,
                                           uint8_t *__restrict dst, size_t n) {
    switch (type) {
    case DType::F32:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, canonical(src[i]));
      }
      return;
    case DType::F16:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToF16(src[i]));
      }
      return;
    case DType::BF16:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToBf16(src[i]));
      }
      return;
    case DType::I8:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToI8(src[i]));
      }
      return;
    case DType::I32:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToI32(src[i]));
      }
      return;
    case DType::F8E4M3:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToE4m3(src[i]));
      }
      return;
    case DType::F8E5M2:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, f32ToE5m2(src[i]));
      }
      return;
    case DType::TF32:
      for (size_t i = 0; i < n; ++i) {
        storeCode(dst, i, roundToTf32(src[i]));
      }
      return;
    case DType::I4:
    case DType::F4E2M1:
    case DType::F8E8M0:
      return;
    }
  }
};

} // namespace

void chipwright::sim::loadRow(DType type, const uint8_t *src, float *dst,
                              size_t n, HostIsa isa) {
  if (n == 0) {
    return; // src and dst may be null
  }
  dispatch<LoadRow>(isa, type, src, dst, n);
}

void chipwright::sim::loadRows(DType type, const uint8_t *src, size_t srcPitch,
                               float *dst, size_t dstPitch, unsigned rows,
                               size_t n, HostIsa isa) {
  if (n == 0) {
    return;
  }
  dispatch<LoadRows>(isa, type, src, srcPitch, dst, dstPitch, rows, n);
}

void chipwright::sim::storeRow(DType type, const float *src, uint8_t *dst,
                               size_t n, HostIsa isa) {
  if (n == 0) {
    return;
  }
  dispatch<StoreRow>(isa, type, src, dst, n);
}
