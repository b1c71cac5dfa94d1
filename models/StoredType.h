//===- StoredType.h - Element types of stored tensors -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_MODELS_STOREDTYPE_H
#define CHIPWRIGHT_MODELS_STOREDTYPE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chipwright::models {

/// Element types of the safetensors format.
enum class StoredType : uint8_t {
  Bool,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  F8E8M0,
  F8E4M3Fnuz,
  F8E5M2Fnuz,
  F4,
  F6E2M3,
  F6E3M2,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// \returns the name in the file ("BF16").
std::string_view storedTypeName(StoredType type);

/// \returns the type of that name.
std::optional<StoredType> findStoredType(std::string_view name);

/// \returns the size of an element in bits: 4 to 64.
unsigned storedTypeBits(StoredType type);

/// \returns true for the types whose elements convertElement() reads.
constexpr bool isPlainFloat(StoredType type) {
  return type == StoredType::F16 || type == StoredType::BF16 ||
         type == StoredType::F32 || type == StoredType::F64;
}

/// \returns the value of the fp16 or bf16 encoding \p bits, exactly.
float floatOfHalf(uint16_t bits);
float floatOfBfloat(uint16_t bits);

/// \returns the encoding nearest to \p value, ties to even; overflow gives
/// infinity, NaN stays a NaN.
uint16_t halfOfFloat(float value);
uint16_t bfloatOfFloat(float value);

/// Converts \p count elements of the plain float type \p type, \p stride
/// elements apart from \p source on, to \p target, \p step elements apart.
/// \p source need not be aligned. F64 is rounded to nearest for T = float.
template <typename T>
void convertElements(StoredType type, const std::byte *source, int64_t stride,
                     int64_t count, T *target, int64_t step);

extern template void convertElements<float>(StoredType, const std::byte *,
                                            int64_t, int64_t, float *, int64_t);
extern template void convertElements<double>(StoredType, const std::byte *,
                                             int64_t, int64_t, double *,
                                             int64_t);

} // namespace chipwright::models

#endif // CHIPWRIGHT_MODELS_STOREDTYPE_H
