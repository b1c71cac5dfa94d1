//===- StoredType.cpp - Element types of stored tensors ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "models/StoredType.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

namespace chipwright::models {

namespace {

struct TypeEntry {
  std::string_view name;
  unsigned bits;
  StoredType type;
};

// In the order of the enumeration.
constexpr TypeEntry types[] = {
    {"BOOL", 8, StoredType::Bool},
    {"U8", 8, StoredType::U8},
    {"I8", 8, StoredType::I8},
    {"F8_E5M2", 8, StoredType::F8E5M2},
    {"F8_E4M3", 8, StoredType::F8E4M3},
    {"F8_E8M0", 8, StoredType::F8E8M0},
    {"F8_E4M3FNUZ", 8, StoredType::F8E4M3Fnuz},
    {"F8_E5M2FNUZ", 8, StoredType::F8E5M2Fnuz},
    {"F4", 4, StoredType::F4},
    {"F6_E2M3", 6, StoredType::F6E2M3},
    {"F6_E3M2", 6, StoredType::F6E3M2},
    {"I16", 16, StoredType::I16},
    {"U16", 16, StoredType::U16},
    {"F16", 16, StoredType::F16},
    {"BF16", 16, StoredType::BF16},
    {"I32", 32, StoredType::I32},
    {"U32", 32, StoredType::U32},
    {"F32", 32, StoredType::F32},
    {"C64", 64, StoredType::C64},
    {"F64", 64, StoredType::F64},
    {"I64", 64, StoredType::I64},
    {"U64", 64, StoredType::U64},
};

constexpr bool inOrder() {
  for (size_t i = 0; i < std::size(types); ++i) {
    if (static_cast<size_t>(types[i].type) != i) {
      return false;
    }
  }
  return true;
}
static_assert(inOrder());

} // namespace

std::string_view storedTypeName(StoredType type) {
  return types[static_cast<size_t>(type)].name;
}

std::optional<StoredType> findStoredType(std::string_view name) {
  for (const TypeEntry &entry : types) {
    if (entry.name == name) {
      return entry.type;
    }
  }
  return std::nullopt;
}

unsigned storedTypeBits(StoredType type) {
  return types[static_cast<size_t>(type)].bits;
}

float floatOfBfloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

float floatOfHalf(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 31;
  uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) { // zero and subnormals: fraction x 2^-24
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

uint16_t bfloatOfFloat(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) {
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  }
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint16_t halfOfFloat(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  float magnitude = std::fabs(value);
  if (std::isnan(value)) {
    return sign | 0x7e00;
  }
  if (magnitude >= 65520.0f) { // halfway between 65504 and 65536
    return sign | 0x7c00;
  }
  if (magnitude < 0x1p-14f) {
    // Adding 0.5 leaves the multiple of 2^-24 in the low bits, rounded.
    float shifted = magnitude + 0.5f;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(shifted) & 0x7fff));
  }
  uint32_t m = std::bit_cast<uint32_t>(magnitude);
  m += 0xfff + (m >> 13 & 1);
  return static_cast<uint16_t>(sign | ((m >> 13) - (112u << 10)));
}

template <typename T>
void convertElements(StoredType type, const std::byte *source, int64_t stride,
                     int64_t count, T *target, int64_t step) {
  auto loop = [&]<typename Raw>(Raw, auto convert) {
    for (int64_t i = 0; i < count; ++i) {
      Raw raw;
      std::memcpy(&raw, source + i * stride * static_cast<int64_t>(sizeof(Raw)),
                  sizeof(Raw));
      target[i * step] = static_cast<T>(convert(raw));
    }
  };
  switch (type) {
  case StoredType::BF16:
    return loop(uint16_t(), floatOfBfloat);
  case StoredType::F16:
    return loop(uint16_t(), floatOfHalf);
  case StoredType::F32:
    return loop(float(), [](float v) { return v; });
  case StoredType::F64:
    return loop(double(), [](double v) { return v; });
  default: // excluded by isPlainFloat()
    return;
  }
}

template void convertElements<float>(StoredType, const std::byte *, int64_t,
                                     int64_t, float *, int64_t);
template void convertElements<double>(StoredType, const std::byte *, int64_t,
                                      int64_t, double *, int64_t);

} // namespace chipwright::models
