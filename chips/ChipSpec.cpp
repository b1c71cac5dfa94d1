//===- ChipSpec.cpp - Quantities derived from a chip ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "chips/ChipSpec.h"

#include <algorithm>
#include <cmath>

namespace chipwright {

const char *dtypeName(DType type) {
  switch (type) {
  case DType::F32:
    return "fp32";
  case DType::F16:
    return "fp16";
  case DType::BF16:
    return "bf16";
  case DType::I8:
    return "int8";
  case DType::I32:
    return "int32";
  case DType::F8E4M3:
    return "fp8_e4m3";
  case DType::F8E5M2:
    return "fp8_e5m2";
  case DType::TF32:
    return "tf32";
  case DType::I4:
    return "int4";
  case DType::F4E2M1:
    return "fp4_e2m1";
  case DType::F8E8M0:
    return "fp8_e8m0";
  }
  return "?";
}

std::optional<DType> dtypeFromName(std::string_view name) {
  for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8, DType::I32,
                     DType::F8E4M3, DType::F8E5M2, DType::TF32, DType::I4,
                     DType::F4E2M1, DType::F8E8M0}) {
    if (name == dtypeName(type)) {
      return type;
    }
  }
  return std::nullopt;
}

bool SeSpec::reads(DType type) const {
  return !isReadOnly(type) || std::find(readDtypes.begin(), readDtypes.end(),
                                        type) != readDtypes.end();
}

uint64_t ChipSpec::periodFs() const {
  return static_cast<uint64_t>(std::llround(1e6 / clockGhz));
}

unsigned ChipSpec::dpeKElements(DType type) const {
  return dpe.kBytes / dtypeBytes(type);
}

double ChipSpec::peakFlops(DType type) const {
  if (std::find(dpe.dtypes.begin(), dpe.dtypes.end(), type) ==
      dpe.dtypes.end()) {
    return 0;
  }
  double macsPerCycle = static_cast<double>(grid.numPes()) * dpe.tiles *
                        dpe.tileRows * dpeKElements(type);
  return 2 * macsPerCycle * clockGhz * 1e9;
}

double ChipSpec::sramBytesPerSecond() const {
  return static_cast<double>(sram.banks) * sram.bankBytes * clockGhz * 1e9;
}

double ChipSpec::lsBytesPerSecond() const {
  return static_cast<double>(ls.banks) * ls.bankBytes * clockGhz * 1e9;
}

} // namespace chipwright
