//===- Add.cpp - out = a + b ----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "compiler/ops/KernelPrograms.h"
#include "runtime/ops/Ops.h"

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &, const KernelShape &shape) {
  uint64_t elements = shape.elements.value_or(uint64_t(1) << 24);
  DType type = *shape.dtype;
  KernelPlan plan;
  plan.dtype = type;
  auto buffer = [&](const char *name, bool isOutput) {
    return KernelBuffer{.name = name,
                        .isOutput = isOutput,
                        .dtype = type,
                        .rows = 1,
                        .cols = elements};
  };
  plan.buffers = {buffer("a", false), buffer("b", false), buffer("out", true)};
  plan.program = programs::add(type, elements);
  plan.wayOut = "use a chip with more local memory (ls.bytes)";
  plan.arguments = addressBlock;
  plan.minimalBytes = 3 * plan.buffers[0].bytes();
  plan.reference = [](const std::vector<Matrix> &inputs) -> Matrix {
    return inputs[0] + inputs[1];
  };
  // A sum in fp32 and one rounding to the type.
  plan.errorBound = unitRoundoff(DType::F32) + unitRoundoff(type);
  return plan;
}

const Kernel ops::add = {
    "add",        "out = a + b, element by element",     nullptr,
    {"elements"}, {DType::F16, DType::BF16, DType::F32}, plan};
