//===- TypeNames.h - Element types in the text of programs ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#ifndef CHIPWRIGHT_COMPILER_OPS_TYPENAMES_H
#define CHIPWRIGHT_COMPILER_OPS_TYPENAMES_H

#include "chips/ChipSpec.h"

namespace chipwright::programs {

/// \returns the name of an element type in MLIR.
inline const char *typeName(DType type) {
  switch (type) {
  case DType::F32:
    return "f32";
  case DType::F16:
    return "f16";
  case DType::BF16:
    return "bf16";
  case DType::I8:
    return "i8";
  case DType::I32:
    return "i32";
  case DType::F8E4M3:
    return "f8E4M3FN";
  case DType::F8E5M2:
    return "f8E5M2";
  case DType::TF32:
    return "tf32";
  case DType::I4:
    return "i4";
  case DType::F4E2M1:
    return "f4E2M1FN";
  case DType::F8E8M0:
    return "f8E8M0FNU";
  }
  return "f32";
}

} // namespace chipwright::programs

#endif // CHIPWRIGHT_COMPILER_OPS_TYPENAMES_H
