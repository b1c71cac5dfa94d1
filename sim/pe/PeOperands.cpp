//===- PeOperands.cpp - Which types a command may have --------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "sim/pe/PeOperands.h"

#include <fmt/format.h>

#include <tuple>

using namespace chipwright;
using namespace chipwright::sim;

static bool isInCb(uint32_t kind) {
  return static_cast<isa::OperandKind>(kind) != isa::OperandKind::None &&
         static_cast<isa::OperandKind>(kind) != isa::OperandKind::Immediate;
}

std::string chipwright::sim::storedTypesError(const isa::SeCommand &se,
                                              const char *what,
                                              const ChipSpec &spec) {
  enum Place { First, Second, Result };
  for (auto [name, isUsed, code, place] :
       {std::tuple("dtype", true, se.dtype, First),
        std::tuple("y1_dtype", isInCb(se.y1Kind), se.y1Dtype, Second),
        std::tuple("y2_dtype", isInCb(se.y2Kind), se.y2Dtype, Second),
        std::tuple("out_dtype", se.store != 0, se.outDtype, Result),
        std::tuple("red_dtype", se.reduce != 0, se.redDtype, Result)}) {
    auto type = static_cast<DType>(code);
    if (!isUsed || !isReadOnly(type)) {
      continue;
    }
    if (place == Result || (place == Second && dtypeBytes(type) == 0)) {
      return fmt::format("{} of {} is {}, which {}; convert it by a command of "
                         "its own",
                         name, what, dtypeName(type),
                         place == Result ? "no engine writes"
                                         : "only its first operand may be");
    }
    if (!spec.se.reads(type)) {
      return fmt::format("the SIMD engine of {} does not read {} "
                         "(se.read_dtypes); store another type, or use another "
                         "chip",
                         spec.name, dtypeName(type));
    }
  }
  return {};
}
