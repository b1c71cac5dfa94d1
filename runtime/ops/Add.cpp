//===- Add.cpp - out = a + b ----------------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#include "runtime/kernels/arguments.h"
#include "runtime/ops/Ops.h"

using namespace chipwright;

static Result<KernelPlan> plan(const ChipSpec &spec, const KernelShape &shape) {
  if (auto fits = requireLocal(spec, "add", ringBytes(3), "rings of slots",
                               "use a chip with more");
      !fits) {
    return fits.error();
  }
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
  plan.defines = dtypeDefines(type);
  uint64_t bytes = plan.buffers[0].bytes();
  uint64_t align = spec.memory.interleaveBytes;
  plan.arguments = [=](const std::vector<uint64_t> &at) {
    return argumentBytes(add_args{at[0], at[1], at[2], bytes, align});
  };
  plan.minimalBytes = 3 * bytes;
  plan.reference = [](const std::vector<Matrix> &inputs) -> Matrix {
    return inputs[0] + inputs[1];
  };
  // A sum in fp32 and one rounding to the type.
  plan.errorBound = unitRoundoff(DType::F32) + unitRoundoff(type);
  return plan;
}

const Kernel ops::add = {
    "add",        "out = a + b, element by element",     "add.c",
    {"elements"}, {DType::F16, DType::BF16, DType::F32}, plan};
